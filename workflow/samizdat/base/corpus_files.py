"""The files that `corpus.paths` names: which are read, which are not, and why."""

import errno
import os
import re
import shlex
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from samizdat.base.errors import UserError
from samizdat.base.language import message

PLAIN_SUFFIXES = (".txt", ".md")
JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")
TABLE_SUFFIXES = (".csv", ".tsv", *JSON_SUFFIXES, ".parquet", ".xlsx")
TEXT_SUFFIXES = (*PLAIN_SUFFIXES, *TABLE_SUFFIXES)
COMPRESSED_SUFFIXES = (".gz", ".bz2", ".xz", ".zst")
NAMED_AT_MOST = 3
# What a run reads that may lie among its texts.
ITS_CONFIG = message("the config of this run")
ITS_NOTES = message("the notes of this run")
AND_MORE = message("{names} and {more} more")
# Sheets for raters and their labels: data/labels/<run>/<question>/. They are no texts, wherever corpus.paths leads.
LABELS = Path("data/labels")
# What runs write is no text for the next run, unless a folder in it is named.
WRITTEN_BY_RUNS = ("results", "work", "logs")
# Files about the texts of a folder, also in several languages: README.md, README.cs.md, LICENSE.txt.
_ABOUT_THE_FOLDER = re.compile(r"readme([._-][a-z]{2})?|licen[cs]e|copying", re.IGNORECASE)
HIDDEN = (".", "~$")  # how names begin
LABEL_TABLE = "labels.parquet"
# As `escaping.visible` writes other characters of control; there they are the line ends of a message.
_LINE_ENDS = str.maketrans({"\n": "␊", "\r": "␍"} | {end: f"⟨U+{ord(end):04X}⟩" for end in "\x85\u2028\u2029"})


def label_table(name: str) -> Path:
    """Return the file of an item of `human_labels`, such as `demo/sentiment`."""
    return LABELS / name / LABEL_TABLE


@dataclass
class Listing:
    """What is below `corpus.paths`."""

    files: dict[str, str] = field(default_factory=dict)  # file → the folder that its texts are grouped by
    left_out: dict[str, list[str]] = field(default_factory=dict)  # reason → files that are not read
    besides: dict[str, str] = field(default_factory=dict)  # of these, files that the run reads for another purpose

    def unread(self) -> dict[str, str]:
        """Name the files that are not read: reason → the first of them, and the number of the others."""
        return {reason: named(sorted(names)) for reason, names in sorted(self.left_out.items())}


def named(names: list[str]) -> str:
    """Write the first names of a list, and how many more there are."""
    first, more = ", ".join(map(shown, names[:NAMED_AT_MOST])), len(names) - NAMED_AT_MOST
    return AND_MORE.format(names=first, more=f"{more:,}") if more > 0 else first


def shown(name: str) -> str:
    """Write the name of a file on one line, so that every encoding can: bytes that are no UTF-8 as `\\udc…`."""
    return name.translate(_LINE_ENDS).encode(errors="backslashreplace").decode()


def kind_of(path: Path) -> str:
    """Return the suffix that says how a file is read; a compressed file has another one behind it. Else return ""."""
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if len(suffixes) == 2 and suffixes[1] in COMPRESSED_SUFFIXES:
        suffixes.pop()
    return suffixes[-1] if suffixes and suffixes[-1] in TEXT_SUFFIXES else ""


def list_files(paths: Iterable[str], besides: Mapping[str, str] | None = None) -> Listing:
    """List what is below `corpus.paths`: the files that are read, and those that are not.

    Links to folders are followed. Hidden files, locks of office programs, and what is in data/labels, are neither read
    nor listed. Each file of a folder belongs to the folder below the named one, or to the named one itself.

    Args:
        paths: files and folders.
        besides: files that the run reads for another purpose → which one. In a folder they are no texts; they are
            listed if they are of a kind that would be read.

    Raises:
        UserError: a path does not exist or can't be read, a link leads in a circle, a file's kind is unknown or its
            name is no UTF-8, or a folder has no file with a known suffix.
    """
    listing = Listing()
    others = {Path(file): purpose for file, purpose in (besides or {}).items() if path_is(Path(file), "is_file")}
    for name in paths:
        path = Path(name)
        if path_is(path, "is_dir"):
            before = len(listing.files)
            found = sorted(_walk(path, {}), key=lambda file: file.as_posix())
            for file in found:
                same = [
                    other for other in others if other.name == file.name and file.is_file() and file.samefile(other)
                ]
                _sort_in(file, path, others[same[0]] if same else None, listing)
            if len(listing.files) == before and not any(file.as_posix() in listing.files for file in found):
                kept = "".join(f"; {names}: {reason}" for reason, names in listing.unread().items())
                raise UserError(
                    f"corpus.paths: the folder {shown(name)} has no file of a known kind{kept}",
                    remedy=f"put {', '.join(TEXT_SUFFIXES)} files there, or name another folder",
                )
        elif not path_is(path, "is_file"):
            raise _not_a_file(path, name)
        elif not kind_of(path):
            raise UserError(
                f"corpus.paths: {shown(name)} is a file of an unknown kind; known are {', '.join(TEXT_SUFFIXES)}, also "
                f"compressed ({', '.join(COMPRESSED_SUFFIXES)})",
                remedy="if it is plain text, rename it so that its name ends with .txt; else save it as one of these",
            )
        else:
            _add(path, path.absolute().parent.name, listing)
    return listing


