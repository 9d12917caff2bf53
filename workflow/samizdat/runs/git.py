"""Ask git about the repository that the code is in."""

import os
import subprocess
from pathlib import Path


def git(*arguments: str) -> str | None:
    """Run a git command; return what it prints, or None where git fails or is not installed."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=True)  # noqa: S607
    except (OSError, subprocess.CalledProcessError):
        return None
    return os.fsdecode(done.stdout).strip()  # a name may have bytes that are no UTF-8


def unchanged_files(*places: str) -> frozenset[str]:
    """List the files below the current folder that are as their repository has them; none outside a repository."""
    tracked = git("ls-files", "-z", "--", *places)
    changed = git("diff", "--name-only", "--relative", "-z", "HEAD", "--", *places)
    if tracked is None or changed is None:
        return frozenset()
    return frozenset(tracked.split("\0")) - frozenset(changed.split("\0"))


def commit_of(project: Path) -> str | None:
    """Return the commit that a project's folder is a clone at; None where it is no clone.

    An installed package may be inside another project's repository, whose commit is not the package's.
    """
    top = git("-C", str(project), "rev-parse", "--show-toplevel")
    return git("-C", str(project), "rev-parse", "HEAD") if top and project.samefile(top) else None


def why_unreadable(project: Path) -> str | None:
    """Say why git can't read the repository that a project's folder is; None where it can, and where there is none.

    Git refuses a folder that belongs to another user, as in a container or on a disk that several people share.
    """
    if not (project / ".git").exists() or commit_of(project):
        return None
    try:
        done = subprocess.run(
            ["git", "-C", str(project), "rev-parse", "HEAD"],  # noqa: S607
            capture_output=True, text=True, errors="replace", check=False, env=os.environ | {"LC_ALL": "C.UTF-8"},
        )  # fmt: skip
    except OSError as error:
        return f"git can't be started: {error.strerror}"
    return (done.stderr.strip().splitlines() or ["it has no commit"])[0].removeprefix("fatal: ")
