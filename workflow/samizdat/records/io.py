"""Writing and reading of the files between steps: tables as Parquet, documents as JSON, checked by their schemas."""

import contextlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, fields
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from samizdat.base.errors import UserError
from samizdat.base.files import MAKE_AGAIN, checked_bytes, checked_sha256, replacing, write_text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Document = TypeVar("Document", bound="DataclassInstance")

# What reading a damaged Parquet file ends in.
_DAMAGE = (pa.ArrowException, OSError, KeyError, UnicodeDecodeError)
# Rows of a batch, and of what is decoded at once of a file.
BATCH_ROWS = 50_000


def table_schema(**columns: pa.DataType) -> pa.Schema:
    """Make the schema of a Parquet file with these columns."""
    return pa.schema([pa.field(name, kind) for name, kind in columns.items()])


def write_table(frame: pd.DataFrame, schema: pa.Schema, path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write a frame atomically as Parquet with exactly `schema`.

    Raises:
        ValueError: a column is missing, unknown or has another type, which is a bug in the stage.
    """
    write_batches([frame], schema, path, metadata)


def write_batches(
    batches: Iterable[pd.DataFrame | Mapping[str, Any]],
    schema: pa.Schema,
    path: Path,
    metadata: dict[str, str] | None = None,
) -> None:
    """Write batches of rows, of which there is at least one, as one Parquet file: the bytes are those of `write_table`.

    Args:
        batches: frames, or column → its cells as a list or an array; each but the last has BATCH_ROWS rows.
        schema: of the file.
        path: the file.
        metadata: of the file.

    Raises:
        ValueError: a column is missing, unknown or has another type, which is a bug in the stage.
    """
    # One batch is written while the next one is made.
    with replacing(path) as temporary, contextlib.ExitStack() as stack, ThreadPoolExecutor(1) as thread:
        writer, writing = None, None
        for batch in batches:
            expected = _expected(schema, [str(name) for name in batch])
            if list(batch) != expected.names:
                raise ValueError(f"{path.name}: columns {list(batch)}, wanted {expected.names}")
            table = pa.Table.from_pydict(dict(batch), expected).replace_schema_metadata(metadata)
            if writer is None:
                writer = stack.enter_context(pq.ParquetWriter(temporary, table.schema, compression="zstd"))
            if writing is not None:
                writing.result()
            writing = thread.submit(writer.write_table, table, row_group_size=BATCH_ROWS)
        if writing is not None:
            writing.result()


def read_table(path: Path, schema: pa.Schema, *, without: Collection[str] = ()) -> pd.DataFrame:
    """Read a Parquet file and check that it has exactly `schema`.

    Args:
        path: the file.
        schema: of all its columns.
        without: columns that are not read.

    Raises:
        UserError: the file is missing or damaged, or another version wrote it with another schema.
    """
    return read_columns(path, *(name for name in checked_columns(path, schema) if name not in without))


def checked_columns(path: Path, schema: pa.Schema) -> list[str]:
    """Name the columns of a Parquet file, which must have exactly `schema`.

    Raises:
        UserError: the file is missing or damaged, or another version wrote it with another schema.
    """
    with _reading(path, *_DAMAGE):
        with path.open("rb") as file:
            found = pq.read_schema(file)
        found.names  # noqa: B018 - decodes the names, which may be damaged
    expected = _expected(schema, found.names)
    if not found.equals(expected):
        checked_sha256(path)  # else damage is told as another version's
        has = ", ".join(f"{field.name}: {field.type}" for field in found)
        wanted = ", ".join(f"{field.name}: {field.type}" for field in expected)
        raise UserError(
            f"{path} has other columns than this version writes: it has {has}; expected are {wanted}",
            remedy=MAKE_AGAIN,
        )
    return list(expected.names)


def count_rows(path: Path) -> int:
    """Count the rows of a Parquet file.

    Raises:
        UserError: the file is missing or damaged.
    """
    with _reading(path, *_DAMAGE), path.open("rb") as file:
        return int(pq.read_metadata(file).num_rows)


def read_columns(path: Path, *names: str) -> pd.DataFrame:
    """Read some columns of a Parquet file, whatever others it has.

    Args:
        path: the file.
        names: the columns.

    Raises:
        UserError: the file is missing or damaged, or lacks one of them.
    """
    with _reading(path, *_DAMAGE):
        checked_sha256(path)
        with path.open("rb") as file:  # a name may be read as an address, or have bytes that are no text
            frame: pd.DataFrame = pq.read_table(file, columns=list(names)).to_pandas()
        return frame[list(names)]


def read_batches(path: Path, *names: str) -> Iterator[pd.DataFrame]:
    """Read some columns of a Parquet file in batches of at most BATCH_ROWS rows: memory doesn't grow with the file.

    There is one batch at least; of a file without rows it is empty.

    Raises:
        UserError: the file is missing or damaged, or lacks one of them.
    """
    for batch in read_record_batches(path, *names):
        frame: pd.DataFrame = batch.to_pandas()
        yield frame[list(names)]


def read_record_batches(path: Path, *names: str) -> Iterator[pa.RecordBatch]:
    """Read as `read_batches` what is measured without a Python object for each cell."""
    with _opened(path, *names) as file:
        # One group of rows after the other: pyarrow reads ahead, and keeps what it has read until the last batch.
        batches = (
            batch
            for group in range(file.num_row_groups)
            for batch in file.iter_batches(BATCH_ROWS, row_groups=[group], columns=list(names), use_threads=False)
        )
        empty = pa.RecordBatch.from_pylist([], file.schema_arrow)
        yield from batches if file.metadata.num_rows else [empty.select(list(names))]


def read_rows(path: Path, chosen: np.ndarray, *names: str) -> pd.DataFrame:
    """Read some rows of some columns of a Parquet file: memory grows with these rows, not with the file.

    Args:
        path: the file.
        chosen: whether to read each row of the file, `[rows]`.
        names: the columns.

    Raises:
        UserError: the file is missing or damaged, or lacks one of them.
    """
    with _opened(path, *names) as file:
        parts = [file.schema_arrow.empty_table().select(list(names)).to_pandas()]
        begin = 0
        for group in range(file.num_row_groups):
            end = begin + file.metadata.row_group(group).num_rows
            if (mine := chosen[begin:end]).any():
                rows = file.read_row_group(group, columns=list(names), use_threads=False)
                parts.append(rows.filter(pa.array(mine)).select(list(names)).to_pandas())
            begin = end
        found: pd.DataFrame = pd.concat(parts[1:] or parts, ignore_index=True)
        return found


def read_where(path: Path, column: str, values: Collection[str], *names: str) -> pd.DataFrame:
    """Read as `read_rows` the rows whose cell in a column of strings is one of some values.

    Args:
        path: the file.
        column: the column.
        values: the values.
        names: the columns to read.
    """
    wanted = pa.array(list(values), pa.string())
    found = [
        pc.is_in(batch[column], wanted).to_numpy(zero_copy_only=False) for batch in read_record_batches(path, column)
    ]
    return read_rows(path, np.concatenate(found), *names)


def _expected(schema: pa.Schema, names: Iterable[str]) -> pa.Schema:
    """Add to the schema a string column for each name that begins with the prefix in its metadata `may_add`."""
    prefix = (schema.metadata or {}).get(b"may_add")
    more = [] if prefix is None else [name for name in names if name.startswith(prefix.decode())]
    return pa.schema([*schema, *(pa.field(name, pa.string()) for name in more)])


def write_document(document: "DataclassInstance", path: Path) -> None:
    """Write a dataclass of this room atomically as JSON with sorted keys."""
    text = json.dumps(asdict(document), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def read_document(kind: type[Document], path: Path) -> Document:
    """Read a dataclass of this room from JSON.

    Raises:
        UserError: the file is missing or damaged, or its keys or the types of their values are not those of `kind`.
    """
    with _reading(path):
        content = checked_bytes(path)
    return parse_document(kind, content, path)


def parse_document(kind: type[Document], content: bytes, path: Path) -> Document:
    """Read a dataclass of this room from the bytes of a JSON file.

    Args:
        kind: the dataclass.
        content: of the file.
        path: the file, for messages.

    Raises:
        UserError: it is no JSON, or its keys or the types of their values are not those of `kind`.
    """
    with _reading(path, ValueError, RecursionError):
        values = json.loads(content)
    hints = get_type_hints(kind)
    if not isinstance(values, dict) or set(values) != {field.name for field in fields(kind)}:
        raise UserError(f"{path} has other keys than this version writes ({kind.__name__})", remedy=MAKE_AGAIN)
    for key, value in values.items():
        if not has_type(value, hints[key]):
            raise UserError(
                f"{path}: {key!r} is not what this version writes there ({kind.__name__})", remedy=MAKE_AGAIN
            )
    return kind(**values)


def has_type(value: Any, hint: Any) -> bool:
    """Whether a JSON value has the type that a document declares for it; tuples are lists, and a float may be 1."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, UnionType):
        return any(has_type(value, choice) for choice in inner)
    if origin is Literal:
        return type(value) is str and value in inner
    if origin is dict:
        return isinstance(value, dict) and all(has_type(item, inner[1]) for item in value.values())
    if origin in (list, tuple):
        return isinstance(value, list) and all(has_type(item, inner[0]) for item in value)
    return type(value) in (int, float) if hint is float else type(value) is hint


@contextlib.contextmanager
def _reading(path: Path, *damage: type[Exception]) -> Iterator[None]:
    """Replace the errors of reading a file by a UserError; `damage` are the errors of a damaged file."""
    try:
        yield
    except FileNotFoundError:
        raise UserError(f"{path} is missing", remedy=MAKE_AGAIN) from None
    except damage as error:
        if getattr(error, "errno", None) is not None:
            raise  # the disk's own error
        raise UserError(f"{path} is damaged ({error})", remedy=MAKE_AGAIN) from None


@contextlib.contextmanager
def _opened(path: Path, *names: str) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file that has these columns."""
    with _reading(path, *_DAMAGE):
        checked_sha256(path)
        with path.open("rb") as opened, pq.ParquetFile(opened) as file:
            if missing := set(names) - set(file.schema_arrow.names):
                raise KeyError(*sorted(missing))
            yield file
