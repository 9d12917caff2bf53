"""Make and execute the notebook, once: the form that every page is rendered from, and the plain one to hand in."""

from pathlib import Path

from samizdat.base import stage
from samizdat.publishing.empty_floats import sections_of, without_empty_floats
from samizdat.publishing.execution import execute
from samizdat.publishing.missing_letters import missing_in_figures, which_scripts
from samizdat.publishing.notebook import make_notebook, write_notebook
from samizdat.publishing.plain_notebook import make_plain


def execute_report(
    document: Path, notes: Path, run: Path, notebook: Path, plain: Path, work: Path, threads: int
) -> str:
    """Make the notebook from its document and execute it, unless the same cells read the same results before.

    The plain notebook has the same code and outputs. It can be opened and run again in Jupyter from the folder of the
    run that it is in.

    Args:
        document: `report/index.qmd`.
        notes: the user's own words.
        run: the results folder, whose manifest names every input.
        notebook: where to write the notebook in Quarto's Markdown.
        plain: where to write the notebook that is handed in.
        work: a folder for the step's own files: earlier executions.
        threads: threads of the numeric libraries.

    Raises:
        UserError: a cell fails, or the results are not those of the manifest.
    """
    executed, fresh = execute(make_notebook(document, notes, run), document, run, work, threads)
    executed = without_empty_floats(executed, has=sections_of(run))
    write_notebook(executed, notebook)
    write_notebook(make_plain(executed, f"results/{run.resolve().name}/report/"), plain)
    cells = sum(cell.cell_type == "code" for cell in executed.cells)
    said = f"{cells} cells, {'executed' if fresh else 'as executed before'}"
    if missing := missing_in_figures(executed):
        said += f"; figures have boxes instead of letters that no font has: {which_scripts(missing, notebook)}"
    return said


if __name__ == "__main__":
    stage.run(execute_report)
