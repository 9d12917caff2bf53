"""Check that a command was started where the workflow's code is: an installed package has no Snakefile."""

from pathlib import Path

from samizdat.base.errors import UserError


def require_project(folder: Path) -> None:
    """Refuse a folder without the workflow.

    Raises:
        UserError: there is no Snakefile in it.
    """
    if not (folder / "Snakefile").is_file():
        raise UserError(f"{folder} is not the project's folder", remedy="start this where the Snakefile is")
