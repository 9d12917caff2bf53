"""Read a plain notebook as somebody who opens it would, and run it with kernels that have the package or don't."""

import json
import re
import sys
from pathlib import Path

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

# Quarto's own syntax: options of cells, divisions, attributes, references, shortcodes.
RAW_SYNTAX = re.compile(r"^#\||^\s*>?\s*:::|\]?\{[#.=]\w|(?<!\w)@(?:fig|tbl|sec)-|\{\{<", re.MULTILINE)
# A Python of another environment: it has a kernel, and no package samizdat.
WITHOUT_PACKAGE = (
    "import sys; sys.modules['samizdat'] = None; from ipykernel import kernelapp; kernelapp.launch_new_instance()"
)


def words_of(notebook: NotebookNode) -> list[str]:
    """The sources of the Markdown cells."""
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def raw_syntax(notebook: NotebookNode) -> list[str]:
    """What of Quarto's syntax a reader sees in the Markdown of cells and outputs, and in the code."""
    shown = [cell.source for cell in notebook.cells]
    shown += [
        output.get("data", {}).get("text/markdown", "") for c in notebook.cells for output in c.get("outputs", ())
    ]
    return [found.group() for text in shown for found in RAW_SYNTAX.finditer(text)]


def run_again(
    notebook: Path, kernels: Path, *, with_package: bool = True, to_the_end: bool = False
) -> tuple[NotebookNode, str]:
    """Run the cells of a notebook in its folder, up to one that fails, or all; return it and the failed cell's message.

    After the failure of one cell Jupyter sends others, too, if they were not waiting yet.
    """
    cells = nbformat.read(notebook, as_version=4)
    program = ["-m", "ipykernel_launcher"] if with_package else ["-c", WITHOUT_PACKAGE]
    (kernels / "one").mkdir(parents=True, exist_ok=True)
    spec = {"argv": [sys.executable, *program, "-f", "{connection_file}"], "display_name": "One", "language": "python"}
    (kernels / "one" / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    manager = AsyncKernelManager(
        kernel_name="one", kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(kernels)], ensure_native_kernel=False)
    )
    client = NotebookClient(
        cells, km=manager, timeout=300, allow_errors=to_the_end, resources={"metadata": {"path": str(notebook.parent)}}
    )
    try:
        client.execute()
    except CellExecutionError as error:
        return cells, error.evalue
    return cells, ""
