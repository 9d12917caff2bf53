"""Only one start of a run at a time: two would take each other's half-written files for results."""

from contextlib import ExitStack, suppress
from pathlib import Path

from samizdat.base.errors import UserError
from samizdat.base.files import locked

_held = ExitStack()  # until this process ends


def be_the_only_start(work: Path) -> None:
    """Lock a run until this process ends, however it ends.

    Args:
        work: the run's folder below `work/`.

    Raises:
        UserError: another Snakemake is at work on this run.
    """
    path = work / "lock"
    # On a disk that is full or read-only the first step says so.
    with suppress(OSError):
        try:
            _held.enter_context(locked(path, patience_seconds=1.0))
        except UserError:
            raise UserError(
                f"another Snakemake is at work on this run (it holds the lock {path})",
                remedy="wait until it ends, or stop it, and start again; you need not delete the lock",
            ) from None