def path_is(path: Path, question: str) -> bool:
    """Ask whether a path is a folder, a file and so on; one that no file system can hold is nothing."""
    try:
        return bool(getattr(path, question)())
    except (OSError, ValueError):
        return False


def unreadable(path: Path) -> str | None:
    """Say why a path is no file that can be read; None where it is one."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return "is no file"
        path.open("rb").close()
    except ValueError:
        return "does not exist"
    except OSError as error:
        nowhere = error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
        return "does not exist" if nowhere else f"can't be read: {error.strerror}"
    return None


def _not_a_file(path: Path, name: str) -> UserError:
    if name.startswith("~"):
        return UserError(
            f"corpus.paths: {name} does not exist; only a shell knows what `~` means, the config does not",
            remedy=f"write the whole path: {path.expanduser()}",
        )
    if path_is(path, "is_symlink"):
        return UserError(
            f"corpus.paths: {shown(name)} is a link to {shown(str(path.readlink()))}, which does not exist",
            remedy="correct the link, or name the file that it should lead to",
        )
    if path_is(path, "exists"):
        return UserError(f"corpus.paths: {shown(name)} is no file and no folder", remedy="name a file or a folder")
    remedy = "put your texts there, or correct corpus.paths in the config"
    if on_drive := re.match(r"([A-Za-z]):[\\/]+", name):
        rest = name[on_drive.end() :].replace("\\", "/")
        remedy = f"under WSL, a folder of Windows has another name: write /mnt/{on_drive[1].lower()}/{rest}"
    elif re.match(r"\w+://", name):
        remedy = "download the file, and name it here; only datasets of the Hub are fetched (corpus.source: hub)"
    elif re.search(r"[*?\[]", name):
        remedy = "name the folder: its files are found by their kind; a pattern such as *.csv is no path"
    return UserError(f"corpus.paths: {shown(name)} does not exist (looked in {Path.cwd()})", remedy=remedy)


def _walk(folder: Path, above: Mapping[tuple[int, int], Path]) -> Iterator[Path]:
    """Yield all that is below a folder and is no folder, and the folders of runs.

    Hidden files are left out, and those with which Excel and LibreOffice say that a table is open.
    """
    try:
        state = folder.stat()
        key = (state.st_dev, state.st_ino)
        if key in above:
            raise UserError(
                f"corpus.paths: the link {shown(str(folder))} leads back to the folder {shown(str(above[key]))}, so "
                "reading would never end",
                remedy="remove the link, or name the folders with texts one by one in corpus.paths",
            )
        entries = [Path(folder, entry.name) for entry in os.scandir(folder) if not entry.name.startswith(HIDDEN)]
        folders = {entry for entry in entries if entry.is_dir()}
    except OSError as error:
        raise UserError(
            f"corpus.paths: the folder {shown(str(folder))} can't be read: {error.strerror}",
            remedy="allow it (chmod u+rx), or name another folder",
        ) from None
    for entry in entries:
        if entry not in folders or _is_of_runs(entry):
            yield entry
        elif not _is_same_folder(entry, LABELS):
            yield from _walk(entry, {**above, key: folder})


def _is_of_runs(path: Path) -> bool:
    return path.name in WRITTEN_BY_RUNS and path.is_dir() and _is_same_folder(path, Path(path.name))


def _is_same_folder(path: Path, other: Path) -> bool:
    return other.is_dir() and path.samefile(other)


def _sort_in(file: Path, root: Path, purpose: str | None, listing: Listing) -> None:
    """Add a file that was found in a folder, or say why it isn't read."""
    reason = purpose
    if reason is not None:
        if not kind_of(file):
            return
        listing.besides[file.as_posix()] = reason
    elif _is_of_runs(file):
        reason = message("what runs write; to read some of it, name its folder in corpus.paths")
    elif not file.is_file():
        reason = message("a link to nothing") if file.is_symlink() else message("no file")
    elif not kind_of(file):
        reason = message("a name without a suffix")
        if file.suffix:
            reason = message("no kind of file that is read ({suffix})").format(suffix=shown(file.suffix.lower()))
    elif _ABOUT_THE_FOLDER.fullmatch(file.stem):
        reason = message("describes the folder; to read it, name the file itself in corpus.paths")
    if reason is not None:
        listing.left_out.setdefault(reason, []).append(file.as_posix())
        return
    # A folder with the parts of one Parquet table counts as a file.
    inner = [part for part in file.relative_to(root).parts[:-1] if not part.lower().endswith(".parquet")]
    _add(file, inner[0] if inner else root.absolute().name, listing)


def _add(file: Path, folder: str, listing: Listing) -> None:
    name = file.as_posix()
    if not name.isascii() and name.encode(errors="replace").decode() != name:
        raise UserError(
            f"corpus.paths: the name {shown(name)!r} is not in UTF-8, so not every program can open the file",
            remedy="rename the file; `ls -b` in its folder shows its name",
        )
    if not os.access(file, os.R_OK):
        raise UserError(
            f"corpus.paths: you may not read the file {shown(name)}",
            remedy=f"allow it: chmod u+r {shlex.quote(name)}; or name other files",
        )
    listing.files.setdefault(name, folder)
