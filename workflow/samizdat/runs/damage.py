"""Find results that are damaged or were edited, so that the run that begins makes them again."""

import itertools
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from samizdat.base.errors import UserError
from samizdat.base.files import checksum_file, not_intact, sha256_of, writer_of

# Tells the Snakefile not to look for damaged results: the run that starts it has looked.
UNCHECKED = "SAMIZDAT_UNCHECKED"


def damaged(outputs: Iterable[str], archives: Iterable[str], pins: Path) -> list[str]:
    """List the outputs of a workflow that are there and are not what their step wrote, and tell each at the terminal.

    Every file is read in full, whatever its date.

    Args:
        outputs: files that the workflow declares.
        archives: downloads; one that was put there by hand has no checksum, and must have a hash that is pinned.
        pins: requirements with the hashes of the downloads.

    Raises:
        UserError: a file can't be read.
    """
    if os.environ.get(UNCHECKED):
        return []
    try:
        return _damaged(outputs, archives, pins)
    except OSError as error:
        raise UserError(
            f"{error.filename} can't be read: {error.strerror}",
            remedy="look at the disk; if you may not read the file, allow it (chmod u+r), or delete it, and it is made "
            "again",
        ) from None


def _damaged(outputs: Iterable[str], archives: Iterable[str], pins: Path) -> list[str]:
    downloads = [path for name in archives if (path := Path(name)).is_file()]
    by_hand = [path for path in downloads if not checksum_file(path).is_file()]
    pinned = pins.read_text(encoding="utf-8") if by_hand else ""
    unknown = [path for path in by_hand if f"--hash=sha256:{sha256_of(path)}" not in pinned]
    found = [*not_intact([*map(Path, outputs), *(path for path in downloads if path not in by_hand)]), *unknown]
    for path in found:
        why = f"is damaged or was edited: it is not the file that {writer_of(path)} wrote"
        if path in unknown:
            why = f"has another SHA-256 than {pins} pins"
        elif not checksum_file(path).is_file():
            why = "has no checksum, so nobody knows whether it is whole"
        print(f"! {path} {why}; it is made again", file=sys.stderr, flush=True)
    return [str(path) for path in found]


def make_again(workflow: Any, files: Iterable[str]) -> None:
    """Let Snakemake make files again, as its option `--forcerun` does, whose value it reads after the Snakefile."""
    prepare, wanted = workflow._prepare_dag, frozenset(files)

    def prepare_with_files(*arguments: Any, **named: Any) -> Any:
        workflow.dag_settings.forcerun = frozenset(workflow.dag_settings.forcerun) | wanted
        return prepare(*arguments, **named)

    workflow._prepare_dag = prepare_with_files


def set_aside(reports: Iterable[str]) -> None:
    """Rename notebooks and pages that a person may have edited, because making them again would delete the edit."""
    for path in map(Path, reports):
        numbers = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
        names = (path.with_name(f"{path.stem}.edited{number}{path.suffix}") for number in numbers)
        aside = next(name for name in names if not os.path.lexists(name))  # an earlier edit stays, too
        path.replace(aside)
        print(f"! {path} is now {aside}", file=sys.stderr, flush=True)
