"""How classifiers' labels go together with each other, and with groups of texts."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from samizdat.measures import label_metrics
from samizdat.measures.bootstrap import Bootstrap, count_by_document
from samizdat.records.classifiers import ClassifierCard


def associations(
    cards: Mapping[str, ClassifierCard], judged: Mapping[str, pd.DataFrame], bootstrap: Bootstrap
) -> Iterator[dict[str, Any]]:
    """Rows of `statistics_records.ASSOCIATIONS`, one for each two classifiers.

    Cohen's kappa where both give the same labels (after their label maps), else Cramér's V.

    Args:
        cards: classifiers by name.
        judged: texts that each gave a label (`predicted`) and was not trained on, by its name.
        bootstrap: behind the intervals.
    """
    for left, right in combinations(cards, 2):
        columns = ["id", "document", "predicted"]
        pair = judged[left][columns].merge(judged[right][columns[::2]], on="id", suffixes=("_left", "_right"))
        names = []
        for side, card in (("predicted_left", cards[left]), ("predicted_right", cards[right])):
            pair[side] = pair[side].map(lambda label, card=card: card.label_map.get(label, label))
            names.append(list(dict.fromkeys(card.label_map.get(label, label) for label in card.labels)))
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
) -> list[dict[str, Any]]:
    """Rows of `statistics_records.GROUP_TESTS`: whether a classifier's label shares differ between groups of texts.

    Pearson's chi-square, divided by the mean design effect of texts that come in documents (Rao and Scott,
    1984), and corrected for the number of classifiers that were tested (Holm, A simple sequentially rejective
    multiple test procedure, 1979). How large a difference is, Cramér's V says.
    """
    rows = []
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
    """P values that may be held against one level together, however many there are."""
    order = np.argsort(p_values, kind="stable")
    steps = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(steps, 1)
    return adjusted
