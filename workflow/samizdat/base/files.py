"""Atomic writing, hashing and locking of files."""

import contextlib
import glob
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from samizdat.base.errors import UserError


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder, which replaces `path` when the block ends without an error.

    A reader sees the old file or the new one, never a part of it. After an error the temporary file is deleted.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.part-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder, whose files are moved into `path` one by one when the block ends without an error."""
    path.mkdir(parents=True, exist_ok=True)
    _sweep(path)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.part-", dir=path.parent))
    try:
        yield temporary
        for source in sorted(temporary.rglob("*")):
            if source.is_file():
                target = path / source.relative_to(temporary)
                target.parent.mkdir(parents=True, exist_ok=True)
                source.chmod(0o644)
                source.replace(target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _sweep(path: Path) -> None:
    """Delete temporary files of `path` that a killed process left; the stage's lock keeps running processes out."""
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.part-*"):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically, with `\\n` line ends on every system."""
    with replacing(path) as temporary:
        temporary.write_bytes(text.encode())


def sha256_of(path: Path) -> str:
    """Compute the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def locked(path: Path, *, patience_seconds: float = 10.0) -> Iterator[None]:
    """Hold a lock file while the block runs; the operating system frees it when the process ends.

    Raises:
        UserError: another process still holds the lock after `patience_seconds`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=patience_seconds)
    except Timeout:
        raise UserError(
            f"another process is running this step (it holds the lock {path})",
            remedy="wait until it ends, or stop it, and start again; you need not delete the lock",
        ) from None
    try:
        yield
    finally:
        lock.release()
