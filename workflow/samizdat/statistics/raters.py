"""What single people said of texts: their labels, one of them against the others, and how far they agree."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from samizdat.base.seeds import derive_seed
from samizdat.measures import krippendorff, label_metrics
from samizdat.measures.bootstrap import MILLION, NUMBERS_AT_ONCE, Bootstrap, count_by_document, sum_by_document
from samizdat.measures.ratings import most_frequent, sentiment
from samizdat.records.corpus import LABEL_PREFIX
from samizdat.statistics.tables import Row


def are_mean_ratings(held_out: pd.DataFrame, column: str) -> bool:
    """Check that every text has several ratings, and that its label is made from their mean."""
    if held_out["ratings"].isna().any():
        return False
    return all(
        len(ratings) > 1 and sentiment(float(np.mean(ratings))) == label
        for ratings, label in zip(held_out["ratings"], held_out[column], strict=True)
    )


def labels_given(texts: pd.DataFrame, column: str) -> list[list[str]]:
    """Return the labels that single people gave each text; none where they are not known."""
    name, there = column.removeprefix(LABEL_PREFIX), texts["raters"].notna()
    return [list(dict(given).get(name, ())) if some else [] for given, some in zip(texts["raters"], there, strict=True)]


def by_people(texts: pd.DataFrame, column: str) -> pd.DataFrame:
    """Select the held-out texts that people labelled: also those whose raters give no label most often.

    Args:
        texts: the corpus, or a part of it.
        column: the human label.
    """
    held_out = texts[texts["split"] == "test"]
    several = [bool(given) for given in labels_given(held_out, column)]
    return held_out[held_out[column].notna() | np.array(several, bool)]


def one_against_others(held_out: pd.DataFrame, column: str, seed: int) -> pd.DataFrame:
    """Draw one rater of each text; put the label by the others into `column`, and the label by this one as `predicted`.

    The label by the others is that of the mean of their ratings, or the one that most of them gave. Texts of one rater,
    or whose other raters give no label most often, are left out.

    Args:
        held_out: texts that people labelled.
        column: the human label.
        seed: draws the raters.
    """
    rated = are_mean_ratings(held_out, column)
    given = held_out["ratings"] if rated else labels_given(held_out, column)
    one: list[str | None] = []
    others: list[str | None] = []
    for key, values in zip(held_out["id"], given, strict=True):
        place = derive_seed(seed, "rater", key) % max(len(values), 1)
        rest = [*values[:place], *values[place + 1 :]]
        others.append((sentiment(float(np.mean(rest))) if rated else most_frequent(rest)) if rest else None)
        one.append(None if not rest else sentiment(float(values[place])) if rated else values[place])
    found = held_out.copy()
    found[column], found["predicted"] = others, one
    return found.dropna(subset=[column, "predicted"])


def alphas(held_out: pd.DataFrame, column: str, bootstrap: Bootstrap) -> list[Row]:
    """Measure how far single people agree, by Krippendorff's alpha with its interval over documents.

    Args:
        held_out: texts that people labelled.
        column: the human label.
        bootstrap: how intervals are made.

    Returns:
        A row for labels, and one for ratings where labels are made from them; none without texts of several raters.
    """
    rated = are_mean_ratings(held_out, column)
    ratings = held_out["ratings"].tolist() if rated else []
    labels = (
        [[sentiment(float(one)) for one in given] for given in ratings] if rated else labels_given(held_out, column)
    )
    rows = alpha_of("krippendorff_alpha", held_out, labels, bootstrap)
    if rated:
        rows += alpha_of("krippendorff_alpha_ratings", held_out, ratings, bootstrap, numbers=True)
    return rows


def alpha_of(
    metric: str, held_out: pd.DataFrame, given: Sequence[Sequence[Any]], bootstrap: Bootstrap, *, numbers: bool = False
) -> list[Row]:
    """Compute alpha of what raters said; nothing where no text has several answers.

    Where all answers are the same it is not defined, and NaN.

    Args:
        metric: its name in the row.
        held_out: the texts, with `document`.
        given: the answers for each text.
        bootstrap: how intervals are made.
        numbers: they are apart by their squared difference; else they are equal or not.
    """
    several = np.array([len(one) > 1 for one in given], bool)
    if not several.any():
        return []
    frame = held_out[several]
    values = sorted({one for some in given for one in some})
    distances = krippendorff.nominal(len(values))
    if numbers:
        # Alpha is the same on any scale; on one from 0 to 1 a distance can be counted in millionths.
        scale = np.array(values, float)
        distances = krippendorff.interval((scale - scale[0]) / max(scale[-1] - scale[0], 1e-300))
    kept = [one for one, chosen in zip(given, several, strict=True) if chosen]
    places = {value: number for number, value in enumerate(values)}
    sizes = np.array([len(one) for one in kept])
    cells = np.array([places[one] for some in kept for one in some])
    texts = np.repeat(np.arange(len(kept)), sizes)
    counts = sparse.coo_array((np.ones(len(cells), np.int64), (texts, cells)), shape=(len(kept), len(values))).tocsr()
    # All counts of a part of the texts: those of all texts would be too many where there are many labels.
    at_once = max(1, NUMBERS_AT_ONCE // (8 * len(values)))
    parts = (counts[start : start + at_once].toarray() for start in range(0, len(kept), at_once))
    apart = np.concatenate(
        [np.rint(krippendorff.disagreements(part, distances) * MILLION).astype(np.int64) for part in parts]
    )
    blocks = {
        "given": sum_by_document(frame.iloc[texts], cells, np.ones(len(cells), np.int64), (len(values),)),
        "apart": sum_by_document(frame, np.zeros(len(frame), np.int64), apart, (1,)),
    }
    value = float(krippendorff.alpha(apart.sum() / MILLION, counts.sum(axis=0), distances))
    row: Row = {
        "method": "raters",
        "metric": metric,
        "texts": len(frame),
        "value": value,
        "low": np.nan,
        "high": np.nan,
    }
    if np.isnan(value):
        return [row]
    drawn = bootstrap.together(blocks, "raters", metric)
    resampled = krippendorff.alpha(drawn["apart"][:, 0] / MILLION, drawn["given"], distances)
    documents = frame["document"].nunique()
    if not numbers:
        equal = 1 - apart.sum() / MILLION / counts.sum()
        totals = counts.sum(axis=0)
        by_chance = float((totals * (totals - 1)).sum()) / float(totals.sum() * (totals.sum() - 1))
        pairs = int((sizes * (sizes - 1)).sum()) // 2
        low, high = bootstrap.beyond_chance_interval(value, resampled, equal, by_chance, documents, pairs)
    else:
        # Where nobody disagrees, nothing says how far the disagreement is from 0.
        high, low = (1 - bound for bound in bootstrap.mean_interval(1 - value, 1 - resampled, documents))
        low, high = (low, high) if value < 1 else (np.nan, np.nan)
    return [row | {"low": low, "high": high}]


def kappa(pair: pd.DataFrame, columns: tuple[str, str], labels: list[str], bootstrap: Bootstrap, *names: str) -> Row:
    """Compute Cohen's kappa of two judges with the same labels, with its interval.

    Args:
        pair: one row for each text, with a column `document`.
        columns: the labels of each judge, in which there are two different ones or more.
        labels: all that they give.
        bootstrap: how the interval is made.
        names: of the random stream.
    """
    counts = margins_by_document(pair, columns, labels)
    shape = (-1, 3, len(labels))
    documents, (table,) = counts.shape[0], counts.sum(axis=0).reshape(shape)
    resampled = label_metrics.cohen_kappa(bootstrap.totals(counts, "kappa", *names).reshape(shape))
    value, equal, chance = (
        float(measure(table))
        for measure in (label_metrics.cohen_kappa, label_metrics.accuracy, label_metrics.by_chance)
    )
    low, high = bootstrap.beyond_chance_interval(value, resampled, equal, chance, documents, len(pair))
    return {"value": value, "low": low, "high": high}


def margins_by_document(frame: pd.DataFrame, columns: tuple[str, str], labels: list[str]) -> sparse.csr_array:
    """Count `label_metrics.margins` of each document, `[documents, 3 · labels]`.

    Args:
        frame: one row for each text, with a column `document`.
        columns: the label by people, or by one judge, and that by the classifier, or by the other judge.
        labels: all that both give.
    """
    human, predicted = (count_by_document(frame, (column,), (labels,)) for column in columns)
    # Numbers are compared: categories can't be, where one judge never gives a label that the other gives.
    one, other = (pd.Index(labels).get_indexer(pd.Index(frame[column])) for column in columns)
    right = (one == other).astype(np.int64)
    return sparse.hstack([sum_by_document(frame, one, right, (len(labels),)), predicted, human], format="csr")
