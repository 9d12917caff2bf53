"""Texts of Parquet files, also of the parts of a table that is a folder."""

import io
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from samizdat.base.errors import UserError
from samizdat.corpus.decoding import read_bytes
from samizdat.corpus.rows import Columns, Findings, RawText

_BYTES = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary, pa.types.is_binary_view)
# What Hive, and Spark after it, call the part without a value.
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
# Long texts of so many rows are in memory at once.
BATCH_ROWS = 1000
# What people don't write behind a point in time.
_NO_FRACTION = r"(?: 00:00:00)?(?:\.0+)?$"


def read_parquet(path: Path, columns: Columns, findings: Findings) -> Iterator[RawText]:
    """Read the rows of one file; a field of a struct has a dotted path.

    A folder on the way to the file that is named `column=value` is a column with that value in each row, as Spark
    and Dask write it, unless the file itself has that column.

    Raises:
        UserError: the file is damaged, the column of texts holds none, or a column of names holds lists or objects.
    """
    try:
        file = pq.ParquetFile(path if _is_parquet(path) else io.BytesIO(read_bytes(path)))
        schema = file.schema_arrow
        folders = {column: value for column, value in _from_folders(path).items() if not way_to(schema, column)}
        wanted = {column: way_to(schema, column) for _, column in columns.by_key() if column not in folders}
        has = {column for column, way in wanted.items() if way} | folders.keys()
        columns.check_file(path, [*schema.names, *folders], has, findings)
        columns.check_twice(schema.names, str(path))
        _check_types(path, schema, wanted, columns)
        tops = sorted({way[0] for way in wanted.values() if way})
        number = 0
        # One group of rows after the other: pyarrow keeps what it has read until the last batch.
        groups = ([group] for group in range(file.num_row_groups))
        batches = (file.iter_batches(BATCH_ROWS, row_groups=group, columns=tops) for group in groups)
        for batch in chain.from_iterable(batches):
            cells = {
                column: values_of(batch, way, as_stored=column == columns.text) for column, way in wanted.items() if way
            }
            for place in range(batch.num_rows):
                number += 1
                row = folders | {column: values[place] for column, values in cells.items()}
                yield columns.read(row, f"{path.name}:{number}")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: a cell is not UTF-8, which strings in Parquet files are: {error.reason}",
            remedy="decode the column with its own encoding where the file was made, and save it again",
        ) from None
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # An error of this machine, such as a disk that can't be read.
        raise UserError(
            f"{path} is damaged, or no Parquet file: {error}",
            remedy="save it again from the program that it came from, or copy it again",
        ) from None


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _from_folders(path: Path) -> dict[str, str | None]:
    found = (re.fullmatch("([^=]+)=(.*)", part) for part in path.parts[:-1])
    pairs = {unquote(match[1]): unquote(match[2]) for match in found if match}
    return {column: None if value == _NO_VALUE else value for column, value in pairs.items()}


def way_to(schema: pa.Schema, path: str) -> tuple[str, ...] | None:
    """Find a column, or the field of a struct by its dotted path; return the names on the way, or None."""
    if path in schema.names:
        return (path,)
    parts = path.split(".")
    for end in range(len(parts) - 1, 0, -1):
        top = ".".join(parts[:end])
        if top in schema.names:
            kind = schema.field(schema.get_all_field_indices(top)[0]).type
            for name in parts[end:]:
                if not pa.types.is_struct(kind) or kind.get_field_index(name) < 0:
                    return None
                kind = kind.field(name).type
            return (top, *parts[end:])
    return None


def _type(schema: pa.Schema, way: tuple[str, ...]) -> pa.DataType:
    kind = schema.field(way[0]).type
    for name in way[1:]:
        kind = kind.field(name).type
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _check_types(path: Path, schema: pa.Schema, wanted: dict[str, tuple[str, ...] | None], columns: Columns) -> None:
    """Refuse a column of texts that holds none, and names that are no single values."""
    for key, column in columns.by_key():
        way = wanted.get(column)
        if way is None:
            continue
        kind = _type(schema, way)
        stored = kind.storage_type if isinstance(kind, pa.BaseExtensionType) and kind != pa.uuid() else kind
        if key == "text_column":
            if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
                raise UserError(
                    f"{path}: the column {column!r} (corpus.text_column) holds {kind}, not text",
                    remedy="name a column of strings, or convert this one to strings where the file was made",
                )
        elif pa.types.is_nested(stored) or any(is_bytes(stored) for is_bytes in _BYTES):
            raise UserError(
                f"{path}: the column {column!r} (corpus.{key}) holds {kind}, but a name or label is a single value",
                remedy="name another column, or make a column with one value for each text",
            )


def values_of(batch: pa.RecordBatch, way: tuple[str, ...], *, as_stored: bool) -> list[Any]:
    """Return the cells of a column as they are stored, or single values as they are written, 1.0 as 1."""
    cells = batch.column(way[0])
    for name in way[1:]:
        cells = pc.struct_field(cells, name)
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    kind = cells.type
    many = pa.types.is_nested(kind) or any(is_bytes(kind) for is_bytes in _BYTES)
    if as_stored or many or isinstance(kind, pa.BaseExtensionType):
        return list(cells.to_pylist())
    written = cells.cast(pa.string())
    if pa.types.is_timestamp(kind):
        written = pc.replace_substring_regex(written, _NO_FRACTION, "")
    return list(written.to_pylist())
