"""Results of costly stages, kept in a folder that Snakemake does not delete when it reruns a stage."""

import contextlib
import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from samizdat.base.errors import UserError
from samizdat.base.files import checked_bytes, checked_sha256, replacing_folder, sha256_of, write_text

_FICLONE = 0x40049409  # <linux/fs.h>


def fingerprint(**parts: Any) -> str:
    """Compute a digest of everything that a result depends on, given as JSON values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


# Private folders of the stages whose kept result this process copied back instead of computing it.
restored: set[Path] = set()


def restore_result(work: Path, mark: str, out: Path) -> bool:
    """Copy the kept result with fingerprint `mark` from `work` to `out`.

    Returns:
        False if no such result is kept, or if it is damaged.
    """
    kept = work / "finished"
    try:
        record = json.loads(checked_bytes(work / "finished.json"))
    except (OSError, ValueError, UserError):
        return False
    names = record["files"] if record["fingerprint"] == mark else {}
    if not names or any(not (kept / name).is_file() or sha256_of(kept / name) != sha for name, sha in names.items()):
        return False
    with replacing_folder(out) as folder:
        for name in names:
            _copy(kept / name, folder / name)
    restored.add(work)
    return True


def store_result(work: Path, mark: str, out: Path) -> None:
    """Keep a copy of all files in `out` under fingerprint `mark`: what damages one leaves the other whole."""
    (work / "finished.json").unlink(missing_ok=True)
    shutil.rmtree(work / "finished", ignore_errors=True)
    files = sorted(path for path in out.rglob("*") if path.is_file() and not path.name.startswith("."))
    for path in files:
        _copy(path, work / "finished" / path.relative_to(out))
    record = {"fingerprint": mark, "files": {path.relative_to(out).as_posix(): checked_sha256(path) for path in files}}
    write_text(work / "finished.json", json.dumps(record, indent=2, sort_keys=True) + "\n")


def _copy(source: Path, target: Path) -> None:
    """Copy a file. Some of Linux's file systems (Btrfs, XFS) let a copy take no space until one of the two changes."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(OSError), source.open("rb") as old, target.open("wb") as new:
            fcntl.ioctl(new.fileno(), _FICLONE, old.fileno())
            return
    shutil.copyfile(source, target)
