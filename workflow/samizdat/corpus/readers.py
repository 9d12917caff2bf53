"""Read a file of the corpus: its suffix says by which reader, and patterns of the config how."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from samizdat.base.corpus_files import JSON_SUFFIXES, PLAIN_SUFFIXES, kind_of, shown
from samizdat.base.errors import UserError
from samizdat.base.language import message
from samizdat.corpus.decoding import AUTO
from samizdat.corpus.delimited import read_delimited
from samizdat.corpus.json_texts import read_json
from samizdat.corpus.parquet_texts import read_parquet
from samizdat.corpus.plain_text import read_plain_text
from samizdat.corpus.rows import Columns, Findings, Number, RawText
from samizdat.corpus.spreadsheet import read_spreadsheet
from samizdat.corpus.text_files import open_text

Pattern = str | dict[str, str]  # a value for all files, or file pattern → value


@dataclass(frozen=True)
class Manner:
    """How files are read: the keys of `corpus` in the config, where each is explained."""

    txt_unit: str
    txt_document: str
    separator: str | None
    encoding: Pattern
    delimiter: Pattern
    quoting: Pattern

    def check(self, files: Collection[str]) -> None:
        """Refuse a pattern that no file fits.

        Raises:
            UserError: names the key and the pattern.
        """
        for key in ("encoding", "delimiter", "quoting"):
            patterns = getattr(self, key)
            for pattern in patterns if isinstance(patterns, Mapping) else ():
                if not any(_fits(file, pattern) for file in files):
                    raise UserError(
                        f"corpus.{key}: no file of corpus.paths fits the pattern {pattern!r}",
                        remedy="write the name or the path of a file, or a pattern such as '*.csv'",
                    )


def read_file(path: Path, manner: Manner, columns: Columns, findings: Findings) -> Iterator[RawText]:
    """Read the texts of one file; in the place of a text a number is one, since in .csv files nothing tells them apart.

    Args:
        path: a file of a known kind (`base.corpus_files`).
        manner: how to read it.
        columns: which columns of a table hold what.
        findings: where the readers note what they found out by themselves.

    Raises:
        UserError: the file can't be decoded or parsed, or lacks a column.
    """
    numbers, first = 0, ""
    for raw in _shown_on_one_line(_rows(path, manner, columns, findings), path):
        if isinstance(raw.text, bool | Number):
            raw.text = str(raw.text).lower() if isinstance(raw.text, bool) else str(raw.text)
            numbers, first = numbers + 1, first or raw.text
        yield raw
    if numbers:
        said = message("{count} × a number, a date, or true or false is read as a text, such as {example}")
        findings.note(path, said.format(count=f"{numbers:,}", example=repr(first)))


def _rows(path: Path, manner: Manner, columns: Columns, findings: Findings) -> Iterator[RawText]:
    kind = kind_of(path)
    if kind == ".parquet":
        yield from read_parquet(path, columns, findings)
        return
    if kind == ".xlsx":
        yield from read_spreadsheet(path, columns, findings)
        return
    file, found = open_text(path, _for_file(path, manner.encoding))
    if found is not None:
        findings.note(path, found)
    if kind in PLAIN_SUFFIXES:
        if columns.split is not None:
            raise UserError(
                f"{path} is no table, so its texts have no split (corpus.split_column is {columns.split!r})",
                remedy="save its texts as a table with that column, or name only tables in corpus.paths",
            )
        begins = next((line for line in file.lines() if line.strip()), "")
        if re.match(r"\s*<(!doctype )?html\b", begins, re.IGNORECASE):
            findings.note(path, message("a page of the web (HTML): its tags are read as text, too"))
        yield from read_plain_text(file, manner.txt_unit, manner.txt_document, manner.separator)
    elif kind in JSON_SUFFIXES:
        yield from read_json(file, columns, findings)
    else:
        how = _for_file(path, manner.delimiter), _for_file(path, manner.quoting)
        yield from read_delimited(file.lines, path, columns, *how, findings)


def _shown_on_one_line(rows: Iterator[RawText], path: Path) -> Iterator[RawText]:
    """Replace the line ends of the file's name wherever it is named."""
    names = {name: shown(name) for name in (str(path), path.name) if shown(name) != name}
    if not names:
        yield from rows
        return
    try:
        for raw in rows:
            raw.where = raw.where.replace(path.name, shown(path.name))
            yield raw
    except UserError as error:
        what = error.what
        for name, one_line in names.items():
            what = what.replace(name, one_line)
        raise UserError(what, remedy=error.remedy) from None


def _for_file(path: Path, setting: Pattern) -> str:
    """Return the value of a setting for one file: that of the longest pattern that fits; `auto` where none does."""
    if isinstance(setting, str):
        return setting
    fitting = [pattern for pattern in setting if _fits(path.as_posix(), pattern)]
    return setting[max(fitting, key=lambda pattern: (len(pattern), pattern))] if fitting else AUTO


def _fits(file: str, pattern: str) -> bool:
    """Whether a pattern is of a file's whole path or of its end: `old/*.csv` is of `data/old/a.csv`."""
    end = "/".join(Path(file).parts[-pattern.count("/") - 1 :])
    return fnmatchcase(file, pattern) or fnmatchcase(end, pattern)
