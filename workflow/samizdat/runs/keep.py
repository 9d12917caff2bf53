"""`samizdat keep`: what runs have made, copied into a folder that outlives this machine, and put back from it.

The run itself stays on the machine's own disk. A folder on a network, such as Google Drive, need not have what a run
relies on: hard links, locks, one rename before the next one, and the shared memory that SQLite's journal lives in.
So nothing is asked of the folder but to hold files under names that are written once.
"""

import itertools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from samizdat.base import disk
from samizdat.base.errors import UserError
from samizdat.base.stage import die_with_parent
from samizdat.runs.clean import COMPILED

FOLDERS = ("config", "data", "work", "results")
# What Snakemake knows of each output: lost, it would not see what changed.
SNAKEMAKE = (".snakemake/metadata", ".snakemake/incomplete")
# Which folder this checkout was filled from: later copies may then leave out what is no longer here.
MARK = Path(".snakemake/kept-in")
NOT_KEPT = {*COMPILED, "lock", "fetch", "__pycache__"}
# Seconds between copies: at least this, and many times what the last one took, as a network is slow.
PAUSE = 60.0
TIMES_A_COPY = 20
GENERATIONS = 2
_EMPTY: dict[str, Any] = {"files": {}, "snakemake": {}}


def keep(folder: Path, command: Sequence[str], *, pause: float = PAUSE) -> int:
    """Put back what the folder holds, then run a command and copy what it makes, time and again and at its end.

    Args:
        folder: where the copies lie; made where there is none.
        command: what to run, with its arguments; empty for nothing.
        pause: seconds between copies, at least.

    Returns:
        The command's exit status; 1 where it ended well and its results could not be copied.

    Raises:
        UserError: the folder can't be made or read, or the disk can't hold what is in it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number = put_back(folder)
    except OSError as error:
        raise UserError(f"{folder} can't be used: {error.strerror}", remedy="name another folder") from None
    print(f"Put back from {folder}: {number} files" if number else f"Kept in {folder}", file=sys.stderr)
    if not command:
        return 0
    process = subprocess.Popen(command, preexec_fn=die_with_parent)  # noqa: S603
    # As a service ends what runs in it: the command ends by itself, and its last state is copied.
    for asked in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(asked, lambda *_: process.terminate())
    wait = pause
    while process.poll() is None:
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            started = time.monotonic()
            with suppress(KeyboardInterrupt):
                _copied(folder)
            wait = max(pause, TIMES_A_COPY * (time.monotonic() - started))
        except KeyboardInterrupt:
            continue  # the command heard it too, and ends by itself
    copied = _copied(folder)
    return process.returncode if process.returncode or copied else 1


def _copied(folder: Path) -> bool:
    """Copy; where the folder refuses, say so and leave the run alone."""
    try:
        copy(folder)
    except (OSError, sqlite3.Error) as error:
        print(f"✗ not copied into {folder}: {error}\n  The results are still here, in results/", file=sys.stderr)
        return False
    return True


def copy(folder: Path) -> None:
    """Copy what is new or changed, then the index that names it: the folder holds one whole moment, or the one before.

    A record is read before what it tells of. So a copy may know less than it holds, which costs a step that is done
    again, but never more.
    """
    _, before = next(_whole_indexes(folder), (0, _EMPTY))
    snakemake = {}
    for path in _files(SNAKEMAKE):
        with suppress(FileNotFoundError):
            snakemake[path.as_posix()] = path.read_text(encoding="utf-8")
    (folder / "files").mkdir(exist_ok=True)
    files: dict[str, dict[str, Any]] = {}
    copied: dict[tuple[int, int], dict[str, Any]] = {}
    for path in sorted(_files(FOLDERS), key=lambda path: (path.name != "state.safetensors", path)):
        # A file may be gone or replaced by now; a stage begins a damaged database anew.
        with suppress(FileNotFoundError, sqlite3.Error), path.open("rb") as source:
            status = os.fstat(source.fileno())
            seen = {"size": status.st_size, "changed": max(status.st_mtime_ns, _journal_changed(path))}
            entry = before["files"].get(path.as_posix(), {})
            if seen.items() <= entry.items():
                files[path.as_posix()] = entry
            elif (status.st_dev, status.st_ino) in copied:  # one file under two names
                files[path.as_posix()] = entry = copied[status.st_dev, status.st_ino]
            else:
                copy = folder / "files" / uuid.uuid4().hex
                _copy(path, source, copy)
                files[path.as_posix()] = entry = seen | {"copy": copy.name, "bytes": copy.stat().st_size}
            copied[status.st_dev, status.st_ino] = entry
    index = {"files": files, "snakemake": snakemake}
    if index != before:
        text = json.dumps(index, ensure_ascii=False, indent=1)
        number = max(_numbers(folder), default=0) + 1
        (folder / f"index-{number}.json").write_text(text, encoding="utf-8")
        _for_people(folder)
    _sweep(folder)


def _copy(path: Path, source: BinaryIO, target: Path) -> None:
    """Copy one file; a database as it is at one moment, even while it is written to."""
    if path.suffix != ".sqlite":
        with target.open("wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
        return
    with tempfile.TemporaryDirectory() as here:
        with closing(sqlite3.connect(path)) as live, closing(sqlite3.connect(f"{here}/copy")) as whole:
            live.backup(whole)
        shutil.copyfile(f"{here}/copy", target)


def _journal_changed(path: Path) -> int:
    """When a database was last written to, which its journal knows first."""
    journal = path.with_name(path.name + "-wal")
    return journal.stat().st_mtime_ns if path.suffix == ".sqlite" and journal.exists() else 0


def _for_people(folder: Path) -> None:
    """The reports once more, under names that one finds without this program."""
    for report in Path("results").glob("*/report/report.*"):
        target = folder / f"{report.parts[1]}-{report.name}"
        content = report.read_bytes()
        if not target.is_file() or target.read_bytes() != content:
            target.write_bytes(content)


def _sweep(folder: Path) -> None:
    """Delete all but two moments: a network may lose the second's files although it has its index."""
    kept = dict(itertools.islice(_whole_indexes(folder), GENERATIONS))
    for number in set(_numbers(folder)) - set(kept):
        (folder / f"index-{number}.json").unlink(missing_ok=True)
    used = {entry["copy"] for index in kept.values() for entry in index["files"].values()}
    for path in (folder / "files").iterdir():
        if path.name not in used:
            path.unlink(missing_ok=True)


