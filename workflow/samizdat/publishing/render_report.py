"""The page: the executed notebook as one self-contained file of HTML."""

from pathlib import Path

import nbformat

from samizdat.base import stage
from samizdat.base.files import write_text
from samizdat.publishing.page_by_pandoc import render_page
from samizdat.publishing.page_by_quarto import find_quarto, render_with_quarto


def render_report(notebook: Path, project: Path, page: Path, work: Path) -> str:
    """Render the executed notebook: by Quarto where one is on the PATH, else by pandoc and a template of our own.

    Both make a page that asks nothing of the network, runs no script but its own, and is the same bytes
    from the same notebook.

    Args:
        notebook: executed.
        project: the folder `report/`, with `_quarto.yml`, Quarto's theme, the page's styles and scripts.
        page: where to write.
        work: private state: Quarto's own project.

    Raises:
        UserError: Quarto fails, or a cross-reference of the report leads nowhere.
    """
    quarto = find_quarto()
    if quarto:
        html = render_with_quarto(quarto, notebook, project, work)
    else:
        html = render_page(nbformat.read(notebook, as_version=4), project)
    write_text(page, html)
    return f"{len(html.encode()) / 1e6:.1f} MB by {'Quarto' if quarto else 'the embedded renderer'}"


if __name__ == "__main__":
    stage.run(render_report)
