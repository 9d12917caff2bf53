"""How strongly the labels of classifiers are associated with one another, and with groups of texts."""

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from samizdat.measures import label_metrics
from samizdat.measures.bootstrap import Bootstrap, count_by_document
from samizdat.records.classifiers import ClassifierCard
from samizdat.statistics.tables import Row


def associations(
    cards: Mapping[str, ClassifierCard], judged: Mapping[str, pd.DataFrame], bootstrap: Bootstrap
) -> Iterator[Row]:
    """Compute the rows of `records.statistics.ASSOCIATIONS`, one for each two classifiers.

    Cohen's kappa where both give the same labels, else Cramér's V. There is no row where one
    of the two gives a single label to all texts that both labelled.

    Args:
        cards: classifiers by name.
        judged: name → texts that the classifier gave a label (`predicted`) and was not trained on.
        bootstrap: how intervals are made.
    """
    for left, right in combinations(cards, 2):
        columns = ["id", "document", "predicted"]
        pair = judged[left][columns].merge(judged[right][columns[::2]], on="id", suffixes=("_left", "_right"))
        names = [cards[left].labels, cards[right].labels]
        same = set(names[0]) == set(names[1])
        names = [names[0], names[0]] if same else names
        if min((pair[side].nunique() for side in ("predicted_left", "predicted_right")), default=0) < 2:
            continue
        counts = count_by_document(pair, ("predicted_left", "predicted_right"), tuple(names))
        measure = label_metrics.cohen_kappa if same else label_metrics.cramers_v
        shape = (len(names[0]), len(names[1]))
        totals = bootstrap.totals(counts, "association", left, right).reshape(-1, *shape)
        low, high = bootstrap.interval(measure(totals))
        yield {
            "left": left,
            "right": right,
            "measure": "cohen_kappa" if same else "cramers_v",
            "texts": len(pair),
            "value": measure(counts.sum(axis=0).reshape(shape)),
            "low": low,
            "high": high,
        }


def group_tests(
    cards: Mapping[str, ClassifierCard], judged: Mapping[str, pd.DataFrame], bootstrap: Bootstrap
) -> list[Row]:
    """Test whether label shares differ between groups: the rows of `records.statistics.GROUP_TESTS`.

    For each classifier: Pearson's chi-square, divided by the mean design effect of texts that come in documents (Rao
    and Scott, 1984), and corrected for the number of classifiers that were tested (Holm, A simple sequentially
    rejective multiple test procedure, 1979). Cramér's V measures how large a difference is.

    Args:
        cards: classifiers by name.
        judged: name → texts that the classifier gave a label (`predicted`) and was not trained on, with `group`.
        bootstrap: how intervals and the design effect are made.
    """
    rows: list[Row] = []
    for name, card in cards.items():
        grouped = judged[name][judged[name]["group"].notna()]
        groups = sorted(set(grouped["group"]))
        if len(groups) < 2 or grouped["predicted"].nunique() < 2:
            continue
        counts = count_by_document(grouped, ("group", "predicted"), (groups, card.labels))
        shape = (len(groups), len(card.labels))
        table = counts.sum(axis=0).reshape(shape)
        totals = bootstrap.totals(counts, "groups", name).reshape(-1, *shape)
        effect = label_metrics.design_effect(table, totals)
        freedom = (len(groups) - 1) * (grouped["predicted"].nunique() - 1)
        corrected = float(label_metrics.chi_square(table)) / effect
        low, high = bootstrap.interval(label_metrics.cramers_v(totals))
        rows.append(
            {
                "classifier": name,
                "groups": len(groups),
                "texts": len(grouped),
                "chi_square": corrected,
                "design_effect": effect,
                "degrees_of_freedom": freedom,
                "p_value": stats.chi2.sf(corrected, freedom),
                "cramers_v": label_metrics.cramers_v(table),
                "low": low,
                "high": high,
            }
        )
    for row, p_value in zip(rows, _holm(np.array([row["p_value"] for row in rows])), strict=True):
        row["p_holm"] = p_value
    return rows


def _holm(p_values: np.ndarray) -> np.ndarray:
    """Adjust p values so that all of them can be compared with one level of significance (Holm, 1979)."""
    order = np.argsort(p_values, kind="stable")
    steps = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(steps, 1)
    return adjusted
