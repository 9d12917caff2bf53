"""Compare classifiers, and samples, with the labels that people gave drawn texts (`samizdat label`)."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from samizdat.base import stage
from samizdat.base.errors import UserError
from samizdat.base.seeds import derive_seed
from samizdat.measures.bootstrap import Bootstrap
from samizdat.measures.stratified import rows_for
from samizdat.records.classifiers import ANSWERS, MULTI_LABEL, NUMBER, SCORES, SINGLE_LABEL, ClassifierCard, Kind
from samizdat.records.corpus import LABEL_PREFIX, TEXTS
from samizdat.records.io import checked_columns, read_batches, read_document, read_table
from samizdat.records.labels import HUMAN_LABELS, ORIGIN, RATER_QUALITY, is_own
from samizdat.statistics.rater_agreement import between_raters, wide
from samizdat.statistics.rater_quality import (
    of_classifier,
    of_labels,
    of_numbers,
    of_origin,
    of_several_labels,
    unestimated,
)
from samizdat.statistics.strata import stratum_sizes
from samizdat.statistics.tables import Row, write_rows

HALF_WIDTH = 0.05


def compare_with_raters(
    confidence: float,
    bootstrap_resamples: int,
    texts: Path,
    samples: tuple[Path, ...],
    classifiers: tuple[Path, ...],
    scores: Path,
    labels: tuple[Path, ...],
    quality: Path,
    seed: int,
) -> str:
    """Write `statistics/rater_quality.parquet`, and say which classifiers nobody has labelled texts for.

    Args:
        confidence: of intervals.
        bootstrap_resamples: of intervals, and number of permutations.
        texts: the corpus.
        samples: one table for each training of a model.
        classifiers: the folders `classifiers/<name>`.
        scores: the folder with `<name>/texts.parquet` and `<name>/samples.parquet`.
        labels: tables that `samizdat label read` wrote.
        quality: the file to write.
        seed: of the stage.

    Raises:
        UserError: a file is missing or damaged, its labels are for no classifier of the run, or the classifier has not
            these labels any more.
    """
    columns = checked_columns(texts, TEXTS)
    cards = {folder.name: read_document(ClassifierCard, folder / "card.json") for folder in classifiers}
    tables = [(path, _answers(path)) for path in labels]
    there = _places({key for _, table in tables for key in table["id"]}, texts, samples) if labels else set()
    rows: list[Row] = []
    asked = set()
    for path, table in tables:
        question = table["question"].iloc[0]
        if question not in cards and question != ORIGIN and not is_own(question):
            raise UserError(
                f"{path} has labels for the classifier {question!r}, which this run doesn't have",
                remedy="take it out of human_labels in the config, or give the classifier its old name",
            )
        if question in asked:
            raise UserError(
                f"two tables of human_labels are for the question {question!r}; the second is {path}",
                remedy="keep one of them in the config",
            )
        asked.add(question)
        column = ANSWERS[cards[question].kind if question in cards else SINGLE_LABEL]
        if table[column].isna().all():
            raise UserError(
                f"{path} has no answers of the kind that the classifier {question!r} gives ({column})",
                remedy="draw sheets for the classifier as it is now, with `samizdat label draw`",
            )
        if question in cards and cards[question].kind != NUMBER:
            table = _named_now(table, cards[question], path)
        bootstrap = Bootstrap(confidence, bootstrap_resamples, derive_seed(seed, question))
        found = _of_question(question, table, there, cards.get(question), scores / question, bootstrap)
        rows += [{"question": question} | row for row in found]
    lacking = []
    for name, card in cards.items():
        row = _needed(scores / name / "texts.parquet", card.kind, confidence)
        rows += [{"question": name} | row] if row else []
        if row and name not in asked and LABEL_PREFIX + (card.label_column or "") not in columns:
            lacking.append(f"{name}: {row['value']:,}")
    write_rows(rows, RATER_QUALITY, quality)
    if not lacking:
        return f"tables of labels by people: {len(labels)}"
    return (
        f"nobody has labelled texts for these classifiers; so many would give an interval of ±{100 * HALF_WIDTH:.0f} "
        f"points (samizdat label draw): {', '.join(lacking)}"
    )


def _answers(path: Path) -> pd.DataFrame:
    """Read a table of labels by people.

    Raises:
        UserError: it is missing or damaged, another version wrote it, or it isn't of one question.
    """
    remedy = f"put the file back, or write it again from the filled sheets: samizdat label read {path.parent}"
    try:
        table = read_table(path, HUMAN_LABELS)
    except UserError as error:
        raise UserError(error.what, remedy=remedy) from None  # no step of a run makes the file
    if table["question"].isna().any() or table["question"].nunique() != 1:
        raise UserError(f"{path} does not have the answers to one question, as each table of labels has", remedy=remedy)
    return table


def _named_now(table: pd.DataFrame, card: ClassifierCard, path: Path) -> pd.DataFrame:
    """Give the labels on sheets the names that `label_map` gives them now; it may be newer than the sheets.

    Raises:
        UserError: the classifier has none of these names.
    """
    column = ANSWERS[card.kind]
    said = {one for one in (table[column].explode() if card.kind == MULTI_LABEL else table[column]).dropna()}
    now = {one: card.mapped(one) if one in {*card.checkpoint_labels} - {*card.labels} else one for one in said}
    if unknown := sorted(one for one in said if now[one] not in card.labels):
        raise UserError(
            f"{path} has labels that the classifier {card.name!r} doesn't have (any more): {unknown}; it has "
            f"{card.labels}",
            remedy="give the labels their old names in the config, draw sheets for the classifier as it is now, with "
            "`samizdat label draw`, or take the file out of human_labels",
        )
    if card.kind == MULTI_LABEL:
        renamed = table[column].map(lambda some: [now[one] for one in some], na_action="ignore")
    else:
        renamed = table[column].map(now)
    return table.assign(**{column: renamed})


def _of_question(
    question: str, table: pd.DataFrame, there: set[tuple[str, str, str]], card: ClassifierCard | None,
    scores: Path, bootstrap: Bootstrap,
) -> list[Row]:  # fmt: skip
    """Compute the rows of one table of labels; texts that the run has no more, or no score for, are counted."""
    kind = SINGLE_LABEL if card is None else card.kind
    every = wide(table, kind)
    places = zip(every["subset"], every["id"], every["sha256"], strict=True)
    drawn = every[[place in there for place in places]].reset_index(drop=True)
    counts = {"drawn": len(every), "gone": len(every) - len(drawn), "undecided": int(drawn["human"].isna().sum())}
    rows = between_raters(drawn, bootstrap, kind)
    if is_own(question):
        rows += of_labels(drawn, bootstrap)
        rows += unestimated(every, drawn[drawn["human"].notna()])
    elif card is None:
        rows += of_origin(drawn, bootstrap)
    else:
        joined = drawn.merge(_scores_of(set(drawn["id"]), scores, kind), on=["subset", "id"])
        judged = joined[joined["predicted"].notna() & ~joined["seen_in_training"]]
        counts["seen"] = len(joined) - len(judged)
        if kind == NUMBER:
            rows += of_numbers(judged, bootstrap)
        else:
            rows += (of_several_labels if kind == MULTI_LABEL else of_classifier)(judged, card.labels, bootstrap)
        rows += unestimated(every, judged[judged["human"].notna()])
    told = [{"metric": metric, "rows": value, "value": value} for metric, value in counts.items()]
    if is_own(question):
        told[0]["words"] = table["words"].iloc[0]
    return [*told, *rows]


def _scores_of(ids: set[str], scores: Path, kind: Kind) -> pd.DataFrame:
    """Read what a classifier says of these texts and samples: `subset`, `id`, `predicted`, `seen_in_training`."""
    parts = [
        batch[batch["id"].isin(ids)].assign(subset=subset)
        for subset in ("texts", "samples")
        for batch in _score_batches(scores / f"{subset}.parquet", "id", ANSWERS[kind], "seen_in_training")
    ]
    return pd.concat(parts, ignore_index=True).rename(columns={ANSWERS[kind]: "predicted"})


def _score_batches(path: Path, *names: str) -> Iterator[pd.DataFrame]:
    checked_columns(path, SCORES)
    yield from read_batches(path, *names)


def _needed(scores: Path, kind: Kind, confidence: float) -> Row | None:
    """Compute how many texts must be labelled for an interval of ±HALF_WIDTH; None for no texts, and for numbers."""
    if kind == NUMBER:
        return None
    answers: Counter[Any] = Counter()
    for batch in _score_batches(scores, ANSWERS[kind], "seen_in_training"):
        said = batch.loc[~batch["seen_in_training"], ANSWERS[kind]].dropna()
        answers.update(said.map(tuple) if kind == MULTI_LABEL else said)
    if not answers:
        return None
    sizes = np.sort(stratum_sizes(answers, kind))[::-1]
    needed = rows_for(sizes, HALF_WIDTH, confidence)
    return {"subset": "texts", "metric": "rows_needed", "value": needed, "rows": 0, "population": answers.total()}


def _places(ids: set[str], texts: Path, samples: tuple[Path, ...]) -> set[tuple[str, str, str]]:
    """List subset, id and hash of the texts and samples with these ids."""
    return {
        (subset, key, _sha256(text))
        for subset, paths in (("texts", (texts,)), ("samples", samples))
        for path in paths
        for batch in read_batches(path, "id", "text")
        for key, text in batch[batch["id"].isin(ids)].itertuples(index=False)
    }


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    stage.run(compare_with_raters)
