"""The manifest of a run."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samizdat.base.errors import UserError
from samizdat.base.wording import how_to_make
from samizdat.records.io import read_document


@dataclass(frozen=True)
class Manifest:
    """`manifest.json`: everything that the report depends on and that a second run would repeat."""

    run: str
    config: dict[str, Any]
    inputs: dict[str, str]  # file of the user → SHA-256
    artefacts: dict[str, str]  # path below results/<run>/ → SHA-256
    versions: dict[str, str]  # package → version
    python: str
    commit: str  # git commit of the workflow, or "unknown"
    clean: bool  # whether the working tree had no changes since the commit
    rules: list[list[str]]  # edges of the rule graph: [rule, rule that follows it]


def manifest_of(run: Path) -> Manifest:
    """Read the manifest of a run that a person named, such as `results/demo`.

    Raises:
        UserError: there is no such run, it is not finished, or its manifest is damaged.
    """
    if not (run / "manifest.json").is_file():
        what = f"{run} is no finished run" if run.exists() else f"there is no run {run}"
        raise UserError(what, remedy=_which_runs(run))
    return read_document(Manifest, run / "manifest.json")


def _which_runs(run: Path) -> str:
    """Say what to do about a run that is not there: which others are."""
    if run.is_file():
        return "name the folder of a run, such as results/demo; unpack a bundle first"
    for folder in (run.parent, Path("results")):
        if names := sorted(path.parent.name for path in folder.glob("*/manifest.json")):
            others = f"name one of those in {folder}: {', '.join(names)}"
            return f"finish it with {how_to_make(run.name)}, or {others}" if (run / "config.json").is_file() else others
    return f"make it first, with {how_to_make(run.name)}; or start this in the folder of results/"
