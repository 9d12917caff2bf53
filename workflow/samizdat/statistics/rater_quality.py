"""Compare what raters said of drawn texts with a classifier, and with who wrote the text."""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from samizdat.measures.bootstrap import FEWEST_DOCUMENTS, Bootstrap
from samizdat.measures.chance import p_value, permuted_ratios
from samizdat.measures.label_metrics import given_labels
from samizdat.measures.numbers import spearman
from samizdat.measures.stratified import FEWEST_ROWS, weighted_mean, weighted_ratio
from samizdat.records.labels import MODEL, PERSON
from samizdat.statistics.tables import Row

# Texts and samples have one weight: of so many each, the rows are a part that can be neglected.
ENDLESS = 10**9


def of_classifier(drawn: pd.DataFrame, labels: list[str], bootstrap: Bootstrap) -> list[Row]:
    """Estimate a classifier's quality for all texts, and for all samples, from those that people labelled.

    Args:
        drawn: as `wide` makes it, with the column `predicted`; rows without a label by most raters are left out.
        labels: of the classifier.
        bootstrap: has the confidence.
    """
    rows: list[Row] = []
    for drawing in _drawings(drawn):
        human, predicted = drawing.part["human"].to_numpy(), drawing.part["predicted"].to_numpy()
        right, every = human == predicted, np.ones(len(human), bool)
        rows += drawing.shares("accuracy", None, right, every, bootstrap)
        for one in labels:
            # All texts to which a classifier gives a label are known, so the share is of these rows' strata alone.
            rows += drawing.shares(
                "precision", one, right & (predicted == one), predicted == one, bootstrap, alone=True
            )
            rows += drawing.shares("recall", one, right & (human == one), human == one, bootstrap)
            rows += drawing.shares("share", one, human == one, every, bootstrap)
    return rows


def of_labels(drawn: pd.DataFrame, bootstrap: Bootstrap) -> list[Row]:
    """Estimate what share of all texts, and of all samples, people give each label that any rater gave.

    Args:
        drawn: as `wide` makes it; rows without a label by most raters are left out.
        bootstrap: has the confidence.
    """
    labels = sorted({one for given in drawn["given"] for one in given.values() if one is not None})
    rows: list[Row] = []
    for drawing in _drawings(drawn):
        human = drawing.part["human"].to_numpy()
        for one in labels:
            rows += drawing.shares("share", one, human == one, np.ones(len(human), bool), bootstrap)
    return rows


def of_several_labels(drawn: pd.DataFrame, labels: list[str], bootstrap: Bootstrap) -> list[Row]:
    """Estimate the quality of a classifier that gives several labels, as `of_classifier` does.

    F1 is a ratio of weighted sums, too: of twice the texts where people and classifier give the label, to all that the
    label is given. Micro-F1 sums over labels first.

    Args:
        drawn: as `wide` makes it, with the column `predicted`.
        labels: of the classifier; raters give no others.
        bootstrap: has the confidence.
    """
    rows: list[Row] = []
    for drawing in _drawings(drawn):
        human = drawing.part["human"]
        said, wanted = given_labels(drawing.part["predicted"], labels), given_labels(human, labels)
        right, every = said & wanted, np.ones(len(said), bool)
        number = said.sum(axis=1) + wanted.sum(axis=1)
        most = max(int(number.max(initial=0)), 1)  # what is summed must be from 0 to 1
        rows += drawing.shares("accuracy", None, (said == wanted).all(axis=1), every, bootstrap)
        rows += drawing.shares("micro_f1", None, 2 * right.sum(axis=1) / most, number / most, bootstrap)
        for place, one in enumerate(labels):
            both, own, theirs = right[:, place], said[:, place], wanted[:, place]
            rows += drawing.shares("precision", one, both, own, bootstrap)
            rows += drawing.shares("recall", one, both, theirs, bootstrap)
            rows += drawing.shares("f1", one, both, (own.astype(int) + theirs) / 2, bootstrap)
            rows += drawing.shares("share", one, theirs, every, bootstrap)
    return rows


def of_numbers(drawn: pd.DataFrame, bootstrap: Bootstrap) -> list[Row]:
    """Estimate how near a classifier's numbers are to those of people, and whether both order texts alike.

    Args:
        drawn: as `wide` makes it, with the column `predicted`.
        bootstrap: how intervals are made.
    """
    rows: list[Row] = []
    for drawing in _drawings(drawn):
        human, predicted = (drawing.part[one].to_numpy(float) for one in ("human", "predicted"))
        means = {"mean": human, "above_people": predicted - human, "mean_absolute_error": np.abs(predicted - human)}
        for metric, values in means.items():
            value, low, high = weighted_mean(values, drawing.strata, drawing.sizes, bootstrap.confidence)
            # An error can't be negative.
            low = max(low, 0.0) if metric == "mean_absolute_error" else low
            rows.append(drawing.row(metric, None, len(human), value, low, high))
        weights = (drawing.sizes / np.bincount(drawing.strata))[drawing.strata]
        value, low, high = spearman(
            human, predicted, np.arange(len(human)), bootstrap, "raters", drawing.subset, weights=weights
        )
        rows.append(drawing.row("spearman", None, len(human), value, low, high))
    return rows


