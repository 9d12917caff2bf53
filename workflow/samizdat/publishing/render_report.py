"""Render the executed notebook as one self-contained HTML page."""

from pathlib import Path

import nbformat

from samizdat.base import stage
from samizdat.base.files import checked_sha256, write_text
from samizdat.publishing.page_by_pandoc import render_page
from samizdat.publishing.page_by_quarto import find_quarto, render_with_quarto


def render_report(notebook: Path, project: Path, page: Path, work: Path) -> str:
    """Render the page by Quarto where it is on the PATH, else by pandoc with a template of this package.

    Both pages make no request, run no script but their own, and are the same bytes from the same notebook.

    Args:
        notebook: executed.
        project: the folder `report/`, with `_quarto.yml`, Quarto's theme, the page's styles and scripts.
        page: where to write.
        work: a folder for the step's own files: a project for Quarto.

    Raises:
        UserError: the notebook is damaged, Quarto fails, or a cross-reference of the report has no target.
    """
    checked_sha256(notebook)
    quarto = find_quarto()
    if quarto:
        html = render_with_quarto(quarto, notebook, project, work)
    else:
        html = render_page(nbformat.read(notebook, as_version=4), project)
    write_text(page, html)
    return f"{len(html.encode()) / 1e6:.1f} MB by {'Quarto' if quarto else 'the embedded renderer'}"


if __name__ == "__main__":
    stage.run(render_report)
