"""How strongly the labels of classifiers are associated with one another, and with groups of texts."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from samizdat.measures import chance, label_metrics
from samizdat.measures.bootstrap import FEWEST_DOCUMENTS, Bootstrap, count_by_document
from samizdat.records.classifiers import ClassifierCard
from samizdat.statistics.raters import kappa
from samizdat.statistics.tables import Row


def associations(
    cards: Mapping[str, ClassifierCard], judged: Mapping[str, pd.DataFrame], bootstrap: Bootstrap
) -> list[Row]:
    """Compute the rows of `records.statistics.ASSOCIATIONS`, one for each two classifiers.

    Cohen's kappa where both give the same labels, else Cramér's V. There is no row where one
    of the two gives a single label to all texts that both labelled.

    Args:
        cards: classifiers by name.
        judged: name → texts that the classifier gave a label (`predicted`) and was not trained on; with the index of
            the corpus.
        bootstrap: how intervals are made.
    """
    rows: list[Row] = []
    for left, right in combinations(cards, 2):
        columns = ("predicted_left", "predicted_right")
        pair = judged[left][["document", "predicted"]].merge(
            judged[right][["predicted"]], left_index=True, right_index=True, suffixes=("_left", "_right")
        )
        names = [cards[left].labels, cards[right].labels]
        same = set(names[0]) == set(names[1])
        names = [names[0], names[0]] if same else names
        if min((pair[side].nunique() for side in columns), default=0) < 2:
            continue
        found = _association(pair, columns, (names[0], names[1]), bootstrap, left, right)
        row = {"left": left, "right": right, "texts": len(pair), "p_value": found.get("p_value")}
        if same:
            rows.append(row | {"measure": "cohen_kappa"} | kappa(pair, columns, names[0], bootstrap, left, right))
        else:
            measured = {"value": found["cramers_v"], "low": found.get("low"), "high": found.get("high")}
            rows.append(row | {"measure": "cramers_v"} | measured)
    return corrected(rows)


def group_tests(
    cards: Mapping[str, ClassifierCard], judged: Mapping[str, pd.DataFrame], bootstrap: Bootstrap
) -> list[Row]:
    """Test whether label shares differ between groups: the rows of `records.statistics.GROUP_TESTS`.

    Pearson's chi-square is compared with those of permuted documents. p is corrected for the number of classifiers that
    were tested (Holm). Cramér's V measures how large a difference is.

    Args:
        cards: classifiers by name.
        judged: name → texts that the classifier gave a label (`predicted`) and was not trained on, with `group`.
        bootstrap: how intervals are made.
    """
    rows: list[Row] = []
    for name, card in cards.items():
        grouped = judged[name][judged[name]["group"].notna()]
        groups = sorted(grouped["group"].unique())
        if len(groups) < 2 or grouped["predicted"].nunique() < 2:
            continue
        values = (groups, list(card.labels))
        found = _association(grouped, ("group", "predicted"), values, bootstrap, "groups", name)
        rows.append({"classifier": name, "groups": len(groups), "texts": len(grouped)} | found)
    return corrected(rows)


def _association(
    frame: pd.DataFrame,
    columns: tuple[str, str],
    values: tuple[list[Any], list[Any]],
    bootstrap: Bootstrap,
    *names: str,
) -> Row:
    """Test whether two labels of each text are associated, and measure how strongly.

    Args:
        frame: one row for each text, with a column `document`.
        columns: the two labels.
        values: of each column.
        bootstrap: confidence and number of draws.
        names: of the random stream.
    """
    given = [set(frame[column].unique()) for column in columns]
    used = tuple([one for one in some if one in there] for some, there in zip(values, given, strict=True))
    shape = (len(used[0]), len(used[1]))
    counts = count_by_document(frame, columns, used)
    table = counts.sum(axis=0).reshape(shape)
    observed = float(label_metrics.chi_square(table))
    row: Row = {"chi_square": observed, "degrees_of_freedom": (shape[0] - 1) * (shape[1] - 1)}
    if counts.shape[0] < FEWEST_DOCUMENTS:
        return row | {"cramers_v": label_metrics.cramers_v(table)}
    random = bootstrap.random("association", *names)
    one, other = (
        pd.Index(some).get_indexer(pd.Index(frame[column])) for column, some in zip(columns, used, strict=True)
    )
    owners, _ = pd.factorize(frame["document"])
    draws = chance.permuted_chi_squares(one, other, owners, bootstrap.resamples, random)
    variance = chance.linear_variance(counts, label_metrics.mean_square_slopes(table).ravel())
    found = chance.interval_above_zero(
        observed / len(frame), draws / len(frame), variance, bootstrap.confidence, random
    )
    value, low, high = np.sqrt(np.minimum(np.array(found) / (min(shape) - 1), 1))
    row |= {"p_value": chance.p_value(observed, draws), "cramers_v": value}
    # The permutations need no least number of texts; the variance by the delta method does.
    return row if label_metrics.is_sparse(table) else row | {"low": low, "high": high}


def corrected(rows: list[Row]) -> list[Row]:
    """Add to rows that have a `p_value` the one that is corrected for the number of tests (Holm)."""
    tested = [row for row in rows if row.get("p_value") is not None]
    for row, p_value in zip(tested, chance.holm([row["p_value"] for row in tested]), strict=True):
        row["p_holm"] = p_value
    return rows
