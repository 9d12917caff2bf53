"""Copy what runs make into a folder that outlives this machine, and restore it from there (`samizdat keep`).

The run itself stays on the machine's own disk. A network folder, such as Google Drive, may lack what a run needs:
locks, and renames that become visible in their order. So the folder needs only to store files, each written once
under a new name.
"""

import hashlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import Any

from samizdat.base import free_space
from samizdat.base.corpus_files import shown
from samizdat.base.errors import UserError
from samizdat.base.escaping import visible
from samizdat.base.files import is_checksum, sha256_of
from samizdat.base.parent import die_with_parent
from samizdat.base.project import NOTES
from samizdat.runs.clean import COMPILED
from samizdat.runs.git import unchanged_files

# What a person brings and a run makes; code is the clone's.
MADE = ("work", "results")
KEPT = ("config", "data", NOTES, *MADE)
# What Snakemake records of each output; without it, Snakemake can't see what changed.
SNAKEMAKE = (".snakemake/metadata", ".snakemake/incomplete")
# Names the folder that this checkout was restored from. Files that are deleted here after that stay deleted.
RESTORED_FROM = Path(".snakemake/kept-in")
# A file below work/ that no other machine can use.
LOCK = "lock"
# The pause between two copies: at least so long, and so many times the duration of the last copy, as networks are slow.
PAUSE_SECONDS = 60.0
PAUSE_PER_COPY = 20
SNAPSHOTS_KEPT = 2
_EMPTY: dict[str, Any] = {"files": {}, "snakemake": {}}


def keep(folder: Path, command: Sequence[str], *, pause: float = PAUSE_SECONDS) -> int:
    """Restore what the folder contains, then run a command and copy what it makes, regularly and at its end.

    Args:
        folder: where the copies are stored; created where there is none.
        command: what to run, with its arguments; empty to restore only.
        pause: the least number of seconds between two copies.

    Returns:
        The command's exit status; 1 where the command succeeded but its results could not be copied.

    Raises:
        UserError: the folder is copied itself, or can't be created or read, the disk has no room for what is in it, or
            the command can't be started.
    """
    if any(folder.resolve().is_relative_to(Path(place).resolve()) for place in KEPT):
        raise UserError(
            f"{folder} is itself a folder that is copied", remedy=f"name one that is not in {', '.join(KEPT)}"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number = restore(folder)
    except OSError as error:
        raise UserError(f"{folder} can't be used: {error.strerror}", remedy="name another folder") from None
    _say(f"Restored from {folder}: {number} files" if number else f"Copying into {folder}")
    if not command:
        return 0
    try:
        process = subprocess.Popen(command, preexec_fn=die_with_parent)
    except OSError as error:
        raise UserError(
            f"{command[0]!r} can't be started: {error.strerror}",
            remedy="write the command behind the folder as in a terminal, such as: samizdat keep FOLDER make report",
        ) from None
    # Services stop a program by these signals. The command ends by itself, and its last state is copied.
    for number_of_signal in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number_of_signal, lambda *_: process.terminate())
    wait = pause
    while process.poll() is None:
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            started = time.monotonic()
            with suppress(KeyboardInterrupt):
                _try_to_copy(folder)
            wait = max(pause, PAUSE_PER_COPY * (time.monotonic() - started))
        except KeyboardInterrupt:
            continue  # the command gets the interrupt too, and ends by itself
    copied = _try_to_copy(folder)
    return process.returncode if process.returncode or copied else 1


def _say(line: str) -> None:
    """Print a line; names of files may have anything, which must not control the terminal."""
    print(visible(line), file=sys.stderr, flush=True)


def _try_to_copy(folder: Path) -> bool:
    """Copy; where that fails, say so, and let the run go on."""
    try:
        copy(folder)
    except OSError as error:
        _say(f"✗ not copied into {folder}: {error}\n  The results are still here, in results/")
        return False
    return True


