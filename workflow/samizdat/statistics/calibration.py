"""How certain a classifier is of its labels, and how often it is right."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from samizdat.measures import label_metrics
from samizdat.measures.bootstrap import MILLION, Bootstrap, count_by_document
from samizdat.statistics.tables import Row

BINS = 10
EXAMPLES = 5


def calibration(mapped: pd.DataFrame, column: str, bootstrap: Bootstrap) -> tuple[list[Row], Row]:
    """Compare the probabilities of labels with how often labels are right, in ten bins of equal width.

    Args:
        mapped: held-out texts with `predicted`, its probability as `confidence`, and the human label.
        column: the column of the human label.
        bootstrap: how intervals are made.

    Returns:
        Rows of `records.statistics.CALIBRATION` without the classifier, for the bins that have a text; and `value`,
        `low` and `high` of the expected calibration error.
    """
    bins = np.minimum((mapped["confidence"].to_numpy(float) * BINS).astype(int), BINS - 1)
    right = (mapped["predicted"] == mapped[column]).to_numpy()
    frame = pd.DataFrame({"document": mapped["document"].to_numpy(), "bin": bins, "right": right})
    values: tuple[list[Any], ...] = (list(range(BINS)), [False, True])
    counts = count_by_document(frame, ("bin", "right"), values)
    documents, _ = pd.factorize(frame["document"])
    confidence = np.zeros((len(counts), BINS), np.int64)
    np.add.at(confidence, (documents, bins), np.rint(mapped["confidence"].to_numpy(float) * MILLION).astype(np.int64))

    def split(totals: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        answers = totals[..., : 2 * BINS].reshape(*totals.shape[:-1], BINS, 2)
        return answers.sum(axis=-1), answers[..., 1], totals[..., 2 * BINS :] / MILLION

    together = np.concatenate([counts, confidence], axis=1)
    texts, correct, certain = split(together.sum(axis=0))
    drawn_texts, drawn_correct, drawn_certain = split(bootstrap.totals(together, "calibration"))
    with np.errstate(invalid="ignore"):
        shares = drawn_correct / drawn_texts
    rows = []
    for number in np.flatnonzero(texts):
        low, high = bootstrap.interval(shares[:, number])
        rows.append(
            {
                "from": number / BINS,
                "to": (number + 1) / BINS,
                "texts": texts[number],
                "confidence": certain[number] / texts[number],
                "accuracy": correct[number] / texts[number],
                "low": low,
                "high": high,
            }
        )
    low, high = bootstrap.interval(label_metrics.calibration_error(drawn_texts, drawn_correct, drawn_certain))
    return rows, {"value": label_metrics.calibration_error(texts, correct, certain), "low": low, "high": high}


def examples(classifier: str, judged: pd.DataFrame) -> Iterator[Row]:
    """Choose the most certain texts of each label, and the least certain of all: `records.statistics.EXAMPLES`.

    Args:
        classifier: its name.
        judged: texts with `predicted`, `confidence`, `runner_up` and `runner_up_confidence`.
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
