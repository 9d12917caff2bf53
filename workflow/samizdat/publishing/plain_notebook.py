"""Make the notebook that is handed in: the executed one, in Markdown that every program for notebooks shows."""

import html
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import nbformat
from nbformat import NotebookNode

from samizdat.base.escaping import escape
from samizdat.base.language import say
from samizdat.publishing import pandoc
from samizdat.publishing.cells import cell_options, split_options
from samizdat.publishing.document_words import in_its_language, metadata_of
from samizdat.publishing.pandoc import Element
from samizdat.publishing.pandoc_blocks import callout_title, float_caption, numbers_of, resolve

# What Jupyter reads: GitHub's Markdown, with formulas between dollars.
_WRITER = "gfm+tex_math_dollars-tex_math_gfm"
# Where a code cell is among the blocks: a raw block of this format, with the cell's number in it.
_CODE = "cell"
# A cell of the notebook: the number of a code cell of the executed one, or blocks of Markdown.
_Cell = int | list[Element]
# JupyterLab's editor looks for an address from each letter of a word to the word's end: a word of a million letters
# would keep it busy for hours. A longer word gets places to break, which end that search and can't be seen.
_LONGEST_WORD = 200


@in_its_language
def make_plain(notebook: NotebookNode, place: str) -> NotebookNode:
    """Make a notebook with the same code and the same outputs, and nothing in its Markdown that only Quarto reads.

    Sections, tables and figures have the numbers that they have on the page. References are links, callouts are
    quotes, title and captions are cells of their own. Code is folded. Nothing is executed.

    Args:
        notebook: executed; its first cell has the metadata.
        place: the folder in which it can be run again, such as `results/demo/report/`.

    Raises:
        UserError: a cross-reference has no target.
    """
    numbers = numbers_of(notebook)
    tree = pandoc.parse("\n\n".join(_part(number, cell) for number, cell in enumerate(notebook.cells)))
    resolved = pandoc.rewrite(tree["blocks"], lambda element: resolve(element, numbers))
    title = _title_cell(metadata_of(notebook), place)
    contents = itertools.chain([title], _cells(_flat(resolved, numbers)))
    cells = [_code_cell(notebook.cells[one]) if isinstance(one, int) else _markdown_cell(one) for one in contents]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    known = {key: notebook.metadata[key] for key in ("kernelspec", "language_info") if key in notebook.metadata}
    plain: NotebookNode = nbformat.v4.new_notebook(cells=cells, metadata=known)
    nbformat.validate(plain)
    return plain


def _part(number: int, cell: NotebookNode) -> str:
    """Write what a cell adds to the document: its Markdown; for code its caption, and the place where it is."""
    if cell.cell_type != "code":
        return str(cell.source) if cell.cell_type == "markdown" else ""
    label, caption = float_caption(cell_options(cell.source))
    place = f"```{{={_CODE}}}\n{number}\n```"
    return f"::: {{.caption of={label}}}\n{caption}\n:::\n\n{place}" if caption else place


def _flat(blocks: list[Element], numbers: dict[str, str]) -> Iterator[Element]:
    """Yield blocks without the divisions around them; number headings and captions, turn callouts into quotes."""
    for block in blocks:
        kind, content = block["t"], block.get("c", "")
        if kind == "Header" and content[1][0] in numbers:
            level, (identifier, _, _), words = content
            numbered = [_string(numbers[identifier].split()[1]), {"t": "Space"}, *words]
            yield _anchor(identifier)
            yield {"t": "Header", "c": [level, ["", [], []], numbered]}
        elif kind != "Div":
            yield block
        elif "caption" in content[0][1]:
            identifier = dict(content[0][2])["of"]
            number = {"t": "Strong", "c": [_string(f"{numbers[identifier]}:")]}
            words = [number, {"t": "Space"}, *content[1][0]["c"]]
            yield {"t": "Div", "c": [["", ["caption"], []], [_anchor(identifier), {"t": "Para", "c": words}]]}
        else:
            inside = list(_flat(content[1], numbers))
            callout = next((name for name in content[0][1] if name.startswith("callout-")), None)
            if callout is None:
                yield from inside
            else:
                title = dict(content[0][2]).get("title") or callout_title(callout.removeprefix("callout-"))
                yield from _quotes([{"t": "Para", "c": [{"t": "Strong", "c": [_string(title)]}]}, *inside])


