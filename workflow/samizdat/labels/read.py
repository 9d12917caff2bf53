"""Read the sheets that raters have filled in, and store their labels (`samizdat label read`)."""

from pathlib import Path

import pandas as pd

from samizdat.base.corpus_files import LABEL_TABLE, LABELS
from samizdat.base.errors import UserError
from samizdat.labels.sheets import SUFFIXES, Answer, in_words, read_sheet
from samizdat.records.classifiers import ANSWERS
from samizdat.records.io import read_document, write_table
from samizdat.records.labels import HUMAN_LABELS, LabelKey

SHOWN_ROWS = 5


def read(folder: Path, *, unfinished: bool) -> str:
    """Check the sheets of a folder, and write their labels into `labels.parquet` there.

    Args:
        folder: where `samizdat label draw` wrote the sheets.
        unfinished: whether empty cells are allowed.

    Returns:
        What was read, and the line for the config.

    Raises:
        UserError: a sheet is missing, was changed, has unknown labels or is not finished; nothing is written then.
    """
    if not (folder / "key.json").is_file():
        raise UserError(
            f"{folder} has no key.json, so it is not known what the rows of the sheets are",
            remedy="name the folder that `samizdat label draw` wrote, and put the filled sheets there",
        )
    key = read_document(LabelKey, folder / "key.json")
    answers = {rater: _of_rater(folder, rater, key, unfinished=unfinished) for rater in key.raters}
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
    own = folder.absolute().parent.parent == LABELS.absolute()
    name = f"{folder.absolute().parent.name}/{folder.name}"
    use = f"Add it to the config: human_labels: [{name}]" if own else f"To use it, put the folder into {LABELS}/<run>/"
    return f"{len(key.rows)} rows by {len(answers)} raters{left}: {target}\n{use}"


def _of_rater(folder: Path, rater: str, key: LabelKey, *, unfinished: bool) -> dict[str, Answer]:
    """Read the sheet of one rater: of several files the one with answers.

    Raises:
        UserError: there is none, two have different labels, or cells are empty.
    """
    paths = [path for suffix in SUFFIXES if (path := folder / f"{rater}{suffix}").is_file()]
    if not paths:
        raise UserError(
            f"{folder} has no sheet of {rater}", remedy=f"put the file there as {rater}.xlsx or {rater}.csv"
        )
    read = {path: read_sheet(path, key) for path in paths}
    filled = {path: given for path, given in read.items() if any(one is not None for one in given.values())}
    first, *others = (filled or read).items()
    for path, given in others:
        name = next((one for one in key.rows if given[one] != first[1][one]), None)
        if name is not None:
            raise UserError(
                f"{first[0]} and {path} have different answers, such as in row {name}: {in_words(first[1][name])} and "
                f"{in_words(given[name])}",
                remedy="move the sheet away that the rater didn't fill in last",
            )
    empty = [name for name in key.rows if first[1][name] is None]
    if empty and (not filled or not unfinished):
        rows = ", ".join(empty[:SHOWN_ROWS]) + (
            f" and {len(empty) - SHOWN_ROWS:,} more" if len(empty) > SHOWN_ROWS else ""
        )
        more = "; or accept empty cells, which count as no answer: --unfinished" if filled else ""
        raise UserError(f"{first[0]} has no answer in the rows {rows}", remedy=f"let the rater fill them in{more}")
    return first[1]