def copy(folder: Path) -> None:
    """Copy what is new or changed, then write the index that names all copies: a new snapshot, or the old one stays.

    Snakemake's records are read before the files that they describe. So the records of a snapshot may be older than
    its files, and then a step runs again, but never newer.
    """
    _, before = next(_complete_indexes(folder), (0, _EMPTY))
    snakemake = {}
    for path in _files(SNAKEMAKE):
        with suppress(FileNotFoundError, UnicodeDecodeError):  # a damaged record is worth nothing
            snakemake[path.as_posix()] = path.read_text(encoding="utf-8")
    index = {"files": _copy_files(folder, before["files"]), "snakemake": snakemake}
    if index != before:
        text = json.dumps(index, indent=1)  # in ASCII, since a name may have bytes that are no UTF-8
        number = max(_numbers(folder), default=0) + 1
        (folder / f"index-{number}.json").write_text(text, encoding="utf-8")
        _copy_reports(folder)
    _delete_old_snapshots(folder)


def _copy_files(folder: Path, before: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Copy each file that has changed since the last index; return the entry of each file in the new one.

    Files with the same content, such as a result and its kept copy, have one copy. A file that every clone has, such
    as the config, has none before somebody edits it.
    """
    (folder / "files").mkdir(exist_ok=True)
    files: dict[str, dict[str, Any]] = {}
    copies = {entry["sha256"]: entry for entry in before.values() if "sha256" in entry}
    cloned = unchanged_files(*KEPT)
    own = [path for path in _files(KEPT) if path.as_posix() not in cloned]
    for path in sorted(own, key=lambda path: (path.name != "state.safetensors", path)):
        with suppress(FileNotFoundError), path.open("rb") as source:  # it may be deleted or replaced meanwhile
            status = os.fstat(source.fileno())
            seen = {"size": status.st_size, "changed": status.st_mtime_ns}
            entry = before.get(path.as_posix(), {})
            if not seen.items() <= entry.items() or "sha256" not in entry:
                entry = seen | _copied(source, folder, copies)
            files[path.as_posix()] = copies[entry["sha256"]] = entry
    return files


def _copied(source: BufferedReader, folder: Path, copies: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Copy a file, unless its content is there already; return the copy's name, size and checksum."""
    sha256 = hashlib.file_digest(source, "sha256").hexdigest()
    if sha256 in copies:
        return {key: copies[sha256][key] for key in ("copy", "bytes", "sha256")}
    source.seek(0)
    target = folder / "files" / uuid.uuid4().hex
    with target.open("wb") as file:
        shutil.copyfileobj(source, file, 1 << 20)
    return {"copy": target.name, "bytes": target.stat().st_size, "sha256": sha256}


def _copy_reports(folder: Path) -> None:
    """Copy the reports once more, under names that people find without this program."""
    for report in Path("results").glob("*/report/report.*"):
        target = folder / f"{report.parts[1]}-{report.name}"
        content = report.read_bytes()
        if not target.is_file() or target.read_bytes() != content:
            target.write_bytes(content)


def _delete_old_snapshots(folder: Path) -> None:
    """Delete all but the last two snapshots: a network may lose files of the last one although its index is there."""
    kept = dict(itertools.islice(_complete_indexes(folder), SNAPSHOTS_KEPT))
    for number in set(_numbers(folder)) - set(kept):
        (folder / f"index-{number}.json").unlink(missing_ok=True)
    used = {entry["copy"] for index in kept.values() for entry in index["files"].values()}
    for path in (folder / "files").iterdir():
        if path.name not in used:
            path.unlink(missing_ok=True)


def restore(folder: Path) -> int:
    """Restore the files of the last complete snapshot; return how many. Overwrites nothing that was edited here.

    An edited config or notes take the place of those that the clone brought, and are told. Does so once for a
    checkout: files that are deleted here afterwards stay deleted.
    """
    if RESTORED_FROM.is_file() and RESTORED_FROM.read_bytes() == os.fsencode(folder.absolute()):
        return 0
    _, index = next(_complete_indexes(folder), (0, _EMPTY))
    cloned = unchanged_files(*KEPT)
    missing = {name: entry for name, entry in index["files"].items() if name in cloned or not Path(name).exists()}
    free_space.require({Path("work"): sum(entry["bytes"] for entry in missing.values())}, f"restoring from {folder}")
    restored = 0
    for name, entry in missing.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(".part-kept")
        shutil.copyfile(folder / "files" / entry["copy"], part)
        if entry.get("sha256") not in (None, sha256_of(part)):
            _say(f"! the copy of {shown(name)} in {folder} is damaged and is not restored")
            part.unlink()
            continue
        os.utime(part, ns=(entry["changed"], entry["changed"]))
        part.replace(path)
        restored += 1
        if name in cloned:
            _say(f"! {shown(name)} is your edited copy from {folder}")
    for name, entry in index["files"].items():
        path = Path(name)
        if name not in missing and not _is_below(name, MADE) and entry.get("sha256") not in (None, sha256_of(path)):
            _say(f"! {shown(name)} is another one than in {folder}, and stays as it is")
    for name in SNAKEMAKE:  # with only one of these two folders, Snakemake complains about an older version's files
        Path(name).mkdir(parents=True, exist_ok=True)
    for name, text in index["snakemake"].items():
        path = Path(name)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    RESTORED_FROM.write_bytes(os.fsencode(folder.absolute()))
    return restored


def _complete_indexes(folder: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield number and content of each index whose copies are all there with all their bytes, the newest first."""
    for number in sorted(_numbers(folder), reverse=True):
        index = _read_index(folder, number)
        if index and all(
            (copy := folder / "files" / entry["copy"]).is_file() and copy.stat().st_size == entry["bytes"]
            for entry in index["files"].values()
        ):
            yield number, index


def _numbers(folder: Path) -> Iterator[int]:
    for path in folder.glob("index-*.json"):
        with suppress(ValueError):
            yield int(path.stem.removeprefix("index-"))


def _read_index(folder: Path, number: int) -> dict[str, Any] | None:
    """Read an index; None where it is damaged or names a file outside what is kept."""
    try:
        index: dict[str, Any] = json.loads((folder / f"index-{number}.json").read_text(encoding="utf-8"))
        good = all(
            _is_below(name, KEPT)
            and re.fullmatch("[0-9a-f]{32}", entry["copy"])
            and all(type(entry[key]) is int for key in ("bytes", "changed"))
            and isinstance(entry.get("sha256", ""), str)
            for name, entry in index["files"].items()
        ) and all(_is_below(name, SNAKEMAKE) and isinstance(text, str) for name, text in index["snakemake"].items())
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return index if good else None


def _is_below(name: str, places: Sequence[str]) -> bool:
    path = PurePosixPath(name)
    below = any(path.is_relative_to(place) and (path != PurePosixPath(place) or name == NOTES) for place in places)
    return below and ".." not in path.parts and "\0" not in name


def _files(places: Sequence[str]) -> Iterator[Path]:
    """Yield every file in these places that is worth keeping, with checksums: no lock, no link and no part."""
    for top in places:
        if Path(top).is_file():
            yield Path(top)
        for place, inner, names in os.walk(top):
            inner[:] = sorted(name for name in inner if not (name.startswith(".") or _is_cache(Path(place, name))))
            for name in sorted(names):
                path = Path(place, name)
                temporary = name.startswith(".") and not is_checksum(path)
                lock = top == "work" and name == LOCK
                if not (temporary or lock) and path.is_file() and not path.is_symlink():
                    yield path


def _is_cache(folder: Path) -> bool:
    """Whether a folder is one that any machine makes again; names alone don't tell, as a model may have any."""
    top, *inner = folder.parts
    return top == "work" and (inner == ["fetch"] or "/".join(inner[1:]) in COMPILED)
