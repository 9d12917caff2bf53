"""Tables as rows and as parts, with the types that the report needs."""

from typing import Any, cast

import pandas as pd

Row = dict[str, Any]


def rows_of(frame: pd.DataFrame) -> list[Row]:
    """Return the rows of a table as dictionaries: column → value."""
    return cast("list[Row]", frame.to_dict("records"))  # pandas allows columns without a text as name; records don't


def parts_of(frame: pd.DataFrame, column: str) -> dict[str, pd.DataFrame]:
    """Split a table by a column of texts: value → its rows, values in the order in which they first appear."""
    return {str(value): part for value, part in frame.groupby(column, sort=False)}


def in_order(column: pd.Series) -> list[str]:
    """Return the different values of a column of texts in the order in which they first appear."""
    return list(dict.fromkeys(column))
