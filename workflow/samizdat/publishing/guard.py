"""Write the code that stops a notebook which was opened where it can't run."""

from string import Template

from samizdat.base.language import message, said_raw

# It imports nothing that a Python may lack. Its sentences are inside of f-strings.
_CODE = Template("""
import os
import shlex
import sys
from pathlib import Path


class CannotRunAgain(Exception):
    def _render_traceback_(self):  # Jupyter shows the message alone
        return [str(self)]


def explain(*_, **__):
    print("$later")


def stop(*how):
    # Jupyter may send later cells although the first one failed; they shall not complain of missing names.
    get_ipython().set_custom_exc((NameError, ImportError), explain)
    raise CannotRunAgain(
        "$complete\\n$again "
        + "\\n".join(how)
    ) from None


get_ipython().set_custom_exc((), None)  # of an earlier try
try:
    import samizdat.reporting
except ImportError as error:
    project = Path("../../..").resolve()
    if (project / "workflow" / "samizdat").is_dir():
        stop(
            f"$kernel",
            "$no_kernel",
            f"cd {shlex.quote(str(project))} && make .venv/ready && .venv/bin/python -m ipykernel install --user"
            " --name samizdat --display-name Samizdat",
        )
    stop(
        f"$no_project",
        f"$here",
    )
if not Path(os.environ.get("SAMIZDAT_RUN", ".."), "manifest.json").is_file():
    stop(
        f"$no_run"
    )
""")
# What is in braces is Python of the cell.
_SENTENCES = {
    "later": message("This cell needs the first cell of code, which says why it stopped."),
    "complete": message("This notebook is complete as it is. Close it without saving to keep the outputs."),
    "again": message("To run it again:"),
    "kernel": message("choose the kernel “Samizdat”. This one is {sys.executable}, and says: {error}."),
    "no_kernel": message("Where there is no such kernel, one command adds it (then open the notebook again):"),
    "no_project": message(
        "you need the project's folder with the run {RUN}. There, open results/{RUN}/report/report.ipynb."
    ),
    "here": message("(Here, the folder is {Path.cwd()}, and the kernel {sys.executable} says: {error}.)"),
    "no_run": message(
        "open it in the project's folder results/{RUN}/report/, or set the environment variable SAMIZDAT_RUN to the "
        "folder of a finished run."
    ),
}


def guard() -> str:
    """Return the code, which says in the report's language why it stops and what to do."""
    return _CODE.substitute({name: said_raw(sentence) for name, sentence in _SENTENCES.items()}).rstrip()
