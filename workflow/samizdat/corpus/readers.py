"""Readers of files, one for each kind: they give each text with the place where it was found."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from samizdat.base.errors import UserError
from samizdat.measures.ratings import most_frequent


@dataclass
class RawText:
    """A text as it was read, before any check."""

    text: Any  # a string, unless the file has something else there
    where: str  # for people, such as "reviews.csv:17"
    document: str | None = None  # None: the text is a document of its own
    group: str | None = None
    labels: dict[str, str | None] = field(default_factory=dict)
    ratings: list[int] | None = None
    raters: dict[str, list[str]] = field(default_factory=dict)  # label → what single people gave


@dataclass(frozen=True)
class Columns:
    """Which columns of a table hold what."""

    text: str
    document: str | None
    group: str | None
    labels: tuple[str, ...]
    raters: dict[str, list[str]]  # label → the columns of single people

    def read(self, row: dict[str, Any], where: str) -> RawText:
        """Read one row of a table. Of several raters' labels the most frequent one is the text's, if there is one."""
        given = {
            label: [one for column in columns if (one := _name(row[column])) is not None]
            for label, columns in self.raters.items()
        }
        return RawText(
            row[self.text],
            where,
            document=_name(row[self.document]) if self.document else None,
            group=_name(row[self.group]) if self.group else None,
            labels={label: _name(row[label]) for label in self.labels}
            | {label: most_frequent(ones) for label, ones in given.items()},
            raters=given,
        )

    def by_key(self) -> list[tuple[str, str]]:
        """List the keys of `corpus` in the config that name a column, each with its column."""
        keys = [("text_column", self.text), ("document_column", self.document), ("group_column", self.group)]
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
                raise UserError(
                    f"{where} has no column {column!r} (corpus.{key}); it has: {', '.join(map(repr, existing))}",
                    remedy=f"name one of these as corpus.{key} in the config",
                )


def read_file(path: Path, columns: Columns, txt_unit: str, txt_document: str, encoding: str) -> Iterator[RawText]:
    """Read the texts of one file; its suffix says of what kind it is.

    Args:
        path: a .txt, .csv, .tsv, .jsonl or .parquet file.
        columns: for the kinds that are tables.
        txt_unit: what one text of a .txt file is: the `file`, a `line` or a `block` (between blank lines).
        txt_document: whether the texts of a .txt file are one document (`file`) or each is its own (`text`).
        encoding: of all kinds but Parquet.

    Raises:
        UserError: the file can't be decoded or parsed, or lacks a column.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        yield from _read_parquet(path, columns)
        return
    text = decode(path, encoding)
    if suffix in (".csv", ".tsv"):
        yield from _read_csv(text, path, columns, "\t" if suffix == ".tsv" else ",")
    elif suffix == ".jsonl":
        yield from _read_jsonl(text, path, columns)
    elif txt_unit == "file":
        yield RawText(text, path.name, document=path.as_posix())
    else:
        document = path.as_posix() if txt_document == "file" else None
        units = r"\S[^\n]*" if txt_unit == "line" else r"(?:[^\n]*\S[^\n]*\n?)+"
        text = text.replace("\r\n", "\n")
        number, counted = 1, 0
        for unit in re.finditer(units, text):
            number, counted = number + text.count("\n", counted, unit.start()), unit.start()
            yield RawText(unit.group(), f"{path.name}:{number}", document=document)


def decode(path: Path, encoding: str) -> str:
    """Decode a file to text; a byte-order mark is left out.

    Raises:
        UserError: some bytes can't be decoded (the message has file, line and byte offset), or Python doesn't know the
            encoding.
    """
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding)
    except UnicodeDecodeError as error:
        # The codec utf-8-sig counts bytes after the byte-order mark.
        start = error.start + (3 if data.startswith(b"\xef\xbb\xbf") and "utf-8" in error.encoding else 0)
        line = data.count(b"\n", 0, start) + 1
        raise UserError(
            f"{path}: line {line}, byte offset {start} (0x{data[start]:02x}) is not {encoding}: {error.reason}",
            remedy="set corpus.encoding to what the file is written in (cp1250, latin-1, …), or convert it to UTF-8",
        ) from None
    except LookupError:
        raise UserError(
            f"corpus.encoding: {encoding!r} is not known to Python",
            remedy="name one such as utf-8, utf-16, cp1250, latin-1",
        ) from None


def _read_csv(text: str, path: Path, columns: Columns, delimiter: str) -> Iterator[RawText]:
    csv.field_size_limit(2**31 - 1)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns.check(reader.fieldnames or [], str(path))
        for row in reader:
            yield columns.read(row, f"{path.name}:{reader.line_num}")
    except csv.Error as error:
        raise UserError(
            f"{path}: line {reader.reader.line_num} can't be read as a table: {error}",
            remedy="correct the quotes there, or save the table again from the program that it came from",
        ) from None


def _read_jsonl(text: str, path: Path, columns: Columns) -> Iterator[RawText]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError("it is a JSON value of another kind")
        except ValueError as error:
            raise UserError(
                f"{path}: line {number} is no JSON object: {error}",
                remedy="correct the line: each line must be one object",
            ) from None
        columns.check(row, f"{path}: line {number}")
        yield columns.read(row, f"{path.name}:{number}")


def _read_parquet(path: Path, columns: Columns) -> Iterator[RawText]:
    try:
        file = pq.ParquetFile(path)
        columns.check(file.schema_arrow.names, str(path))
        number = 0
        for batch in file.iter_batches():
            for row in batch.to_pylist():
                number += 1
                yield columns.read(row, f"{path.name}:{number}")
    except pa.ArrowInvalid as error:
        raise UserError(
            f"{path} is no Parquet file: {error}", remedy="save it again from the program that it came from"
        ) from None


def _name(value: Any) -> str | None:
    """Read a cell as a name; None where the cell is empty."""
    return None if value is None or str(value).strip() == "" else str(value).strip()
