"""Small notebooks and their pages, for tests of the embedded renderer."""

import base64
import re
from pathlib import Path
from typing import Any

import nbformat
import yaml
from nbformat import NotebookNode

from samizdat.base.escaping import escape
from samizdat.publishing.page_by_pandoc import render_page

PROJECT = Path(__file__).parents[2] / "report"
PNG = base64.b64encode(b"\x89PNG, as good as any").decode()


def markdown(text: str) -> NotebookNode:
    """An output of Markdown."""
    return nbformat.v4.new_output("display_data", {"text/markdown": text})


def picture(**metadata: Any) -> NotebookNode:
    """An output with a picture."""
    return nbformat.v4.new_output("display_data", {"image/png": PNG}, metadata={"image/png": metadata})


def executed(*cells: Any, **block: str) -> NotebookNode:
    """An executed notebook of Markdown cells (strings) and code cells (source, outputs)."""
    made = [nbformat.v4.new_raw_cell(f"---\n{yaml.safe_dump({'lang': 'en', 'title': 'A title'} | block)}---")]
    for cell in cells:
        made.append(
            nbformat.v4.new_markdown_cell(cell)
            if isinstance(cell, str)
            else nbformat.v4.new_code_cell(cell[0], outputs=list(cell[1:]))
        )
    return nbformat.v4.new_notebook(cells=made, metadata={"widgets": {"state": {}}})


def page_of(*cells: Any, title: str = "A title", **block: str) -> str:
    """The page of such a notebook, as one line."""
    page = render_page(executed(*cells, title=escape(title), **block), PROJECT)
    return re.sub(r"\s*\n\s*", "", page)


FLOATS = (
    "## First {#sec-first}\n\nSee @fig-b, @tbl-a and @sec-last.",
    ('#| label: fig-a\n#| fig-cap: "Caption *a*"\n#| fig-alt: "Alt &#60;a&#62;"\nf()', picture(width=720, height=300)),
    "### Below {#sec-below}",
    ('#| label: tbl-a\n#| tbl-cap: "Caption ta"\ng()', markdown("| x | y |\n|:--|--:|\n| 1 | 2 |")),
    ('#| label: fig-b\n#| fig-cap: "Caption b"\n#| echo: false\nh()', picture()),
    "## Last {#sec-last}",
)
