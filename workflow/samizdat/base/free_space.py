"""Free disk space, checked before it is needed."""

import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

from samizdat.base.errors import UserError

log = logging.getLogger("samizdat")


def require(needs: dict[Path, int], purpose: str, remedy: str = "free some disk space") -> None:
    """Check that each disk has enough free space for what will be written on it.

    Args:
        needs: folder → bytes that will be written to it. The folder need not exist yet. Don't count files that are
            there already and will be replaced.
        purpose: what is to be written, for the message.
        remedy: what the message advises.

    Raises:
        UserError: a disk has too little; names the folder, the bytes needed and the bytes free.
    """
    disks: dict[int, tuple[Path, int]] = {}
    for folder, size in needs.items():
        disk = _existing(folder).stat().st_dev
        place, so_far = disks.get(disk, (folder, 0))
        disks[disk] = place, so_far + size
    for place, size in disks.values():
        free = free_bytes(place)
        said = f"{purpose} takes up to {size / 1e6:,.1f} MB in {place}, where {free / 1e6:,.1f} MB are free"
        log.info("%s", said)
        if size > free:
            raise UserError(said, remedy=remedy)


def free_bytes(folder: Path) -> int:
    """Free bytes on the disk of a folder, which need not exist yet."""
    return shutil.disk_usage(_existing(folder)).free


def size_of(path: Path) -> int:
    """Count the bytes of a file, or of all files below a folder; 0 if the path does not exist."""
    return sum(file.stat().st_size for file in (path, *path.rglob("*")) if file.is_file())


def size_of_all(paths: Iterable[Path]) -> int:
    """Count the bytes that deleting these files and folders would free; a file with two names counts once."""
    seen: dict[tuple[int, int], int] = {}
    for path in paths:
        for file in (path, *path.rglob("*")):
            if not file.is_symlink() and file.is_file():
                status = file.stat()
                seen[status.st_dev, status.st_ino] = status.st_size
    return sum(seen.values())


def _existing(folder: Path) -> Path:
    return next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
