"""Where the workflow's own files are: in the folder that a command was started in, a checkout, or installed."""

import shutil
import sys
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from samizdat.base.digest import PACKAGE
from samizdat.base.errors import UserError

# The folder of the project's files below that of an installation's data (pyproject.toml).
INSTALLED = "share/samizdat"
NOTES = "report/notes.md"


def project_folder() -> Path:
    """Return the folder of the Snakefile, `report/`, `config/` and `envs/` that belong to this code.

    Raises:
        UserError: the package was installed without them.
    """
    here, checkout = Path(), PACKAGE.parents[1]
    for folder in (here, checkout):
        if (folder / "Snakefile").is_file() and (folder / "workflow" / "samizdat").is_dir():
            return folder
    try:
        installed = files("samizdat") or []
    except PackageNotFoundError:
        installed = []
    for file in installed:
        if file.as_posix().endswith(f"{INSTALLED}/Snakefile"):
            return Path(file.locate()).resolve().parent
    raise UserError(
        f"{PACKAGE} has no Snakefile beside it, nor was one installed with it",
        remedy="start this in the project's folder, or install the package by pip or uv",
    )


def own(name: str) -> str:
    """Name a file of the project from the folder that a command was started in; unchanged if that is the project's."""
    return (project_folder() / name).as_posix()


def write_missing_notes(notes: object) -> None:
    """Write the project's own empty notes where a folder that only uses the workflow has none, and tell it.

    Raises:
        UserError: they can't be written.
    """
    if notes == NOTES and project_folder() != Path() and not Path(NOTES).exists():
        try:
            Path(NOTES).parent.mkdir(exist_ok=True)
            shutil.copyfile(own(NOTES), NOTES)
        except OSError as error:
            raise UserError(
                f"{NOTES} can't be written: {error.strerror}", remedy="name another file as `notes` in the config"
            ) from None
        print(f"· {NOTES} is new: it is for your own words in the report", file=sys.stderr, flush=True)
