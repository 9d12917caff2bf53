"""Texts from a dataset on the Hugging Face Hub."""

from collections.abc import Iterator
from typing import Any

from samizdat.base.errors import UserError
from samizdat.checkpoints.sources import COMMIT, first_line
from samizdat.corpus.parquet_texts import BATCH_ROWS, values_of, way_to
from samizdat.corpus.rows import Columns, RawText
from samizdat.corpus.splits import split_called
from samizdat.records.corpus import SPLITS


def open_dataset(
    name: str, revision: str | None, subset: str | None, split: str | None, columns: Columns
) -> tuple[str, Iterator[RawText], list[str]]:
    """Open a dataset; its class labels are read by their names.

    Args:
        name: the dataset's id on the Hub.
        revision: its commit, tag or branch; None: the newest.
        subset: its configuration, where it has several.
        split: the split to read; None: those for training, validation and test, whose texts stay in them.
        columns: which columns hold what.

    Returns:
        The dataset's id with its commit, its texts, and the names of the splits that are not read.

    Raises:
        UserError: the dataset can't be loaded, lacks one of the columns, or has no split for training.
    """
    import datasets
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # it is httpx's, and not listed there

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity_error()
    try:
        builder = datasets.load_dataset_builder(name, subset, revision=revision)
        builder.download_and_prepare()
        called = {one: split_called(one) for one in builder.info.splits or {}}
        own = {one: there for one, there in called.items() if there} if split is None else {split: None}
        tables = {
            one: builder.as_dataset(split=one) for one in sorted(own, key=lambda one: SPLITS.index(own[one] or "train"))
        }
    except (datasets.exceptions.DatasetsError, HTTPError, OSError, ValueError, RuntimeError) as error:
        if getattr(error, "errno", None) is not None:
            raise  # An error of this machine, such as a full disk.
        raise UserError(
            f"the dataset {name} at revision {revision} can't be loaded: {first_line(error)}",
            remedy="check the id, revision, subset and dataset_split under corpus in the config; without a "
            "network, set HF_HUB_OFFLINE=1 to use what was fetched before, or save the texts as a file in data/ "
            "and set `source: files`",
        ) from None
    # Where the Hub can't be reached, datasets takes the newest revision that it has, whatever was asked for.
    if COMMIT.fullmatch(revision or "") and builder.hash != revision:
        raise UserError(
            f"of the dataset {name} this machine has revision {builder.hash}, not {revision}",
            remedy="run once where the Hub can be reached, or name the revision that is here",
        )
    if split is None and "train" not in own.values():
        raise UserError(
            f"the dataset {name} has no split for training; it has: {', '.join(map(repr, called))}",
            remedy="set corpus.dataset_split to one of these, and its texts are divided here",
        )
    for one, table in tables.items():
        nested = [column for _, column in columns.by_key() if _way(table, column)]
        columns.check([*table.column_names, *nested], f"the dataset {name}, split {one!r},")
    rows = (raw for one, table in tables.items() for raw in _read(table, f"{name}, {one}", columns, own[one]))
    return f"{name}@{builder.hash}", rows, [one for one in called if one not in own] if split is None else []


def _way(table: Any, column: str) -> tuple[str, ...]:
    """Return the names that lead to a column, or to a field by its dotted path, such as `translation.cs`."""
    return way_to(table.features.arrow_schema, column) or ()


def _read(table: Any, where: str, columns: Columns, split: str | None) -> Iterator[RawText]:
    import datasets

    ways = {column: _way(table, column) for _, column in columns.by_key()}
    names = {}
    for column, way in ways.items():
        feature = _inside(table.features, way)
        if isinstance(feature, datasets.ClassLabel):
            names[column] = feature.names
    chosen = table.select_columns(sorted({way[0] for way in ways.values()})).with_format("arrow")
    number = 0
    for batch in (batch for some in chosen.iter(BATCH_ROWS) for batch in some.to_batches()):
        stored = {columns.text, *names}
        cells = {column: values_of(batch, way, as_stored=column in stored) for column, way in ways.items()}
        for place in range(batch.num_rows):
            row = {column: values[place] for column, values in cells.items()}
            raw = columns.read(_name_classes(row, names), f"{where}, row {number}")
            raw.split = split or raw.split
            number += 1
            yield raw


def _inside(value: Any, way: tuple[str, ...]) -> Any:
    """Follow names into nested mappings; None where there is none."""
    for name in way:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _name_classes(row: dict[str, Any], names: dict[str, list[str]]) -> dict[str, Any]:
    """Replace the numbers of class labels in a row by their names, and -1, which means no label, by None."""
    numbers = {column: row[column] for column in names if column in row}
    spelled = {
        column: None if number is None or number < 0 else names[column][number] for column, number in numbers.items()
    }
    return row | spelled
