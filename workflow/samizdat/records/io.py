"""Writing and reading of the files between steps: tables as Parquet, documents as JSON, checked by their schemas."""

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from samizdat.base.errors import UserError
from samizdat.base.files import replacing, write_text

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Document = TypeVar("Document", bound="DataclassInstance")


def table_schema(**columns: pa.DataType) -> pa.Schema:
    """Make the schema of a Parquet file with these columns."""
    return pa.schema([pa.field(name, kind) for name, kind in columns.items()])


def write_table(frame: pd.DataFrame, schema: pa.Schema, path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write a frame atomically as Parquet with exactly `schema`.

    Raises:
        ValueError: a column is missing, unknown or has another type, which is a bug in the stage.
    """
    expected = _expected(schema, frame.columns)
    if list(frame.columns) != expected.names:
        raise ValueError(f"{path.name}: columns {list(frame.columns)}, wanted {expected.names}")
    table = pa.Table.from_pandas(frame, schema=expected, preserve_index=False)
    table = table.replace_schema_metadata(metadata)
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_table(path: Path, schema: pa.Schema) -> pd.DataFrame:
    """Read a Parquet file and check that it has exactly `schema`.

    Raises:
        UserError: the file is missing or damaged, or another version wrote it with another schema.
    """
    with _reading(path, pa.ArrowInvalid):
        table = pq.read_table(path)
    expected = _expected(schema, table.column_names)
    if not table.schema.equals(expected):
        found = ", ".join(f"{field.name}: {field.type}" for field in table.schema)
        wanted = ", ".join(f"{field.name}: {field.type}" for field in expected)
        raise UserError(
            f"{path} has other columns than this version writes: it has {found}; expected are {wanted}",
            remedy=f"delete {path} and run again",
        )
    frame: pd.DataFrame = table.to_pandas()
    return frame


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
        UserError: the file is missing or damaged, or its keys are not those of `kind`.
    """
    with _reading(path, json.JSONDecodeError):
        values = json.loads(path.read_text(encoding="utf-8"))
    wanted = {field.name for field in fields(kind)}
    if not isinstance(values, dict) or set(values) != wanted:
        raise UserError(
            f"{path} has other keys than this version writes ({kind.__name__})",
            remedy=f"delete {path} and run again",
        )
    return kind(**values)


@contextlib.contextmanager
def _reading(path: Path, damage: type[Exception]) -> Iterator[None]:
    """Replace the errors of reading a file by a UserError; `damage` is the error of a damaged file."""
    try:
        yield
    except FileNotFoundError:
        raise UserError(f"{path} is missing", remedy="run `snakemake --cores all`, which makes it") from None
    except damage as error:
        raise UserError(f"{path} is damaged ({error})", remedy=f"delete {path} and run again") from None
