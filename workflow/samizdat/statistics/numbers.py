"""What a classifier says that gives a number: how its numbers are spread, and whether people order texts alike."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from samizdat.base.errors import UserError
from samizdat.base.escaping import shortened
from samizdat.measures.bootstrap import FEWEST_DOCUMENTS, Bootstrap
from samizdat.measures.numbers import mean_over_documents, quantile, spearman
from samizdat.records.classifiers import ClassifierCard
from samizdat.records.corpus import LABEL_PREFIX
from samizdat.statistics.raters import are_mean_ratings, by_people, labels_given
from samizdat.statistics.sample_sets import label_share_sets
from samizdat.statistics.tables import Row

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def distributions(
    card: ClassifierCard, texts: pd.DataFrame, samples: pd.DataFrame, bootstrap: Bootstrap
) -> Iterator[Row]:
    """Compute mean and quantiles of each set of texts and samples: rows of `records.statistics.NUMBERS`.

    Args:
        card: the classifier.
        texts: texts that it gave a `number` and was not trained on.
        samples: samples that it gave a `number`.
        bootstrap: how intervals are made.
    """
    of_texts = _mean(texts) if len(texts) else None
    for subset, kind, group, part in label_share_sets(texts, samples):
        row = {"classifier": card.name, "subset": subset, "group_kind": kind, "group": group, "texts": len(part)}
        own = _mean(part)
        yield row | {"metric": "mean"} | _interval(own[0], own[1], own[2], bootstrap)
        values, (owners, _) = part["number"].to_numpy(), pd.factorize(part["document"])
        for share in QUANTILES:
            value, low, high = quantile(values, owners, share, bootstrap)
            yield row | {"metric": f"quantile_{share}", "value": value, "low": low, "high": high}
        if subset == "samples" and of_texts:
            apart, variance = own[0] - of_texts[0], own[1] + of_texts[1]
            yield row | {"metric": "above_texts"} | _interval(apart, variance, min(own[2], of_texts[2]), bootstrap)


def rank_correlation(card: ClassifierCard, texts: pd.DataFrame, column: str, bootstrap: Bootstrap) -> Iterator[Row]:
    """Correlate the numbers of held-out texts with those that people gave: a row of `records.statistics.NUMBERS`.

    Its value is null where all numbers of one side are equal; without numbers by people there is no row. People's are
    the means of their ratings where the column is made from ratings, else those of what single raters gave, else the
    values of the column.

    Args:
        card: the classifier.
        texts: texts that it gave a `number` and was not trained on.
        column: the human label.
        bootstrap: how intervals are made.

    Raises:
        UserError: a value of the column is no number.
    """
    held_out = by_people(texts, column)
    if held_out.empty:
        return
    human = _human_numbers(card, held_out, column)
    owners, _ = pd.factorize(held_out["document"])
    value, low, high = spearman(held_out["number"].to_numpy(), human, owners, bootstrap, "spearman")
    yield {
        "classifier": card.name, "subset": "texts", "group_kind": "human", "metric": "spearman",
        "label_column": column.removeprefix(LABEL_PREFIX), "texts": len(held_out),
        "value": value, "low": low, "high": high,
    }  # fmt: skip


def _human_numbers(card: ClassifierCard, held_out: pd.DataFrame, column: str) -> np.ndarray:
    if are_mean_ratings(held_out, column):
        return held_out["ratings"].map(lambda ratings: float(np.mean(ratings))).to_numpy()
    of_texts = zip(labels_given(held_out, column), held_out[column], strict=True)
    given = pd.Series([several or [one] for several, one in of_texts]).explode()
    found = pd.to_numeric(given, errors="coerce")
    if found.isna().any():
        wrong = given[found.isna()]
        raise UserError(
            f"the classifier {card.name!r} gives a number, but {wrong.index.nunique()} of {len(held_out)} held-out "
            f"texts have a {column.removeprefix(LABEL_PREFIX)!r} that is none, such as {shortened(wrong.iloc[0])!r}",
            remedy="name a column of numbers as label_column of the classifier, or none",
        )
    return found.groupby(level=0).mean().to_numpy(float)


def _mean(part: pd.DataFrame) -> tuple[float, float, int]:
    """Compute the mean of a set's numbers, its variance and the number of documents."""
    owners, documents = pd.factorize(part["document"])
    return *mean_over_documents(part["number"].to_numpy(), owners), len(documents)


def _interval(value: float, variance: float, documents: int, bootstrap: Bootstrap) -> Row:
    if documents < FEWEST_DOCUMENTS:
        return {"value": value}
    low, high, _ = bootstrap.normal(value, variance, documents - 1)
    return {"value": value, "low": low, "high": high}
