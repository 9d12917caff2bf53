"""Atomic writing, checksums and locking of files.

Each file that is written here has its SHA-256 beside it, in a hidden file that `sha256sum -c` reads. Who reads the
file checks it, so a damaged file is an error that names it, and never another result.
"""

import contextlib
import glob
import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from filelock import FileLock, Timeout

from samizdat.base.errors import UserError

MAKE_AGAIN = "run the same command again (such as `make report`): it makes the file again"


@contextlib.contextmanager
def replacing(path: Path, *, checksum: bool = True) -> Iterator[Path]:
    """Yield a temporary path in the same folder, which replaces `path` when the block ends without an error.

    A reader sees the old file or the new one, never a part of it. After an error the temporary file is deleted. The
    checksum is written, too, unless `checksum` is false: until the file is replaced, that of the old file is kept with
    it, so that a kill at any moment leaves an intact file.
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
        if checksum:
            _replace(temporary, path)
        else:
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
            if source.is_file() and not is_checksum(source):
                target = path / source.relative_to(temporary)
                target.parent.mkdir(parents=True, exist_ok=True)
                source.chmod(0o644)
                _replace(source, target)
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


def _replace(source: Path, target: Path) -> None:
    """Move a file to its place, and write its checksum."""
    sha256 = sha256_of(source)
    _write_checksums(target, [sha256, *recorded_checksums(target)])
    source.replace(target)
    _write_checksums(target, [sha256])


def sha256_of(path: Path) -> str:
    """Compute the SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksum_file(path: Path) -> Path:
    """Return the hidden file beside `path` that has its checksum."""
    return path.with_name(f".{path.name}.sha256")


def is_checksum(path: Path) -> bool:
    """Whether a file has the checksum of another one."""
    return path.name.startswith(".") and path.suffix == ".sha256"


def _write_checksums(path: Path, checksums: Iterable[str]) -> None:
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    writer = f"# written by {spec.name}\n" if spec and spec.name.startswith("samizdat.") else ""
    part = path.with_name(f".{path.name}.part-sha256")
    part.write_text(writer + "".join(f"{sha256}  {path.name}\n" for sha256 in checksums), encoding="utf-8")
    part.replace(checksum_file(path))


def write_checksum(path: Path) -> None:
    """Write the checksum of a file that another program wrote."""
    _write_checksums(path, [sha256_of(path)])


def recorded_checksums(path: Path) -> list[str]:
    """Read the checksum that was written with a file; two after a kill, none where there is no readable one."""
    try:
        lines = checksum_file(path).read_bytes().splitlines()
    except OSError:
        return []
    name = b"  " + path.name.encode()
    return [line[:64].decode() for line in lines if re.fullmatch(rb"[0-9a-f]{64}", line[:64]) and line[64:] == name]


def is_intact(path: Path) -> bool:
    """Whether a file is there and is the one that was written with its checksum."""
    return path.is_file() and sha256_of(path) in recorded_checksums(path)


def not_intact(paths: Iterable[Path]) -> list[Path]:
    """Select the files that are there and are not intact; several are read at once."""
    there = [path for path in paths if path.is_file()]
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        return [path for path, intact in zip(there, pool.map(is_intact, there), strict=True) if not intact]


def checked_sha256(path: Path) -> str:
    """Compute the SHA-256 of a file and compare it with the recorded one, if there is one.

    A file that came here without its checksum, such as one of somebody else's run, can't be checked.

    Raises:
        UserError: the file is not the one that was written.
    """
    return _checked(path, sha256_of(path))


def checked_bytes(path: Path) -> bytes:
    """Read a file and compare it with its recorded checksum, if there is one.

    Raises:
        UserError: the file is not the one that was written.
    """
    content = path.read_bytes()
    _checked(path, hashlib.sha256(content).hexdigest())
    return content


def _checked(path: Path, sha256: str) -> str:
    if checksum_file(path).is_file() and sha256 not in recorded_checksums(path):
        raise UserError(f"{path} is damaged: it is not the file that {writer_of(path)} wrote", remedy=MAKE_AGAIN)
    return sha256


def writer_of(path: Path) -> str:
    """Name the step that wrote a file, as its checksum says; "its step" where that can't be read."""
    try:
        text = checksum_file(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "its step"
    named = re.match(r"# written by samizdat\.[a-z0-9_]+\.([a-z0-9_]+)\n", text)
    return f"the step {named[1]}" if named else "its step"


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
