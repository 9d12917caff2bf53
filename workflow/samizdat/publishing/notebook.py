"""The report's notebook: made from its document, executed once for each state of results and code."""

import copy
import hashlib
import json
import logging
import os
import re
import tempfile
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import yaml
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode

from samizdat.base.digest import code_digest
from samizdat.base.errors import UserError
from samizdat.base.escaping import attribute, escape
from samizdat.base.files import sha256_of
from samizdat.publishing.notes import safe_markdown
from samizdat.records.io import read_document
from samizdat.records.run import Manifest

log = logging.getLogger("samizdat")

NOTES_HERE = re.compile(r"^(?P<heading>#+ [^\n]*\n\s*)?\{\{< include notes\.md >\}\}", flags=re.MULTILINE)
KEPT_EXECUTIONS = 20
# Pages of prose need no figure of eight times their size; weights are no part of a report.
_UNREAD = (".safetensors",)


def make_notebook(document: Path, notes: Path, run: Path) -> NotebookNode:
    """The unexecuted notebook of a run: title block and notes filled in, and a cell that names its inputs.

    Args:
        document: the report as `.qmd`.
        notes: the user's own words, Markdown; where they are empty their section is left out.
        run: the results folder, with `manifest.json`.

    Raises:
        UserError: the results are not those that the manifest was made from, or the document is malformed.
    """
    manifest = read_document(Manifest, run / "manifest.json")
    check_results(manifest, run)
    notebook = jupytext.reads(document.read_text(encoding="utf-8"), fmt="Rmd")
    if not notebook.cells or notebook.cells[0].cell_type != "raw":
        raise UserError(
            f"{document} does not begin with a block of metadata between two lines of ---",
            remedy="restore its first lines; `lang: en` is enough",
        )
    notebook.cells[0].source = _title_block(notebook.cells[0].source, manifest.config)
    words = safe_markdown(_read_notes(notes))
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = NOTES_HERE.sub(lambda found: (found["heading"] or "") + words if words else "", cell.source)
    notebook.cells.insert(1, nbformat.v4.new_code_cell(_inputs_cell(manifest)))
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": {"name": NATIVE_KERNEL_NAME, "display_name": "Python 3", "language": "python"}}
    )
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata = nbformat.from_dict({})
    return notebook


def _read_notes(notes: Path) -> str:
    try:
        return notes.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{notes} is not UTF-8: its byte {error.start} can't be read", remedy="save the file as UTF-8"
        ) from None


def check_results(manifest: Manifest, run: Path) -> None:
    """Refuse results that changed behind the manifest's back, lest old numbers stand beside new ones.

    Raises:
        UserError: names the first file that is not the one whose hash the manifest has.
    """
    for name, sha256 in sorted(manifest.artefacts.items()):
        if name.endswith(_UNREAD):
            continue
        path = run / name
        if not path.is_file() or sha256_of(path) != sha256:
            raise UserError(
                f"{path} is not the file that {run / 'manifest.json'} was made from",
                remedy="run `make report` (or snakemake with the run's config), which brings all results up to date",
            )


def _title_block(source: str, config: dict[str, Any]) -> str:
    """The document's metadata with the config's title, author and course, each as text and not as Markdown."""
    block = yaml.safe_load(source.strip().strip("-")) or {}
    block["title"] = _title(config["title"])
    for key, name in (("course", "subtitle"), ("author", "author")):
        if config[key]:
            block[name] = _title(config[key])
    return f"---\n{yaml.safe_dump(block, allow_unicode=True, sort_keys=False, width=10_000)}---"


def _title(text: str) -> str:
    """Text escaped, and no two braces beside each other: Quarto runs shortcodes in metadata that pandoc has read."""
    return re.sub(r"(&#12[35];)(?=&#12[35];)", r"\1<span></span>", escape(text))


def _inputs_cell(manifest: Manifest) -> str:
    """A cell whose source changes with the results and with the code that reads them.

    jupyter-cache knows an execution by its cells; without this one it would show old numbers. The notes are
    left out: they are prose, and a new sentence executes nothing.
    """
    state = {key: value for key, value in vars(manifest).items() if key != "inputs"}
    state["inputs"] = {key: value for key, value in manifest.inputs.items() if key != manifest.config["notes"]}
    results = hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()
    return (
        "#| label: inputs\n#| include: false\n"
        "# What this notebook was made from. Other results or other code make another notebook.\n"
        f'RESULTS = "{results}"\nREPORTING = "{code_digest("reporting")}"'
    )