def _quotes(blocks: list[Element]) -> Iterator[Element]:
    """Put blocks into quotes, but not code cells with their captions, which no quote can contain."""
    for quotable, group in itertools.groupby(blocks, lambda block: not _is_code(block) and block["t"] != "Div"):
        if quotable:
            yield {"t": "BlockQuote", "c": list(group)}
        else:
            yield from group


def _cells(blocks: Iterable[Element]) -> Iterator[_Cell]:
    """Cut a document into cells: a section begins a new one, and a caption is one of its own."""
    words: list[Element] = []
    for block in blocks:
        caption = block["t"] == "Div"
        if words and (_is_code(block) or caption or _is_anchor(block)):
            yield words
            words = []
        if _is_code(block):
            yield int(block["c"][1])
        elif caption:
            yield block["c"][1]
        else:
            words.append(block)
    if words:
        yield words


def _title_cell(block: dict[str, Any], place: str) -> list[Element]:
    """Write the first cell: title, course, author, and what it takes to run the notebook again."""
    lines = [pandoc.parse(block[key])["blocks"] for key in ("title", "subtitle", "author") if block.get(key)]
    title, *others = [paragraphs[0]["c"] for paragraphs in lines]
    again = say(
        "This notebook is complete as it is. To run it again, you need Samizdat and the results of the run: open the "
        "notebook in `{place}`, with a kernel that has the package `samizdat`.",
        place=place,
    )
    byline = [{"t": "Para", "c": words} for words in others]
    return [{"t": "Header", "c": [1, ["", [], []], title]}, *byline, *pandoc.parse(again)["blocks"]]


def _code_cell(cell: NotebookNode) -> NotebookNode:
    """Make a cell with the same code and outputs. Jupyter folds the code, and nbconvert shows what the page shows."""
    options = cell_options(cell.source)
    unshown = False in (options.get("include"), options.get("echo"))
    metadata: dict[str, Any] = {"jupyter": {"source_hidden": True}}
    made: NotebookNode = nbformat.v4.new_code_cell(
        split_options(cell.source)[1].strip("\n"), outputs=cell.outputs, execution_count=cell.execution_count,
        metadata=metadata | ({"transient": {"remove_source": True}} if unshown else {}),
    )  # fmt: skip
    return made


def _markdown_cell(blocks: list[Element]) -> NotebookNode:
    """Write blocks as the Markdown of a cell."""
    text = pandoc.write(pandoc.rewrite(blocks, _plain), _WRITER)
    cell: NotebookNode = nbformat.v4.new_markdown_cell(text.strip())
    return cell


def _plain(element: Element) -> list[Element] | None:
    """Return what replaces an element that not every program for notebooks shows as it is; None keeps it."""
    kind, content = element["t"], element.get("c", "")
    if kind == "Str":
        if len(content) > _LONGEST_WORD:
            pieces = (content[place : place + _LONGEST_WORD] for place in range(0, len(content), _LONGEST_WORD))
            return [{"t": "RawInline", "c": ["markdown", "<wbr>".join(map(escape, pieces))]}]
        # In the middle of a line; what has a meaning at its beginning is escaped by pandoc.
        as_it_is = escape(f"x {content}") == f"x {content}" and "\u00a0" not in content
        return None if as_it_is else [{"t": "RawInline", "c": ["markdown", escape(content)]}]
    # A link with attributes would be written as HTML.
    return [{"t": "Link", "c": [["", [], []], *content[1:]]}] if kind == "Link" else None


def _string(text: str) -> Element:
    return {"t": "Str", "c": text}


def _anchor(identifier: str) -> Element:
    """Make the target of a link."""
    return {"t": "RawBlock", "c": ["html", f'<a id="{html.escape(identifier)}"></a>']}


def _is_anchor(block: Element) -> bool:
    return block["t"] == "RawBlock" and str(block["c"][1]).startswith("<a id=")


def _is_code(block: Element) -> bool:
    return block["t"] == "RawBlock" and str(block["c"][0]) == _CODE
