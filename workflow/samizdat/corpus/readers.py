"""Texts as they lie in files: one reader for each kind, each saying where a text stood."""

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


@dataclass
class RawText:
    """A text before anything was checked; `text` may be no string at all."""

    text: Any
    where: str  # for people, such as "reviews.csv:17"
    document: str | None = None  # null: the text is a document of its own
    group: str | None = None
    labels: dict[str, str | None] = field(default_factory=dict)
    ratings: list[int] | None = None


@dataclass(frozen=True)
class Columns:
    """Which columns of a table hold what."""

    text: str
    document: str | None
    group: str | None
    labels: tuple[str, ...]

    def read(self, row: dict[str, Any], where: str) -> RawText:
        """One row of a table."""
        return RawText(
            row[self.text],
            where,
            document=_name(row[self.document]) if self.document else None,
            group=_name(row[self.group]) if self.group else None,
            labels={label: _name(row[label]) for label in self.labels},
        )

    def check(self, existing: Iterable[str], where: str) -> None:
        """Refuse a table that lacks one of the columns.

        Raises:
            UserError: names the missing column and those that exist.
        """
        existing = list(existing)
        for key, column in (
            ("text_column", self.text),
            ("document_column", self.document),
            ("group_column", self.group),
            *(("label_columns", label) for label in self.labels),
        ):
            if column is not None and column not in existing:
                raise UserError(
                    f"{where} has no column {column!r} (corpus.{key}); it has: {', '.join(map(repr, existing))}",
                    remedy=f"name one of these as corpus.{key} in the config",
                )


def read_file(path: Path, columns: Columns, txt_unit: str, encoding: str) -> Iterator[RawText]:
    """The texts of one file, by its suffix.

    Args:
        path: a .txt, .csv, .tsv, .jsonl or .parquet file.
        columns: for the kinds that are tables.
        txt_unit: what one text of a .txt file is: `file`, `line` or `block` (between blank lines).
        encoding: of all kinds but Parquet.

    Raises:
        UserError: bytes that the encoding has no character for, a broken line, a missing column.
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
    elif txt_unit == "line":
        for number, line in enumerate(text.split("\n"), start=1):
            if line.strip():
                yield RawText(line, f"{path.name}:{number}")
    else:
        for block in re.finditer(r"(?:[^\n]*\S[^\n]*\n?)+", text.replace("\r\n", "\n")):
            line = text.count("\n", 0, block.start()) + 1
            yield RawText(block.group(), f"{path.name}:{line}")


def decode(path: Path, encoding: str) -> str:
    """A file's text; a byte-order mark is no part of it.

    Raises:
        UserError: names file, line and byte offset of what can't be decoded, or an unknown encoding.
    """
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding)
    except UnicodeDecodeError as error:
        # utf-8-sig counts from behind the mark.
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
            remedy="mend the quotes there, or save the table again from the program that it came from",
        ) from None


def _read_jsonl(text: str, path: Path, columns: Columns) -> Iterator[RawText]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError("no object")
        except ValueError as error:
            raise UserError(
                f"{path}: line {number} is no JSON object: {error}", remedy="mend the line, one object a line"
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
        raise UserError(f"{path} is no Parquet file: {error}", remedy="write it again") from None


def _name(value: Any) -> str | None:
    """A cell as a name: none where it is empty."""
    return None if value is None or str(value).strip() == "" else str(value).strip()
