"""A model that was trained with several seeds is one model in the tables, with the range of its numbers."""

from collections.abc import Iterable, Iterator

from samizdat.base.configuration import model_of
from samizdat.statistics.tables import Row

NAMES = ("classifier", "subset", "percent", "temperature", "begun_with", "metric")


def fold_seeds(rows: Iterable[Row], column: str) -> Iterator[Row]:
    """Keep the rows of each model's first training, and add the range over all its seeds.

    Args:
        rows: with a column `model` that has names of trainings; rows without it stay as they are.
        column: what the range is of. It is given as `seeds_low` and `seeds_high`, for models of several seeds.
    """
    sets: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        key = (model_of(row.get("model") or ""), *(row.get(name) for name in NAMES))
        sets.setdefault(key, []).append(row)
    for part in sets.values():
        values = [row[column] for row in part]
        spread = {"seeds_low": min(values), "seeds_high": max(values)} if len(part) > 1 else {}
        for row in part:
            if model_of(row.get("model") or "") == (row.get("model") or ""):
                yield row | spread