def execute(notebook: NotebookNode, document: Path, run: Path, work: Path, threads: int) -> tuple[NotebookNode, bool]:
    """The notebook with its outputs, and whether it had to be executed for them.

    Args:
        notebook: as `make_notebook` gives it.
        document: where its cells stand, for messages.
        run: the results folder that the cells read.
        work: where jupyter-cache and the kernel keep their files.
        threads: of the numeric libraries.

    Raises:
        UserError: a cell failed; names it and its error.
    """
    cache = get_cache(work / "executed")
    cache.change_cache_limit(KEPT_EXECUTIONS)
    executed = False
    try:
        _, merged = cache.merge_match_into_notebook(notebook)
    except (KeyError, ValueError):  # never executed, or a kill left half a file
        complete = _execute_fresh(notebook, document, run, work, threads)
        cache.cache_notebook_bundle(CacheBundleIn(complete, document.name), overwrite=True)
        _, merged = cache.merge_match_into_notebook(notebook)
        executed = True
    for cell in merged.cells:
        _tell_alternative_text(cell)
    nbformat.validate(merged)
    return merged, executed


def _execute_fresh(notebook: NotebookNode, document: Path, run: Path, work: Path, threads: int) -> NotebookNode:
    """Execute every cell in a new kernel of this interpreter, undisturbed by the user's own settings."""
    notebook = copy.deepcopy(notebook)
    work.mkdir(parents=True, exist_ok=True)
    # No folder of kernels: the name falls to the interpreter that runs this.
    kernels = KernelSpecManager(kernel_dirs=[], ensure_native_kernel=True)
    try:
        # A folder with a short name, since it holds sockets, that nobody else may enter.
        with tempfile.TemporaryDirectory(prefix="samizdat-") as sockets:
            manager = AsyncKernelManager(
                kernel_name=NATIVE_KERNEL_NAME, kernel_spec_manager=kernels, transport="ipc", ip=f"{sockets}/kernel",
                connection_file=f"{sockets}/kernel.json",
            )  # fmt: skip
            client = NotebookClient(
                notebook, km=manager, timeout=None, startup_timeout=300, record_timing=False,
                resources={"metadata": {"path": str(work)}},
            )  # fmt: skip
            try:
                client.execute(env=_environment(run, work, threads))
            finally:
                if manager.has_kernel:
                    run_sync(manager.shutdown_kernel)(now=True)
    except CellExecutionError as error:
        log.error("%s", re.sub(r"\x1b\[[\d;]*m", "", str(error)))
        failed = next(cell for cell in notebook.cells if _error_of(cell))
        name, value = _error_of(failed)
        raise UserError(
            f"the cell {cell_options(failed.source).get('label', failed.id)!r} of {document} fails: {name}: {value}",
            remedy="correct the cell, or what it says of the results; the log has the traceback",
        ) from None
    except DeadKernelError:
        raise UserError(
            f"the kernel died while it executed {document}",
            remedy="it may have run out of memory; close other programs and run the same command again",
        ) from None
    return notebook


def _environment(run: Path, work: Path, threads: int) -> dict[str, str]:
    """The kernel's environment: the run, fixed threads, and no settings from outside."""
    foreign = ("MATPLOTLIBRC", "PYTHONSTARTUP", "PYTHONWARNINGS")
    counts = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    private = {"IPYTHONDIR": "ipython", "MPLCONFIGDIR": "matplotlib", "JUPYTER_CONFIG_DIR": "jupyter"}
    return (
        {key: value for key, value in os.environ.items() if key not in foreign}
        | {key: str((work / folder).absolute()) for key, folder in private.items()}
        | dict.fromkeys(counts, str(threads))
        | {"SAMIZDAT_RUN": str(run.absolute()), "MPLBACKEND": "agg", "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}
    )


def _error_of(cell: NotebookNode) -> tuple[str, str] | None:
    errors = [output for output in cell.get("outputs", ()) if output.output_type == "error"]
    return (errors[0].ename, errors[0].evalue) if errors else None


def cell_options(source: str) -> dict[str, Any]:
    """The options in the `#|` lines that a cell begins with.

    Raises:
        UserError: they are no YAML mapping.
    """
    lines = re.match(r"(?:#\|[^\n]*\n?)*", source).group().splitlines()
    try:
        options = yaml.safe_load("\n".join(line.removeprefix("#|") for line in lines)) or {}
    except yaml.YAMLError:
        options = None
    if not isinstance(options, dict):
        raise UserError(
            f"these options of a cell are no YAML: {' '.join(lines)}",
            remedy="write one `#| key: value` a line, with quotes around values that hold a colon",
        )
    return options


def _tell_alternative_text(cell: NotebookNode) -> None:
    """Give a figure's cell the option `fig-alt` with what its picture says of itself."""
    for output in cell.get("outputs", ()):
        alternative = output.get("metadata", {}).get("image/png", {}).pop("alt", None)
        if alternative and "fig-alt" not in cell_options(cell.source):
            options = re.match(r"(?:#\|[^\n]*\n)*", cell.source).group()
            line = f'#| fig-alt: "{attribute(alternative)}"\n'
            cell.source = options + line + cell.source[len(options) :]
