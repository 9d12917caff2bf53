"""Execute a notebook in a kernel of its own, once for each state of its cells, and keep the executions."""

import atexit
import copy
import hashlib
import json
import logging
import os
import re
import shutil
import tempfile
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from sqlalchemy.exc import SQLAlchemyError

from samizdat.base import free_space
from samizdat.base.errors import UserError
from samizdat.base.files import not_intact, write_checksum
from samizdat.publishing.cells import cell_options
from samizdat.publishing.missing_letters import missing_in_figures
from samizdat.publishing.shown import finish

log = logging.getLogger("samizdat")

KEPT_EXECUTIONS = 20
_CHECKSUM = "sha256"
_MERGED_METADATA = ("kernelspec", "language_info", "widgets")  # what jupyter-cache takes from a kept execution
_KERNEL_BYTES = 1_000_000  # IPython's history and matplotlib's list of fonts, with room
_FONT_LISTS = "fontlist-*.json"
# What jupyter-cache raises where it has no such execution (KeyError), or where its files are damaged.
_DAMAGED = (KeyError, ValueError, OSError, RuntimeError, SQLAlchemyError)


def execute(notebook: NotebookNode, document: Path, run: Path, work: Path, threads: int) -> tuple[NotebookNode, bool]:
    """Return the notebook with its outputs, from an earlier execution of the same cells where there is one.

    Args:
        notebook: as `make_notebook` returns it.
        document: the file that its cells were read from, for messages.
        run: the results folder that the cells read.
        work: where jupyter-cache and the kernel keep their files.
        threads: of the numeric libraries.

    Returns:
        The executed notebook, and whether it had to be executed now.

    Raises:
        UserError: a cell failed, or the kernel died.
    """
    folder = work / "executed"
    merged = _kept(folder, notebook)
    executed = merged is None or bool(missing_in_figures(merged))  # a font with the letters may have been installed
    if merged is None or executed:
        complete = _execute_fresh(notebook, document, run, work, threads)
        try:
            _keep(folder, complete, document.name)
        except _DAMAGED:
            shutil.rmtree(folder)
            _keep(folder, complete, document.name)
        merged = _merged(notebook, complete)
    finish(merged)
    nbformat.validate(merged)
    return merged, executed


def _kept(folder: Path, notebook: NotebookNode) -> NotebookNode | None:
    """Return the notebook with the outputs of a kept execution; None if there is none, or a damaged one."""
    cache = get_cache(folder)
    try:
        key, merged = cache.merge_match_into_notebook(notebook)
        intact = cache.get_cache_record(key).data.get(_CHECKSUM) == _checksum(merged)
    except _DAMAGED:
        return None
    return merged if intact else None


def _merged(notebook: NotebookNode, executed: NotebookNode) -> NotebookNode:
    """Return the notebook with the outputs of its execution."""
    merged = copy.deepcopy(notebook)
    merged.metadata |= executed.metadata
    for cell, done in zip(merged.cells, executed.cells, strict=True):
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = done.outputs, done.execution_count
    return merged


def _keep(folder: Path, executed: NotebookNode, name: str) -> None:
    """Keep an execution, with a checksum, and forget the oldest ones."""
    cache = get_cache(folder)
    cache.change_cache_limit(KEPT_EXECUTIONS)
    cache.cache_notebook_bundle(CacheBundleIn(executed, name, data={_CHECKSUM: _checksum(executed)}), overwrite=True)


def _checksum(notebook: NotebookNode) -> str:
    """Compute the SHA-256 of all that a kept execution gives a notebook, as a file has it."""
    cells = [{**cell, "id": None} for cell in notebook.cells if cell.cell_type == "code"]
    given = cells, [notebook.metadata.get(key) for key in _MERGED_METADATA]
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()


def _execute_fresh(notebook: NotebookNode, document: Path, run: Path, work: Path, threads: int) -> NotebookNode:
    """Execute every cell of a copy; name the cell that fails."""
    free_space.require({work: _KERNEL_BYTES}, "the notebook's execution")
    notebook = copy.deepcopy(notebook)
    work.mkdir(parents=True, exist_ok=True)
    # matplotlib's list of fonts: with a damaged one, figures could have other letters.
    fonts = work / "matplotlib"
    for path in not_intact(fonts.glob(_FONT_LISTS)):
        path.unlink()
    try:
        _run_cells(notebook, work, _environment(run, work, threads))
        for path in fonts.glob(_FONT_LISTS):
            write_checksum(path)
    except CellExecutionError as error:
        log.error("%s", re.sub(r"\x1b\[[\d;]*m", "", str(error)))
        label, name, value = next(failure for cell in notebook.cells if (failure := _failure(cell)))
        raise UserError(
            f"the cell {label!r} of {document} fails: {name}: {value}",
            remedy="correct the code of the cell; the log has the traceback",
        ) from None
    except RuntimeError as error:  # nbclient's DeadKernelError, or jupyter-client's, where it dies before it begins
        raise UserError(
            f"the kernel died while it executed {document} ({error})",
            remedy="it may have run out of memory; close other programs and run the same command again",
        ) from None
    return notebook


def _run_cells(notebook: NotebookNode, work: Path, environment: dict[str, str]) -> None:
    """Execute the cells in a new kernel of this interpreter, and write the outputs into the notebook."""
    # Without folders of kernels, the name means the interpreter that runs this, and no kernel that the user installed.
    kernels = KernelSpecManager(kernel_dirs=[], ensure_native_kernel=True)
    # The kernel's sockets are in a folder that only this user may enter. Paths of sockets must be short.
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
            client.execute(env=environment)
        finally:
            if manager.has_kernel:
                run_sync(manager.shutdown_kernel)(now=True)
            # Where a kernel dies before it begins, nbclient leaves this to the end of Python, which would print an
            # error of its own, because there is nothing to clean up any more.
            atexit.unregister(client._cleanup_kernel)


def _environment(run: Path, work: Path, threads: int) -> dict[str, str]:
    """Return the kernel's environment: the run, a fixed number of threads, and none of the user's own settings."""
    foreign = ("MATPLOTLIBRC", "PYTHONSTARTUP", "PYTHONWARNINGS")
    counts = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    private = {"IPYTHONDIR": "ipython", "MPLCONFIGDIR": "matplotlib", "JUPYTER_CONFIG_DIR": "jupyter"}
    return (
        {key: value for key, value in os.environ.items() if key not in foreign}
        | {key: str((work / folder).absolute()) for key, folder in private.items()}
        | dict.fromkeys(counts, str(threads))
        | {"SAMIZDAT_RUN": str(run.absolute()), "MPLBACKEND": "agg", "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}
    )


def _failure(cell: NotebookNode) -> tuple[str, str, str] | None:
    """Return the label of a cell that failed, the name of its error and the message; None for any other cell."""
    for output in cell.get("outputs", ()):
        if output.output_type == "error":
            return cell_options(cell.source).get("label", cell.id), output.ename, output.evalue
    return None