def put_back(folder: Path) -> int:
    """Put what the folder holds where it is missing here; return the number of files. Nothing here is overwritten.

    Done once for a checkout: what is deleted here afterwards is meant to be.
    """
    if MARK.is_file() and MARK.read_text(encoding="utf-8") == str(folder.absolute()):
        return 0
    _, index = next(_whole_indexes(folder), (0, _EMPTY))
    missing = {name: entry for name, entry in index["files"].items() if not Path(name).exists()}
    disk.require({Path("work"): sum(entry["bytes"] for entry in missing.values())}, "putting back what was kept")
    first: dict[str, Path] = {}
    for name, entry in missing.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        if entry["copy"] in first:  # one file under two names, as it was
            path.hardlink_to(first[entry["copy"]])
            continue
        part = path.with_name(".part-kept")
        shutil.copyfile(folder / "files" / entry["copy"], part)
        os.utime(part, ns=(entry["changed"], entry["changed"]))
        first[entry["copy"]] = part.replace(path)
    for name in SNAKEMAKE:  # of the first without the second, Snakemake says that it is of an older version
        Path(name).mkdir(parents=True, exist_ok=True)
    for name, text in index["snakemake"].items():
        path = Path(name)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    MARK.write_text(str(folder.absolute()), encoding="utf-8")
    return len(missing)


def _whole_indexes(folder: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The indexes whose copies are all there, the newest first, with their numbers."""
    for number in sorted(_numbers(folder), reverse=True):
        index = _read(folder, number)
        if index and all(
            (copy := folder / "files" / entry["copy"]).is_file() and copy.stat().st_size == entry["bytes"]
            for entry in index["files"].values()
        ):
            yield number, index


def _numbers(folder: Path) -> Iterator[int]:
    for path in folder.glob("index-*.json"):
        with suppress(ValueError):
            yield int(path.stem.removeprefix("index-"))


def _read(folder: Path, number: int) -> dict[str, Any] | None:
    """An index; None for one that was cut short, or that names a place where nothing is kept."""
    try:
        index = json.loads((folder / f"index-{number}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    parts = [PurePosixPath(name).parts for name in (*index["files"], *index["snakemake"])]
    return index if all(part[0] in (*FOLDERS, ".snakemake") and ".." not in part for part in parts) else None


def _files(folders: Sequence[str]) -> Iterator[Path]:
    """Every file that is kept below these folders."""
    for folder in folders:
        for place, inner, names in os.walk(folder):
            inner[:] = sorted(name for name in inner if name not in NOT_KEPT and not name.startswith("."))
            for name in sorted(names):
                path = Path(place, name)
                passing = name.startswith(".") or name.endswith(("-wal", "-shm", "-journal"))
                if name not in NOT_KEPT and not passing and path.is_file() and not path.is_symlink():
                    yield path
