"""Show how much disk the results, states and caches take, and delete what the user names (`samizdat clean`)."""

import re
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from samizdat.base import free_space
from samizdat.base.errors import UserError
from samizdat.base.files import checksum_file, locked

# Folders of work/<run>/ with compiled kernels and caches: a run makes them again, more slowly.
COMPILED = ("compiled", *(f"report/{name}" for name in ("executed", "matplotlib", "ipython", "jupyter")))

# What nothing but this project has. Anywhere else, such as in a home folder, `work` and `results` are somebody's own.
_OURS = ("workflow/samizdat", "work/*/lock", "work/.verify", "results/*/config.json")
# Who makes a run, or makes one again, holds one of these.
_LOCKS = ("work/*/lock", "work/.verify/*.lock")


@dataclass(frozen=True)
class Share:
    """Files that are kept or deleted together."""

    name: str  # what the user types to delete it
    meaning: str  # what it contains, and what deleting it costs
    paths: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Bytes on the disk."""
        return free_space.size_of_all(self.paths)


def shares() -> list[Share]:
    """List what the current folder contains of this project besides code and texts, in the order of display.

    A clone is the project's. In another folder another Snakefile may be at work, too: only what runs of this project
    wrote is listed, and nothing of `.snakemake`, which all share.
    """
    work, clone = Path("work"), Path("workflow/samizdat").is_dir()
    common = {"downloads", "fetch", ".verify"}
    runs = [path for path in _children(work) if path.is_dir() and path.name not in common and (clone or _is_own(path))]
    compiled = [path for run in runs for place in COMPILED if (path := run / place).is_dir()]
    downloads = [path for path in _children(work / "downloads") if checksum_file(path).is_file()]
    fetched = (*downloads, *map(checksum_file, downloads))
    logs = [path for path in _children(Path("logs")) if _is_own(work / path.name)]
    return [
        Share("results", "reports, models, tables, bundles: a run makes them again",
              (*filter(_is_of_a_run, _children(Path("results"))), *([Path(".snakemake")] if clone else []))),
        Share("state", "states to resume from, finished models and scores: the next change computes them again",
              tuple(runs)),
        Share("compiled", "compiled kernels and executed notebooks, a part of state: the next run is slower",
              tuple(compiled)),
        Share("downloads", "archives from the package registry: the next run downloads them again",
              (work / "downloads", work / "fetch") if clone else fetched),
        Share("verify", "runs that `make verify` made again and kept because they differ", (work / ".verify",)),
        Share("logs", "the log of each step", (Path("logs"), Path(".snakemake/log")) if clone else tuple(logs)),
    ]  # fmt: skip


def clean(names: Sequence[str], *, everything: bool, ask: Callable[[str], str] | None) -> str:
    """Print how much disk each share takes, then delete those that are named or, at a terminal, not to be kept.

    Args:
        names: shares to delete without a question; no other one is asked about.
        everything: delete all shares without a question.
        ask: shows a question and returns the answer; None where nobody can answer: then only named shares are
            deleted.

    Returns:
        A line that says what was deleted.

    Raises:
        UserError: there is no share of such a name, the current folder has no runs of this project, or one is being
            made.
    """
    found = [share for share in shares() if share.size]
    known = {share.name for share in shares()}
    if unknown := sorted(set(names) - known):
        raise UserError(f"there is no {unknown[0]!r} to delete", remedy=f"name some of {', '.join(sorted(known))}")
    if not any(any(Path().glob(pattern)) for pattern in _OURS):
        raise UserError(
            f"{Path.cwd()} has no runs of this project, so its folders work, results and logs are something else",
            remedy="start this in the project's folder, or in one that has its runs",
        )
    for share in found:
        print(f"{share.size / 1e6:>10,.1f} MB  {share.name:<10}  {share.meaning}")
    if not found:
        return "There is nothing to delete."
    chosen = [share for share in found if everything or share.name in names]
    if names and not chosen:
        return f"There is nothing to delete in {', '.join(names)}."
    if not chosen:
        if ask is None:
            return "Nothing was deleted. To delete all: make clean ALL=1. Some: make clean WHAT='logs verify'"
        chosen = [share for share in found if ask(f"Keep {share.name}? [Y/n] ").strip().lower() in ("n", "no")]
    freed = free_space.size_of_all([path for share in chosen for path in share.paths])
    with ExitStack() as held:
        for lock in [path for pattern in _LOCKS if chosen for path in Path().glob(pattern)]:
            held.enter_context(locked(lock, patience_seconds=0))
        for path in (path for share in chosen for path in share.paths):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    return f"Deleted: {', '.join(share.name for share in chosen) or 'nothing'} ({freed / 1e6:,.1f} MB)"


def asker() -> Callable[[str], str] | None:
    """Return the function that asks the person at the terminal; None where there is no terminal."""
    return _answer if sys.stdin.isatty() and sys.stdout.isatty() else None


def _answer(question: str) -> str:
    try:
        return input(question)
    except EOFError:  # Control-D, which says as little as the return key
        print()
        return ""


def _is_own(work: Path) -> bool:
    """Whether a folder in `work/` is that of a run, or has the scores of all runs; of a run `results/` may be left."""
    if work.name == "scores":
        return all(re.fullmatch("[0-9a-f]+", path.name) for path in _children(work))
    named = (work / "lock", work / "contents.json", Path("results", work.name, "config.json"))
    return any(path.is_file() for path in named)


def _is_of_a_run(path: Path) -> bool:
    """Whether a file or folder in `results/` is a run, its bundle or its crate; another Snakefile may write there."""
    return _is_own(Path("work", path.name.removesuffix(".zip").removesuffix(".crate")))


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
