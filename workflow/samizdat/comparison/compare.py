"""Write a notebook and a page that compare runs (`samizdat compare`)."""

import itertools
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import jupytext
import nbformat
import yaml
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME
from nbformat import NotebookNode

from samizdat.base.configuration import load_schema
from samizdat.base.errors import UserError
from samizdat.base.escaping import escape
from samizdat.base.files import not_intact, sha256_of, write_text
from samizdat.base.language import say, speaking
from samizdat.base.project import project_folder
from samizdat.base.schema_problems import schema_problems
from samizdat.base.wording import how_to_make
from samizdat.publishing.cells import inert
from samizdat.publishing.document_words import translated
from samizdat.publishing.empty_floats import without_empty_floats
from samizdat.publishing.execution import execute
from samizdat.publishing.notebook import check_results, write_notebook
from samizdat.publishing.page_by_pandoc import render_page
from samizdat.publishing.plain_notebook import make_plain
from samizdat.publishing.script_words import script_words
from samizdat.records.run import Manifest, manifest_of
from samizdat.runs.damage import set_aside

TEXTS = "corpus/texts.parquet"


def compare(folders: Sequence[Path], out: Path) -> str:
    """Write `report.ipynb` and `report.html` into `out`, and return a line that says where they are.

    Those that are there are replaced; one that was edited is renamed.

    Args:
        folders: two runs or more, such as `results/demo`.
        out: the folder to write.

    Raises:
        UserError: the workflow's files or a run are not there, a run is not finished, was changed or is of another
            version, one is given twice, or `out` is in a run or can't be made.
    """
    project = project_folder() / "report"
    document = project / "comparison" / "index.qmd"
    if len({folder.resolve() for folder in folders}) < max(2, len(folders)):
        raise UserError(
            "runs to compare: there must be two or more, and none twice",
            remedy="name their folders, such as: samizdat compare results/demo results/mine",
        )
    manifests = {folder: manifest_of(folder) for folder in folders}
    if any((folder / "manifest.json").is_file() for folder in (out, out.resolve().parent)):
        raise UserError(
            f"{out} is a folder of a run, whose own report would be replaced", remedy="give another folder with --out"
        )
    for folder, manifest in manifests.items():
        if not (folder / TEXTS).exists():
            raise UserError(
                f"{folder} lacks {TEXTS}, as a bundle without texts does", remedy="compare runs that have their texts"
            )
        check_results(manifest, folder)
        _refuse_other_version(manifest, folder)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"{out} can't be made a folder: {error.strerror}", remedy="give another folder with --out"
        ) from None
    notebook = _notebook(document, list(manifests.values()), folders, out)
    with tempfile.TemporaryDirectory() as work:
        executed, _ = execute(notebook, document, out, Path(work), threads=1)
    executed = without_empty_floats(executed, has=set())
    written, page = out / "report.ipynb", out / "report.html"
    set_aside(map(str, not_intact([written, page])))
    write_notebook(make_plain(executed, f"{out}/"), written)
    write_text(page, render_page(executed, project))
    return f"The comparison of {len(folders)} runs is in {page} and {written}"


def _refuse_other_version(manifest: Manifest, folder: Path) -> None:
    """Refuse a run whose config lacks keys that this version reads, or has others."""
    if problem := next(schema_problems(manifest.config, load_schema(), {}), ""):
        version = "" if manifest.commit == "unknown" else f" (git checkout {manifest.commit})"
        raise UserError(
            f"{folder} was made by another version; its config is none of this one: {problem}",
            remedy=f"make it again, with {how_to_make(manifest.run)}, or make all runs with its version{version} and "
            "compare them with that one",
        )


def names_of(manifests: Sequence[Manifest]) -> list[str]:
    """Name the runs; where two have one name, each is followed by its number, or by the next that makes a new name."""
    names = [manifest.run for manifest in manifests]
    found: list[str] = []
    for number, name in enumerate(names, 1):
        made = (f"{name}-{more}" for more in itertools.count(number))
        found.append(name if names.count(name) == 1 else next(one for one in made if one not in {*names, *found}))
    return found


def _notebook(document: Path, manifests: Sequence[Manifest], folders: Sequence[Path], out: Path) -> NotebookNode:
    """Make the notebook, not executed: with a title, and with a cell that names the runs.

    Its language is that of the first run's report.
    """
    names, language = names_of(manifests), manifests[0].config["report_language"]
    with speaking(language):
        said, scripts = translated(document.read_text(encoding="utf-8")), script_words()
        title = say("Comparison of {runs}", runs=", ".join(names))
    notebook: NotebookNode = jupytext.reads(said, fmt="Rmd")
    block = {"lang": language, "title": inert(escape(title))} | ({"header-includes": scripts} if scripts else {})
    notebook.cells[0].source = f"---\n{yaml.safe_dump(block, allow_unicode=True, width=10_000)}---"
    # Relative to the notebook, so that runs and comparison can be moved together.
    places = {name: os.path.relpath(folder, out) for name, folder in zip(names, folders, strict=True)}
    hashes = {name: sha256_of(folder / "manifest.json") for name, folder in zip(names, folders, strict=True)}
    cell = (
        "#| label: inputs\n#| include: false\n# The runs, and the hashes of their manifests.\n"
        f"RUNS = {places}\nMANIFESTS = {hashes}"
    )
    notebook.cells.insert(1, nbformat.v4.new_code_cell(cell))
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": {"name": NATIVE_KERNEL_NAME, "display_name": "Python 3", "language": "python"}}
    )
    for number, one in enumerate(notebook.cells):
        one.id, one.metadata = f"cell-{number}", nbformat.from_dict({})
    return notebook
