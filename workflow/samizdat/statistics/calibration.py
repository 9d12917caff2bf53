"""How certain a classifier is of its labels, and how often it is right."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from samizdat.measures import chance, label_metrics
from samizdat.measures.arrays import Floats
from samizdat.measures.bootstrap import (
    FEWEST_DOCUMENTS,
    MILLION,
    NUMBERS_AT_ONCE,
    Bootstrap,
    count_by_document,
    sum_by_document,
)
from samizdat.records.classifiers import ClassifierCard
from samizdat.statistics.tables import Row

BINS = 10
EXAMPLES = 5


def calibration(mapped: pd.DataFrame, column: str, bootstrap: Bootstrap) -> tuple[list[Row], list[Row]]:
    """Compare the probabilities of labels with how often labels are right, in ten bins of equal width.

    Args:
        mapped: held-out texts with `predicted`, its probability as `confidence`, and the human label.
        column: the column of the human label.
        bootstrap: how intervals are made.

    Returns:
        Rows of `records.statistics.CALIBRATION` without the classifier, for the bins that have a text; and rows of
        `records.statistics.QUALITY` without it: the expected calibration error with its test, and the mean gap of
        probability and accuracy with its interval.
    """
    confidence = mapped["confidence"].to_numpy(float)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    right = (mapped["predicted"] == mapped[column]).to_numpy()
    frame = pd.DataFrame({"document": mapped["document"].to_numpy(), "bin": bins, "right": right})
    values: tuple[list[Any], ...] = (list(range(BINS)), [False, True])
    counts = count_by_document(frame, ("bin", "right"), values)
    drawn = bootstrap.totals(counts, "calibration").reshape(-1, BINS, 2)
    sums = [np.ones(len(bins)), right.astype(float), confidence]
    texts, correct, certain = np.stack(sums) @ np.eye(BINS)[bins]
    owners = frame.groupby("bin")["document"].nunique().reindex(range(BINS), fill_value=0).to_numpy()
    with np.errstate(invalid="ignore"):
        shares, resampled = correct / texts, drawn[..., 1] / drawn.sum(axis=-1)
    lows, highs = bootstrap.share_interval(shares, resampled, counts.shape[0], texts, owners)
    rows = [
        {
            "from": number / BINS,
            "to": (number + 1) / BINS,
            "texts": texts[number],
            "confidence": certain[number] / texts[number],
            "accuracy": correct[number] / texts[number],
            "low": lows[number],
            "high": highs[number],
        }
        for number in np.flatnonzero(texts)
    ]
    error: Row = {"metric": "calibration_error"}
    error["value"] = label_metrics.calibration_error(texts, correct, certain)
    if counts.shape[0] >= FEWEST_DOCUMENTS:
        draws = _calibrated_draws(frame, confidence, bootstrap)
        error["chance"] = np.quantile(draws, bootstrap.confidence)
        error["p_value"] = chance.p_value(error["value"], draws)
    return rows, [error, _gap(frame, confidence, bootstrap)]


def _calibrated_draws(frame: pd.DataFrame, confidence: np.ndarray, bootstrap: Bootstrap) -> Floats:
    """Draw the calibration errors of a classifier whose labels are right as often as it says, `[draws]`.

    Each label is right with its probability. Where documents have several texts, whose errors are alike, the distances
    of right labels from probabilities are summed over each document in each bin, and each document's distances get one
    random sign: the wild bootstrap over clusters, with the hypothesis imposed.
    """
    random, (owners, documents) = bootstrap.random("calibrated"), pd.factorize(frame["document"])
    bins, texts = frame["bin"].to_numpy(), len(frame)
    clustered = len(documents) < texts
    cells, rows = (owners, len(documents)) if clustered else (np.arange(texts), texts)
    start = (frame["right"].to_numpy() - confidence) if clustered else np.ones(texts)
    members = sparse.coo_array((start, (bins, cells)), shape=(BINS, rows)).tocsr()  # equal places are summed
    certain = 0.0 if clustered else (members @ confidence)[:, None]
    at_once = max(1, NUMBERS_AT_ONCE // rows)
    parts = []
    for begin in range(0, bootstrap.resamples, at_once):
        size = (rows, min(at_once, bootstrap.resamples - begin))
        luck = random.choice([-1.0, 1.0], size) if clustered else random.random(size) < confidence[:, None]
        parts.append(np.abs(members @ luck - certain).sum(axis=0) / texts)
    return np.concatenate(parts)


def _gap(frame: pd.DataFrame, confidence: np.ndarray, bootstrap: Bootstrap) -> Row:
    """Compute by how much probabilities are higher than accuracy on average, with its interval."""
    distances = confidence - frame["right"]
    millionths = np.rint(distances * MILLION).to_numpy(np.int64)
    both = np.stack([millionths, np.ones(len(frame), np.int64)], axis=1)
    places = np.tile([0, 1], len(frame))
    counts = sum_by_document(frame.loc[frame.index.repeat(2)], places, both.ravel(), (2,))
    totals = bootstrap.totals(counts, "gap")
    gap, squares = float(distances.mean()), float((distances**2).mean())
    gaps = totals[:, 0] / totals[:, 1] / MILLION
    low, high = bootstrap.difference_interval(gap, gaps, counts.shape[0], len(frame), squares)
    return {"metric": "confidence_gap", "value": gap, "low": low, "high": high}


def clearest(card: ClassifierCard, judged: pd.DataFrame) -> pd.DataFrame:
    """Select what `examples` can choose: the EXAMPLES most certain texts of each label, and the least certain of all.

    Args:
        card: the classifier.
        judged: texts with `id`, `predicted`, `confidence` and `runner_up_confidence`.
    """
    lead = judged["confidence"] - judged["runner_up_confidence"]
    ordered = judged.assign(lead=lead).sort_values(["lead", "id"], ascending=[False, True])
    most = ordered.groupby("predicted").head(EXAMPLES)
    least = ordered.sort_values(["lead", "id"]).head(EXAMPLES)
    return pd.concat([most, least]).drop_duplicates("id")[judged.columns]


def examples(classifier: str, judged: pd.DataFrame) -> Iterator[Row]:
    """Choose the most certain texts of each label, and the least certain of all: `records.statistics.EXAMPLES`.

    Args:
        classifier: its name.
        judged: texts with `id`, `predicted`, `confidence`, `runner_up` and `runner_up_confidence`, or the `clearest`.
    """
    lead = judged["confidence"] - judged["runner_up_confidence"]
    ordered = judged.assign(lead=lead).sort_values(["lead", "id"], kind="stable")
    per_label = max(1, EXAMPLES // max(judged["predicted"].nunique(), 1))
    # Of texts with equal leads the first by id, as among the least certain.
    most = ordered.sort_values(["lead", "id"], ascending=[False, True], kind="stable")
    most = most.groupby("predicted", sort=True).head(per_label).sort_values(["predicted", "lead"], kind="stable")
    for certainty, part in (("most", most), ("least", ordered.head(EXAMPLES))):
        for row in part.to_dict("records"):
            yield {
                "classifier": classifier,
                "certainty": certainty,
                "id": row["id"],
                "label": row["predicted"],
                "probability": row["confidence"],
                "runner_up": row["runner_up"],
                "runner_up_probability": row["runner_up_confidence"],
            }
