"""Every statistic of a run under a key that another run's statistic of the same kind has, too."""

import math
from collections.abc import Iterator

import pyarrow as pa

from samizdat.records.io import read_table
from samizdat.records.labels import RATER_QUALITY
from samizdat.records.sample_quality import SAMPLE_QUALITY
from samizdat.records.statistics import STATISTICS
from samizdat.records.yardsticks import YARDSTICKS
from samizdat.reporting.frames import rows_of
from samizdat.reporting.run import Run
from samizdat.reporting.words import is_null

# The column of each table that has its number. Left out: `examples`, which are texts; `terms`, which are words of
# texts and the clearest of one run; and `model_differences`, which are within one run.
VALUES = {
    "label_shares": "share", "divergences": "jensen_shannon_bits", "quality": "value", "confusion": "count",
    "calibration": "accuracy", "associations": "value", "group_tests": "cramers_v", "label_differences": "value",
    "cooccurrence": "share", "numbers": "value", "positions": "value", "position_changes": "value",
    "languages": "texts", "fitness": "texts", "model_losses": "value", "sample_quality": "value",
    "yardsticks": "bits_per_byte", "rater_quality": "value",
}  # fmt: skip
OTHERS = {"sample_quality": SAMPLE_QUALITY, "yardsticks": YARDSTICKS, "rater_quality": RATER_QUALITY}
# Numbers that say which row it is.
_WHICH = ("percent", "temperature", "from", "part")

# Metrics that count, in a column of other numbers.
COUNTS = {"rater_quality": ("drawn", "undecided", "gone", "seen", "unestimated", "rows_needed")}

Line = tuple[float, float, float]


def lines(run: Run) -> dict[tuple[str, ...], Line]:
    """Return value, low and high of each statistic; NaN where there is no interval. A count is an `int`.

    The key is the table's name and what tells its rows apart, such as the classifier and the label.
    """
    return dict(line for name in VALUES for line in _of_table(run, name))


def _of_table(run: Run, name: str) -> Iterator[tuple[tuple[str, ...], Line]]:
    schema = OTHERS.get(name) or STATISTICS[name]
    frame = read_table(run.folder / "statistics" / f"{name}.parquet", schema)
    which = [field.name for field in schema if pa.types.is_string(field.type) or field.name in _WHICH]
    whole = pa.types.is_integer(schema.field(VALUES[name]).type)
    for row in rows_of(frame):
        value = row[VALUES[name]]
        if is_null(value):
            continue
        words = [_word(column, row[column]) for column in which if not is_null(row[column])]
        low, high = (float(row.get(bound, math.nan)) for bound in ("low", "high"))
        counts = whole or row.get("metric") in COUNTS.get(name, ())
        yield (name, *words), (int(value) if counts else float(value), low, high)


def _word(column: str, value: str | float) -> str:
    return value if isinstance(value, str) else f"{column} {value:g}"
