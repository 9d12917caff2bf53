"""Fit an executed notebook to what its cells put out: titles, alternative texts, folded boxes."""

import re

from nbformat import NotebookNode

from samizdat.base.escaping import attribute, escape_isolated
from samizdat.publishing.cells import cell_options, inert, with_option

# The beginning of a folded box at the end of a cell of Markdown, and the box's end at the beginning of another.
_BOX = re.compile(r"\n*^::: \{\.callout-note collapse[^\n]*\}\s*\Z", re.MULTILINE)
_BOX_END = re.compile(r"\A\s*:::[ \t]*(?:\n+|\Z)")


def finish(notebook: NotebookNode) -> None:
    """Change the cells of an executed notebook so that each form of the report shows what they put out.

    A picture's title becomes the beginning of its caption, and its alternative text an option of the cell, for Quarto.
    A folded box around cells that put out nothing is left out.
    """
    for cell in notebook.cells:
        if cell.cell_type == "code":
            _describe_picture(cell)
    _remove_empty_boxes(notebook)


def _describe_picture(cell: NotebookNode) -> None:
    """Copy title and alternative text of a picture from its metadata into the options of its cell."""
    for output in cell.get("outputs", ()):
        described = output.get("metadata", {}).get("image/png", {})
        options = cell_options(cell.source)
        if described.get("alt") and "fig-alt" not in options:
            cell.source = with_option(cell.source, "fig-alt", attribute(described["alt"]))
        if described.get("title") and "fig-cap" in options:
            caption = f"**{inert(escape_isolated(described['title']))}.** {options['fig-cap']}"
            cell.source = with_option(cell.source, "fig-cap", caption)


def _remove_empty_boxes(notebook: NotebookNode) -> None:
    """Remove the folded boxes all of whose cells put out nothing, with these cells."""
    cells, kept = notebook.cells, []
    place = 0
    while place < len(cells):
        cell = cells[place]
        box = _BOX.search(cell.source) if cell.cell_type == "markdown" else None
        after = next((n for n in range(place + 1, len(cells)) if cells[n].cell_type == "markdown"), None)
        end = _BOX_END.match(cells[after].source) if box and after else None
        if box and after and end and not any(one.outputs for one in cells[place + 1 : after]):
            cell.source = cell.source[: box.start()]
            cells[after].source = cells[after].source[end.end() :]
            place = after
        else:
            place += 1
        kept.append(cell)
    notebook.cells = [cell for cell in kept if cell.cell_type != "markdown" or cell.source.strip()]
