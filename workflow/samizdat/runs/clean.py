"""`samizdat clean`: what takes how much disk, and what of it to keep. Nothing goes that nobody named."""

import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from samizdat.base import disk
from samizdat.base.errors import UserError

# Below work/<run>/: compiled kernels, and what a plain rerun would put back or go on from.
COMPILED = ("compiled", "executed", "matplotlib", "ipython", "jupyter")


@dataclass(frozen=True)
class Share:
    """Files that are kept or deleted together."""

    name: str  # what one types to have it deleted
    meaning: str  # what it costs to be without it
    paths: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Bytes on the disk; a file that has two names here counts once."""
        return disk.size_of_all(self.paths)


def shares() -> list[Share]:
    """What the checkout in the current folder holds beside its code, in the order in which it is shown."""
    work, results = Path("work"), Path("results")
    common = {"downloads", "fetch", ".verify"}
    runs = sorted(path for path in _children(work) if path.is_dir() and path.name not in common)
    compiled = sorted(path for run in runs for path in run.rglob("*") if path.is_dir() and path.name in COMPILED)
    return [
        Share("results", "reports, models, tables, bundles: a run makes them again",
              (*_children(results), Path(".snakemake"))),
        Share("state", "states to go on from, finished models and scores: the next change computes anew",
              (*runs, *sorted(work.glob("scores.sqlite*")))),
        Share("compiled", "compiled kernels and executed notebooks, a part of state: the next run is slower",
              tuple(compiled)),
        Share("downloads", "archives from the package registry: they are fetched again",
              (work / "downloads", work / "fetch")),
        Share("verify", "what `make verify` made again and left for you to look at", (work / ".verify",)),
        Share("logs", "what each step said", (Path("logs"), Path(".snakemake/log"))),
    ]  # fmt: skip


def clean(names: Iterable[str], *, everything: bool, ask: Callable[[str], str] | None) -> str:
    """Show what takes how much disk, and delete what is named or, at a terminal, what is not kept.

    Args:
        names: shares to delete without a question.
        everything: delete all of them without a question.
        ask: shows a question and returns what was typed; None where there is nobody to ask: then nothing goes
            that is not named.

    Returns:
        What was freed, for people.

    Raises:
        UserError: there is no share of such a name.
    """
    there = [share for share in shares() if share.size]
    known = {share.name for share in shares()}
    if unknown := sorted(set(names) - known):
        raise UserError(f"there is no {unknown[0]!r} to delete", remedy=f"name some of {', '.join(sorted(known))}")
    for share in there:
        print(f"{share.size / 1e6:>10,.1f} MB  {share.name:<10}  {share.meaning}")
    if not there:
        return "There is nothing to delete."
    chosen = [share for share in there if everything or share.name in names]
    if not chosen and ask is None:
        return "Nothing was deleted. To delete all: make clean ALL=1. Some: make clean WHAT='logs verify'"
    if not chosen:
        chosen = [share for share in there if ask(f"Keep {share.name}? [Y/n] ").strip().lower() in ("n", "no")]
    freed = disk.size_of_all([path for share in chosen for path in share.paths])
    for path in (path for share in chosen for path in share.paths):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return f"Deleted: {', '.join(share.name for share in chosen) or 'nothing'} ({freed / 1e6:,.1f} MB)"


def asker() -> Callable[[str], str] | None:
    """How to ask the person at the terminal; None where there is none."""
    return input if sys.stdin.isatty() and sys.stdout.isatty() else None


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
