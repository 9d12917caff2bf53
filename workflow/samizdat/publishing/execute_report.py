"""The executed notebook: what is submitted, and what every page is rendered from."""

from pathlib import Path

import nbformat

from samizdat.base import stage
from samizdat.base.files import write_text
from samizdat.publishing.notebook import execute, make_notebook


def execute_report(document: Path, notes: Path, run: Path, notebook: Path, work: Path, threads: int) -> str:
    """Make the notebook from its document and execute it, unless the same cells saw the same results before.

    The notebook opens and reruns in Jupyter where it lies, in a folder of the run.

    Args:
        document: `report/index.qmd`.
        notes: the user's own words.
        run: the results folder, whose manifest names every input.
        notebook: where to write.
        work: private state: earlier executions.
        threads: threads of the numeric libraries.

    Raises:
        UserError: a cell fails, or the results are not those of the manifest.
    """
    executed, fresh = execute(make_notebook(document, notes, run), document, run, work, threads)
    write_text(notebook, nbformat.writes(executed) + "\n")
    cells = sum(cell.cell_type == "code" for cell in executed.cells)
    return f"{cells} cells, {'executed' if fresh else 'as executed before'}"


if __name__ == "__main__":
    stage.run(execute_report)
