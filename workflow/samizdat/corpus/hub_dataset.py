"""Texts from a dataset on the Hugging Face Hub."""

from collections.abc import Iterator
from typing import Any

from samizdat.base.errors import UserError
from samizdat.checkpoints.sources import COMMIT, first_line
from samizdat.corpus.rows import Columns, RawText


def open_dataset(
    name: str, revision: str | None, subset: str | None, split: str, columns: Columns
) -> tuple[str, Iterator[RawText]]:
    """Open a dataset; its class labels are read by their names.

    Args:
        name: the dataset's id on the Hub.
        revision: its commit, tag or branch; None: the newest.
        subset: its configuration, where it has several.
        split: the split to read.
        columns: which columns hold what.

    Returns:
        The dataset's id with its commit, and its texts.

    Raises:
        UserError: the dataset can't be loaded, or lacks one of the columns.
    """
    import datasets
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # it is httpx's, and not listed there

    datasets.disable_progress_bars()
    datasets.logging.set_verbosity_error()
    try:
        builder = datasets.load_dataset_builder(name, subset, revision=revision)
        builder.download_and_prepare()
        table = builder.as_dataset(split=split)
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
    columns.check(table.column_names, f"the dataset {name}")
    names = {
        column: feature.names for column, feature in table.features.items() if isinstance(feature, datasets.ClassLabel)
    }
    rows = (
        columns.read(_name_classes(row, names), f"{name}, row {number}")
        for number, row in enumerate(table.select_columns(sorted({column for _, column in columns.by_key()})))
    )
    return f"{name}@{builder.hash}", rows


def _name_classes(row: dict[str, Any], names: dict[str, list[str]]) -> dict[str, Any]:
    """Replace the numbers of class labels in a row by their names, and -1, which means no label, by None."""
    numbers = {column: row[column] for column in names if column in row}
    spelled = {
        column: None if number is None or number < 0 else names[column][number] for column, number in numbers.items()
    }
    return row | spelled
