"""Ask git about the repository that the code is in."""

import subprocess


def git(*arguments: str) -> str | None:
    """Run a git command; return what it prints, or None where git fails or is not installed."""
    try:
        return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S607
    except (OSError, subprocess.CalledProcessError):
        return None
