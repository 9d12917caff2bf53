"""Tables of statistics: rows as dictionaries, written in the order and the types of a schema."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from samizdat.records.io import write_table

Row = dict[str, Any]


def write_rows(rows: Iterable[Row], schema: pa.Schema, path: Path) -> None:
    """Write rows as Parquet in exactly `schema`, atomically; a column that a row lacks is null."""
    frame = pd.DataFrame(list(rows), columns=schema.names)
    for field in schema:
        if pa.types.is_floating(field.type):
            frame[field.name] = frame[field.name].astype(float)
    write_table(frame, schema, path)