class _Drawing(NamedTuple):
    """The rows of one subset that people answered, and what they were drawn from."""

    subset: str
    part: pd.DataFrame
    strata: np.ndarray  # the number of each row's stratum, from 0
    sizes: np.ndarray  # of the strata

    def shares(
        self, metric: str, label: str | None, above: np.ndarray, below: np.ndarray, bootstrap: Bootstrap, *,
        alone: bool = False,
    ) -> list[Row]:  # fmt: skip
        """Estimate a share by `weighted_ratio`; with `alone`, of the rows below the fraction bar alone."""
        own = below if alone else np.ones(len(below), bool)
        scaled = self.sizes * np.bincount(self.strata[own], minlength=len(self.sizes)) / np.bincount(self.strata)
        value, low, high = weighted_ratio(
            above[own].astype(float), below[own].astype(float), self.strata[own], scaled, bootstrap.confidence
        )
        return [] if np.isnan(value) else [self.row(metric, label, int((below > 0).sum()), value, low, high)]

    def row(self, metric: str, label: str | None, rows: int, value: float, low: float, high: float) -> Row:
        """Make a row of the table; with few rows it has no interval."""
        if len(self.part) < FEWEST_ROWS:
            low = high = np.nan
        return {"subset": self.subset, "metric": metric, "label": label, "rows": rows,
                "population": int(self.sizes.sum()), "value": value, "low": low, "high": high}  # fmt: skip


def _drawings(drawn: pd.DataFrame) -> Iterator[_Drawing]:
    """Part the rows that people answered into texts and samples."""
    for subset, part in drawn[drawn["human"].notna()].groupby("subset", sort=False):
        strata, names = pd.factorize(part["stratum"])
        sizes = part.groupby("stratum")["stratum_size"].first().reindex(names).to_numpy()
        yield _Drawing(str(subset), part, strata, sizes)


def unestimated(drawn: pd.DataFrame, used: pd.DataFrame) -> list[Row]:
    """Count the texts, and the samples, that no estimate is for: those in strata of which no row can be used.

    Args:
        drawn: all rows, as `wide` makes them.
        used: those of them that estimates are made from.
    """
    there = set(zip(used["subset"], used["stratum"], strict=True))
    lost = drawn[[one not in there for one in zip(drawn["subset"], drawn["stratum"], strict=True)]]
    rows: list[Row] = []
    for subset, part in lost.groupby("subset", sort=False):
        number = int(part.groupby("stratum")["stratum_size"].first().sum())
        rows.append({"subset": subset, "metric": "unestimated", "rows": len(part), "population": number,
                     "value": number})  # fmt: skip
    return rows


def of_origin(drawn: pd.DataFrame, bootstrap: Bootstrap) -> list[Row]:
    """Measure whether raters can tell samples from texts.

    A row's text is of a document of its own, so that rows can be permuted: where raters can't tell, each answer would
    be the same had the other wrote the text.

    Args:
        drawn: as `wide` makes it.
        bootstrap: has confidence, number of draws and seed.

    Returns:
        The accuracy of all raters and of each: the mean of the shares of answers about texts, and about samples, that
        are right; and how much more often texts are called a person's than samples are, with its test. Nothing where no
        row has an answer.
    """
    rows: list[Row] = []
    sides = (drawn["subset"] == "samples").to_numpy().astype(int)
    raters = list(dict.fromkeys(itertools.chain.from_iterable(drawn["given"])))
    if not raters:
        return []
    said = np.array([[given.get(rater) for rater in raters] for given in drawn["given"]], object)
    right = said == np.where(sides == 1, MODEL, PERSON)[:, None]
    answered = np.array([[label is not None for label in row] for row in said], bool)
    chosen: list[tuple[str | None, slice]] = [(None, slice(None))]
    chosen += [(name, slice(place, place + 1)) for place, name in enumerate(raters)]
    for who, columns in chosen:
        number = answered[:, columns].sum(axis=1)
        there = number > 0
        if len(set(sides[there])) < 2:
            continue
        hits, number, side = (right & answered)[:, columns].sum(axis=1)[there], number[there], sides[there]
        # Each answer counts, as in the difference below; the two sides have one weight, however many answers they have.
        weight = number / (np.bincount(side, number) / np.bincount(side))[side]
        weight /= weight.max()
        value, low, high = weighted_ratio(
            weight * hits / number, weight, side, np.full(2, ENDLESS), bootstrap.confidence
        )
        if len(side) < FEWEST_ROWS:
            low = high = np.nan
        rows.append({"metric": "accuracy", "rater": who, "rows": int(there.sum()), "value": value, "low": low,
                     "high": high})  # fmt: skip
    counts = np.stack([(said == PERSON).sum(axis=1), answered.sum(axis=1)], axis=1)
    texts, samples = (counts[(sides == side) & (counts[:, 1] > 0)] for side in (0, 1))
    if len(texts) and len(samples):
        shares = [float(part[:, 0].sum() / part[:, 1].sum()) for part in (texts, samples)]
        row: Row = {"metric": "difference", "rows": len(texts) + len(samples), "value": shares[0] - shares[1]}
        if min(len(texts), len(samples)) >= FEWEST_DOCUMENTS:
            drawn_ratios = np.abs(permuted_ratios(texts, samples, bootstrap.resamples, bootstrap.random("origin")))
            row["p_value"] = p_value(drawn_ratios[0], drawn_ratios[1:])
        rows.append(row)
    return rows
