"""How often a classifier agrees with people on held-out texts, and how often baselines and single people do."""

from collections import Counter

import numpy as np
import pandas as pd
from scipy import sparse

from samizdat.measures import chance, label_metrics
from samizdat.measures.bootstrap import FEWEST_DOCUMENTS, Bootstrap, sum_by_document
from samizdat.records.classifiers import ClassifierCard
from samizdat.records.corpus import LABEL_PREFIX
from samizdat.statistics.baselines import baselines
from samizdat.statistics.calibration import calibration
from samizdat.statistics.raters import alphas, by_people, margins_by_document
from samizdat.statistics.tables import Row


def agreement(
    card: ClassifierCard, corpus: pd.DataFrame, judged: pd.DataFrame, column: str, bootstrap: Bootstrap
) -> dict[str, list[Row]]:
    """Compare a classifier with people: the rows of `QUALITY`, `CONFUSION` and `CALIBRATION` (`records/statistics.py`).

    They are computed from held-out texts with a human label; how far people agree from all that people labelled, also
    where raters give no label most often or the classifier gives none.

    Args:
        card: the classifier.
        corpus: all texts.
        judged: texts that the classifier gave a label (`predicted`) and was not trained on.
        column: the column of the human label.
        bootstrap: how intervals are made.

    Returns:
        Table → rows; none where no such text is held out.
    """
    held_out = judged[(judged["split"] == "test") & judged[column].notna()]
    if held_out.empty:
        return {}
    held_out = held_out.astype({column: "str", "predicted": "str"})  # categories of two kinds can't be compared
    given = set(held_out[column]) | set(held_out["predicted"])
    labels = [label for label in dict.fromkeys([*card.labels, *sorted(given)]) if label in given]
    label_column = column.removeprefix(LABEL_PREFIX)
    common = {"classifier": card.name, "label_column": label_column, "texts": len(held_out)}

    answers = dict(baselines(corpus, held_out, column, bootstrap.seed))
    counts = margins_by_document(held_out, (column, "predicted"), labels)
    documents = counts.shape[0]
    right = [(frame["predicted"] == frame[column]).to_numpy().astype(int) for frame in (held_out, answers["majority"])]
    differing = right[0] - right[1]
    gains = sum_by_document(held_out, np.zeros(len(held_out), np.int64), differing, (1,))
    drawn = bootstrap.together({"labels": counts, "gain": gains}, "quality")
    shape = (-1, 3, len(labels))
    (whole,), totals = counts.sum(axis=0).reshape(shape), drawn["labels"].reshape(shape)
    rows = _overall(common | {"method": "classifier"}, whole, totals, bootstrap, documents)
    resampled_gains = drawn["gain"][:, 0] / totals[:, 2].sum(axis=1)
    rows.append(common | {"method": "classifier", "label": None} | _gain(gains, differing, resampled_gains, bootstrap))
    texts, owners = _denominators(counts, len(labels))
    for (metric, values), resampled in zip(
        label_metrics.label_scores(whole).items(), label_metrics.label_scores(totals).values(), strict=True
    ):
        low, high = bootstrap.share_interval(values, resampled, documents, texts[metric], owners[metric])
        rows += [
            common
            | {"method": "classifier", "metric": metric, "label": label}
            | {"value": values[number], "low": low[number], "high": high[number]}
            for number, label in enumerate(labels)
        ]
    bins, found = calibration(held_out, column, bootstrap)
    rows += [common | {"method": "classifier", "label": None} | row for row in found]
    for method, frame in answers.items():
        known = list(dict.fromkeys([*sorted(set(frame[column])), *sorted(set(frame["predicted"]))]))
        of_each = margins_by_document(frame, (column, "predicted"), known)
        shape, documents = (-1, 3, len(known)), of_each.shape[0]
        (of_all,), totals = of_each.sum(axis=0).reshape(shape), bootstrap.totals(of_each, "quality", method)
        of_method = common | {"method": method, "texts": len(frame)}
        rows += _overall(of_method, of_all, totals.reshape(shape), bootstrap, documents)
    rows += [common | {"label": None} | row for row in alphas(by_people(corpus, column), column, bootstrap)]
    described = {"classifier": card.name, "label_column": label_column}
    # Pairs that occur, and each label with itself: rows don't grow with the square of the labels.
    pairs = Counter(zip(held_out[column], held_out["predicted"], strict=True))
    order = {label: place for place, label in enumerate(labels)}
    cells = sorted({*pairs, *zip(labels, labels, strict=True)}, key=lambda pair: (order[pair[0]], order[pair[1]]))
    return {
        "quality": rows,
        "calibration": [described | row for row in bins],
        "confusion": [
            described | {"human": human, "predicted": predicted, "count": pairs[human, predicted]}
            for human, predicted in cells
        ],
    }


def _gain(gains: sparse.csr_array, differing: np.ndarray, resampled: np.ndarray, bootstrap: Bootstrap) -> Row:
    """Compare a classifier's accuracy with the baseline's: their paired difference, its interval, and its test.

    Args:
        gains: of each document, how many more of its texts the classifier is right on, `[documents, 1]`.
        differing: of each text 1 where only the classifier is right, −1 where only the baseline is, else 0.
        resampled: the difference in resamples.
        bootstrap: confidence and number of draws.
    """
    documents, texts, found = gains.shape[0], len(differing), int(gains.sum())
    row: Row = {"metric": "accuracy_above_majority", "value": found / texts}
    if documents < FEWEST_DOCUMENTS:
        return row
    discordant = float((differing**2).mean())
    low, high = bootstrap.difference_interval(found / texts, resampled, documents, texts, discordant)
    flipped = chance.flipped_sums(gains.toarray()[:, 0], bootstrap.resamples, bootstrap.random("gain"))
    return row | {"low": low, "high": high, "p_value": chance.p_value(abs(found), np.abs(flipped))}


def _denominators(counts: sparse.csr_array, labels: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Count what each label's scores are divided by, and the documents that have it; both by metric, `[labels]`."""
    predicted, human = counts[:, labels : 2 * labels], counts[:, 2 * labels :]
    tables = {"precision": predicted, "recall": human, "f1": human + predicted}
    return (
        {metric: table.sum(axis=0) for metric, table in tables.items()},
        {metric: (table > 0).sum(axis=0) for metric, table in tables.items()},
    )


def _overall(common: Row, counts: np.ndarray, totals: np.ndarray, bootstrap: Bootstrap, documents: int) -> list[Row]:
    """Measure over all labels, from `label_metrics.margins` and their resamples.

    Macro-F1 has no interval where a label is rare: then its F1 is too uncertain for the mean to be near normal, and
    labels are missing from resamples.
    """
    rows = []
    for metric, measure in (("accuracy", label_metrics.accuracy), ("macro_f1", label_metrics.macro_f1)):
        value, texts = measure(counts), counts[2].sum()
        low, high = bootstrap.share_interval(value, measure(totals), documents, texts, documents)
        if metric == "macro_f1" and label_metrics.times_given(counts).min() < label_metrics.FEWEST_GIVEN:
            low = high = np.full((), np.nan)
        rows.append(common | {"metric": metric, "label": None, "value": value, "low": low, "high": high})
    return rows
