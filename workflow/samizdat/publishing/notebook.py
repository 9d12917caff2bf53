"""Make the report's notebook from its document: title, notes, and a cell that names the run's inputs."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import yaml
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME
from nbformat import NotebookNode

from samizdat.base.digest import code_digest
from samizdat.base.errors import UserError
from samizdat.base.escaping import escape
from samizdat.base.files import sha256_of, write_text
from samizdat.base.language import catalogue_digest, speaking
from samizdat.base.notes import read_notes
from samizdat.base.wording import how_to_make
from samizdat.publishing.cells import inert
from samizdat.publishing.document_words import translated
from samizdat.publishing.guard import guard
from samizdat.publishing.notes import safe_markdown
from samizdat.publishing.script_words import script_words
from samizdat.records.io import read_document
from samizdat.records.run import Manifest

NOTES_HERE = re.compile(r"^(?P<heading>#+ [^\n]*\n\s*)?\{\{< include notes\.md >\}\}", flags=re.MULTILINE)
# Files that no report reads. They are large, and hashing them takes long.
_UNREAD = (".safetensors",)


def make_notebook(document: Path, notes: Path, run: Path) -> NotebookNode:
    """Make the notebook of a run, not executed: title block and notes filled in, and a cell that names its inputs.

    Args:
        document: the report as `.qmd`.
        notes: the user's own words, Markdown; where they are empty their section is left out.
        run: the results folder, with `manifest.json`.

    Raises:
        UserError: the results are not those that the manifest was made from, or the document has no title block.
    """
    manifest = read_document(Manifest, run / "manifest.json")
    check_results(manifest, run)
    with speaking(manifest.config["report_language"]):
        said, inputs, scripts = translated(document.read_text(encoding="utf-8")), _inputs_cell(manifest), script_words()
    notebook: NotebookNode = jupytext.reads(said, fmt="Rmd")
    if not notebook.cells or notebook.cells[0].cell_type != "raw":
        raise UserError(
            f"{document} does not begin with a block of metadata between two lines of ---",
            remedy="restore its first lines; `lang: en` is enough",
        )
    notebook.cells[0].source = _title_block(notebook.cells[0].source, manifest.config, scripts)
    words = safe_markdown(read_notes(notes))
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = NOTES_HERE.sub(lambda found: (found["heading"] or "") + words if words else "", cell.source)
    notebook.cells.insert(1, nbformat.v4.new_code_cell(inputs))
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": {"name": NATIVE_KERNEL_NAME, "display_name": "Python 3", "language": "python"}}
    )
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata = nbformat.from_dict({})
    return notebook


def write_notebook(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook as a file, atomically."""
    write_text(path, nbformat.writes(notebook) + "\n")


def check_results(manifest: Manifest, run: Path) -> None:
    """Check that the results are still those of the manifest, so that no report mixes old numbers with new ones.

    Raises:
        UserError: names the first file whose hash is not the one in the manifest.
    """
    for name, sha256 in sorted(manifest.artefacts.items()):
        if name.endswith(_UNREAD):
            continue
        path = run / name
        if not path.is_file() or sha256_of(path) != sha256:
            raise UserError(
                f"{path} is not the file that {run / 'manifest.json'} was made from",
                remedy=f"run {how_to_make(manifest.run)}, which brings all results up to date",
            )


def _title_block(source: str, config: dict[str, Any], scripts: str) -> str:
    """Add language, title, author and course to the document's metadata, each as text and not as Markdown."""
    block = yaml.safe_load(source.strip().strip("-")) or {}
    for key in ("execute", "filters"):  # for the document alone; the notebook's are in the project's file
        block.pop(key, None)
    block["lang"] = config["report_language"]
    block["title"] = inert(escape(config["title"]))
    for key, name in (("course", "subtitle"), ("author", "author")):
        if config[key]:
            block[name] = inert(escape(config[key]))
    if scripts:
        block["header-includes"] = scripts
    return f"---\n{yaml.safe_dump(block, allow_unicode=True, sort_keys=False, width=10_000)}---"


def _inputs_cell(manifest: Manifest) -> str:
    """Write a cell whose source changes with the results and with the code that reads them.

    An execution is kept under the source of its cells, so without this cell old numbers would be shown. The notes
    are left out: they are text that no cell reads, so a new sentence there executes nothing.
    """
    state = {key: value for key, value in vars(manifest).items() if key != "inputs"}
    state["inputs"] = {key: value for key, value in manifest.inputs.items() if key != manifest.config["notes"]}
    reporting = code_digest("reporting") + catalogue_digest(manifest.config["report_language"])
    results = hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()
    return (
        "#| label: inputs\n#| include: false\n"
        "# What this notebook was made from. Other results or other code make another notebook.\n"
        f'RUN = {manifest.run!r}\nRESULTS = "{results}"\nREPORTING = "{reporting}"\n{guard()}'
    )
