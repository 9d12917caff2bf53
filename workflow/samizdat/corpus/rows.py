"""What every reader gives: texts with the place where they were found, and what was found out about the files."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from samizdat.base.corpus_files import named
from samizdat.base.errors import UserError
from samizdat.corpus.splits import SPELLINGS, split_called
from samizdat.measures.ratings import most_frequent

LOST = "\ufffd"  # what a program writes in the place of a letter that it couldn't read
# JSON can escape half of a letter, such as of an emoji that was cut, which no other file can hold.
_HALVES = re.compile("[\ud800-\udfff]")
# What Python's writers make of a missing number.
NOT_A_NUMBER = ("nan", "NaN")
# Of tables whose columns are named in their first row.
FIRST_ROW = "; the first row must hold the names of the columns"


@dataclass(slots=True)
class RawText:
    """A text as it was read, before any check."""

    text: Any  # a string, unless the file has something else there
    where: str  # for people, such as "reviews.csv:17"
    document: str | None = None  # None: the text is a document of its own
    group: str | None = None
    labels: dict[str, str | None] = field(default_factory=dict)
    ratings: list[int] | None = None
    raters: dict[str, list[str]] = field(default_factory=dict)  # label → what single people gave
    split: str | None = None  # None: the corpus doesn't say

    def lost_letters(self) -> bool:
        """Whether letters of the text, or of its names and labels, were lost before."""
        names = self.document, self.group, *self.labels.values(), *chain(*self.raters.values())
        return any(isinstance(words, str) and LOST in words for words in (self.text, *names))


class Number(str):
    """A value as it is written in the file, which says that it is no text: a number; in a sheet also a date or so."""

    __slots__ = ()


@dataclass
class Findings:
    """What the readers found out by themselves, for the terminal and the summary."""

    notes: dict[str, list[str]] = field(default_factory=dict)  # what was found → files
    lacking: dict[tuple[str, str], dict[str, list[str]]] = field(default_factory=dict)  # key, column → table → columns
    tables: int = 0

    def note(self, file: str | Path, words: str) -> None:
        """Remember how a file was read."""
        self.notes.setdefault(words, []).append(Path(file).as_posix())

    def in_words(self) -> dict[str, str]:
        """Name the files of each note: the first of them, and the number of the others."""
        return {words: named(files) for words, files in self.notes.items()}


@dataclass(frozen=True)
class Columns:
    """Which columns of a table, or fields of its rows by dotted path, hold what."""

    text: str
    document: str | None
    group: str | None
    labels: tuple[str, ...]
    raters: dict[str, list[str]]  # label → the columns of single people
    split: str | None = None

    def read(self, row: dict[str, Any], where: str) -> RawText:
        """Read one row of a table; a column that the row lacks is empty there.

        Of several raters' labels the most frequent one is the text's, if there is one.

        Raises:
            UserError: a name or label is no single value, or a split is called as none is.
        """
        raw = RawText(find(row, self.text), where)
        if self.document is not None:
            raw.document = _name(row, self.document, where, "document_column")
        if self.group is not None:
            raw.group = _name(row, self.group, where, "group_column")
        for label in self.labels:
            raw.labels[label] = _name(row, label, where, "label_columns")
        for label, columns in self.raters.items():
            given = [_name(row, column, where, "rater_columns") for column in columns]
            raw.raters[label] = [one for one in given if one is not None]
            raw.labels[label] = most_frequent(raw.raters[label])
        if self.split is not None:
            raw.split = _split(_name(row, self.split, where, "split_column"), self.split, where)
        return raw

    def by_key(self) -> list[tuple[str, str]]:
        """List the keys of `corpus` in the config that name a column, each with its column."""
        keys = [("text_column", self.text), ("document_column", self.document), ("group_column", self.group)]
        keys.append(("split_column", self.split))
        return [
            *((key, column) for key, column in keys if column is not None),
            *(("label_columns", label) for label in self.labels),
            *(("rater_columns", column) for columns in self.raters.values() for column in columns),
        ]

    def check(self, existing: Iterable[str], where: str) -> None:
        """Refuse a table that lacks one of the columns.

        Args:
            existing: the columns of the table.
            where: the table, for the message.

        Raises:
            UserError: names the missing column and those that exist.
        """
        existing = list(existing)
        for key, column in self.by_key():
            if column not in existing:
                raise lacks(where, key, column, existing)

    def check_twice(self, existing: Iterable[str], where: str) -> None:
        """Refuse a table that has one of the columns twice.

        Raises:
            UserError: names the column.
        """
        existing = list(existing)
        for key, column in self.by_key():
            if existing.count(column) > 1:
                raise UserError(
                    f"{where} has {existing.count(column)} columns {column!r} (corpus.{key})",
                    remedy="rename the others, so that it is clear which one is meant",
                )

    def check_file(
        self, table: str | Path, existing: Iterable[str], has: Iterable[str], findings: Findings, where: str = ""
    ) -> None:
        """Refuse a file without the column of texts or of splits; remember the other columns that it lacks.

        Args:
            table: the file, or the sheet of a file that has several.
            existing: its columns, for the message.
            has: those of `by_key` that it has.
            findings: where to remember.
            where: the table in other words, for the message.

        Raises:
            UserError: names the missing column and those that exist.
        """
        has = set(has)
        if self.text not in has:
            raise lacks(where or str(table), "text_column", self.text, existing)
        if self.split is not None and self.split not in has:
            raise lacks(where or str(table), "split_column", self.split, existing)
        findings.tables += 1
        for key, column in self.by_key():
            if column not in has:
                findings.lacking.setdefault((key, column), {})[Path(table).as_posix()] = list(existing)


def lacks(where: str, key: str, column: str, existing: Iterable[str], *, more: str = "") -> UserError:
    """Make the error of a table without one of the columns; `more` is what else may help."""
    names = ", ".join(map(repr, existing))
    remedy = f"name one of these as corpus.{key} in the config{more}"
    return UserError(
        f"{where} has no column {column!r} (corpus.{key}); it has: {names or 'none'}",
        remedy=remedy if names else "put the table there, or take the file out of corpus.paths",
    )


def find(row: Any, path: str) -> Any:
    """Return the field of a row by its name or by a dotted path into nested objects; None where there is none."""
    if isinstance(row, dict) and path in row:
        return row[path]
    first, dot, rest = path.partition(".")
    return find(row[first], rest) if dot and isinstance(row, dict) and first in row else None


def _split(called: str | None, column: str, where: str) -> str:
    if called is None or (split := split_called(called)) is None:
        what = "no split" if called is None else f"{called!r}, which is called like no split,"
        known = "; ".join(f"{split}: {', '.join(names)}" for split, names in SPELLINGS.items())
        raise UserError(
            f"{where} has {what} in the column {column!r} (corpus.split_column)",
            remedy=f"write there one of these, in any case ({known}); or set corpus.split_column to null, and the "
            "texts are divided here",
        )
    return split


def _name(row: dict[str, Any], column: str, where: str, key: str) -> str | None:
    """Read a cell as a name; None where it is empty or holds what is no number. Half of a letter is a lost letter."""
    value = find(row, column)
    if isinstance(value, (dict, list, bytes)):
        kind = "an object" if isinstance(value, dict) else "a list" if isinstance(value, list) else "bytes"
        raise UserError(
            f"{where}: corpus.{key} {column!r} is {kind}, but a name or label is a single value",
            remedy="name another column, or make a column with one value for each text",
        )
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = "" if value is None else _HALVES.sub(LOST, str(value)).strip()
    return None if text in ("", *NOT_A_NUMBER) else text
