"""How often a classifier agrees with people on held-out texts, beside the simplest baseline."""

from typing import Any

import numpy as np
import pandas as pd

from samizdat import measures
from samizdat.bootstrap import Bootstrap, count_by_document
from samizdat.records import LABEL_PREFIX, ClassifierCard


def agreement(
    card: ClassifierCard, corpus: pd.DataFrame, judged: pd.DataFrame, column: str, bootstrap: Bootstrap
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of `records.QUALITY` and `records.CONFUSION`, from the held-out texts that people labelled.

    The baseline gives every text the label that is most frequent in the train split.

    Args:
        card: the classifier, whose label map is applied.
        corpus: all texts.
        judged: those that the classifier gave a label (`predicted`) and was not trained on.
        column: the column of the human label.
        bootstrap: behind the intervals.
    """
    held_out = judged[(judged["split"] == "validation") & judged[column].notna()]
    if held_out.empty:
        return [], []
    mapped = held_out.assign(predicted=held_out["predicted"].map(lambda label: card.label_map.get(label, label)))
    own = [card.label_map.get(label, label) for label in card.labels]
    given = set(mapped[column]) | set(mapped["predicted"])
    labels = [label for label in dict.fromkeys([*own, *sorted(given)]) if label in given]
    label_column = column.removeprefix(LABEL_PREFIX)
    common = {"classifier": card.name, "label_column": label_column, "texts": len(mapped)}

    counts = count_by_document(mapped, (column, "predicted"), (labels, labels))
    square = (-1, len(labels), len(labels))
    confusion = counts.sum(axis=0).reshape(square[1:])
    totals = bootstrap.totals(counts, "quality").reshape(square)
    rows = _overall(common | {"method": "classifier"}, confusion, totals, bootstrap)
    for (metric, values), resampled in zip(
        measures.label_scores(confusion).items(), measures.label_scores(totals).values(), strict=True
    ):
        low, high = bootstrap.interval(resampled)
        rows += [
            common
            | {"method": "classifier", "metric": metric, "label": label}
            | {"value": values[number], "low": low[number], "high": high[number]}
            for number, label in enumerate(labels)
        ]

    majority = _majority(corpus, column)
    known = list(dict.fromkeys([*sorted(set(mapped[column])), majority]))
    always = count_by_document(mapped.assign(predicted=majority), (column, "predicted"), (known, known))
    square = (-1, len(known), len(known))
    totals = bootstrap.totals(always, "quality", "majority").reshape(square)
    rows += _overall(common | {"method": "majority"}, always.sum(axis=0).reshape(square[1:]), totals, bootstrap)
    return rows, [
        {
            "classifier": card.name,
            "label_column": label_column,
            "human": human_label,
            "predicted": predicted,
            "count": confusion[row, place],
        }
        for row, human_label in enumerate(labels)
        for place, predicted in enumerate(labels)
    ]


def _majority(corpus: pd.DataFrame, column: str) -> str:
    """The most frequent label of the train split, or of all texts where that has none; of equals the first by name."""
    labels = corpus[column].dropna()
    train = labels[corpus["split"] == "train"]
    return min((train if len(train) else labels).mode(), default="")


def _overall(
    common: dict[str, Any], confusion: np.ndarray, totals: np.ndarray, bootstrap: Bootstrap
) -> list[dict[str, Any]]:
    """The metrics over all labels, of `[human, predicted]` and of its resamples."""
    rows = []
    for metric, measure in (("accuracy", measures.accuracy), ("macro_f1", measures.macro_f1)):
        low, high = bootstrap.interval(measure(totals))
        rows.append(common | {"metric": metric, "label": None, "value": measure(confusion), "low": low, "high": high})
    return rows
