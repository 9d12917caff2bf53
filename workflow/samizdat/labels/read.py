"""Read the sheets that raters have filled in, and store their labels (`samizdat label read`)."""

from pathlib import Path

import pandas as pd

from samizdat.base.corpus_files import HIDDEN, LABEL_TABLE, LABELS, named
from samizdat.base.errors import UserError
from samizdat.labels.sheets import KEY, SUFFIXES, Answer, in_words, read_sheet
from samizdat.records.classifiers import ANSWERS
from samizdat.records.io import read_document, write_table
from samizdat.records.labels import HUMAN_LABELS, LabelKey

SHOWN_ROWS = 5


def read(folder: Path, *, unfinished: bool) -> str:
    """Check the sheets of a folder, and write their labels into `labels.parquet` there.

    Args:
        folder: where `samizdat label draw` wrote the sheets.
        unfinished: whether empty cells, and raters without a sheet or an answer, are allowed.

    Returns:
        What was read, and the line for the config.

    Raises:
        UserError: the key or a sheet is missing or was changed, a sheet has unknown labels or is not finished, or
            nobody gave an answer; nothing is written then.
    """
    if not (folder / KEY).is_file():
        raise UserError(
            f"{folder} has no {KEY}, so it is not known what the rows of the sheets are",
            remedy="name the folder that `samizdat label draw` wrote, and put the filled sheets there",
        )
    try:
        key = read_document(LabelKey, folder / KEY)
    except UserError as error:
        raise UserError(
            error.what,
            remedy="put the file back as `samizdat label draw` wrote it; for the same run, the same command writes the "
            "same one where the folder is moved away",
        ) from None
    answers = {rater: _of_rater(folder, rater, key, unfinished=unfinished) for rater in key.raters}
    silent = [rater for rater, given in answers.items() if not any(one is not None for one in given.values())]
    if silent == key.raters:
        raise UserError(
            f"no sheet in {folder} has an answer", remedy=f"put the filled sheets there{_renamed(folder, key)}"
        )
    frame = pd.DataFrame(
        [
            {"question": key.question, "words": key.words, "subset": row["subset"], "id": row["id"],
             "sha256": row["sha256"], "stratum": row["stratum"], "stratum_size": key.strata[row["stratum"]],
             "rater": rater,
             **dict.fromkeys(ANSWERS.values()), ANSWERS[key.kind]: given[name]}
            for rater, given in answers.items()
            for name, row in key.rows.items()
        ],
        columns=HUMAN_LABELS.names,
    )  # fmt: skip
    target = folder / LABEL_TABLE
    write_table(frame, HUMAN_LABELS, target)
    empty = int(frame[ANSWERS[key.kind]].isna().sum())
    left = f"; {empty} rows are empty" if empty else ""
    if silent:
        left += f"; no answer by {', '.join(silent)}{_renamed(folder, key)}"
    own = folder.absolute().parent.parent == LABELS.absolute()
    name = f"{folder.absolute().parent.name}/{folder.name}"
    use = f"Add it to the config: human_labels: [{name}]" if own else f"To use it, put the folder into {LABELS}/<run>/"
    return f"{len(key.rows)} rows by {len(answers)} raters{left}: {target}\n{use}"


def _of_rater(folder: Path, rater: str, key: LabelKey, *, unfinished: bool) -> dict[str, Answer]:
    """Read the sheet of one rater: of several files the one with answers; with `unfinished` there may be none.

    Raises:
        UserError: there is none, two have different labels, or cells are empty.
    """
    paths = [path for suffix in SUFFIXES if (path := folder / f"{rater}{suffix}").is_file()]
    renamed = _renamed(folder, key, rater)
    accept = "; or accept empty cells, which count as no answer: --unfinished"
    if not paths and unfinished:
        return dict.fromkeys(key.rows)
    if not paths:
        raise UserError(
            f"{folder} has no sheet of {rater}",
            remedy=f"put the file there as {rater}.xlsx or {rater}.csv{renamed}{accept}",
        )
    read = {path: read_sheet(path, key) for path in paths}
    filled = {path: given for path, given in read.items() if any(one is not None for one in given.values())}
    first, *more_sheets = (filled or read).items()
    for path, given in more_sheets:
        name = next((one for one in key.rows if given[one] != first[1][one]), None)
        if name is not None:
            raise UserError(
                f"{first[0]} and {path} have different answers, such as in row {name}: {in_words(first[1][name])} and "
                f"{in_words(given[name])}",
                remedy="move the sheet away that the rater didn't fill in last",
            )
    empty = [name for name in key.rows if first[1][name] is None]
    if empty and not unfinished:
        rows = ", ".join(empty[:SHOWN_ROWS]) + (
            f" and {len(empty) - SHOWN_ROWS:,} more" if len(empty) > SHOWN_ROWS else ""
        )
        raise UserError(
            f"{first[0]} has no answer in the rows {rows}", remedy=f"let the rater fill them in{renamed}{accept}"
        )
    return first[1]


def _renamed(folder: Path, key: LabelKey, rater: str = "RATER") -> str:
    """Name the files that may be a rater's filled sheet, and what to call it; nothing where there is none."""
    others = _called_otherwise(folder, key)
    return f"; if it is {named(others)}, save it as {rater}.xlsx or {rater}.csv" if others else ""


def _called_otherwise(folder: Path, key: LabelKey) -> list[str]:
    """List the files that may be a rater's sheet under a name by which it is not read, such as `anna (1).xlsx`."""
    known = {KEY, LABEL_TABLE, *(f"{rater}{suffix}" for rater in key.raters for suffix in SUFFIXES)}
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    return [name for name in names if name not in known and not name.startswith(HIDDEN)]
