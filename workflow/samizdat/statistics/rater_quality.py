"""Compare what raters said of drawn texts with each other, with a classifier, and with who wrote the text."""

import itertools

import numpy as np
import pandas as pd

from samizdat.measures.bootstrap import FEWEST_DOCUMENTS, Bootstrap, count_by_document
from samizdat.measures.chance import p_value, permuted_ratios
from samizdat.measures.label_metrics import cohen_kappa
from samizdat.measures.ratings import most_frequent
from samizdat.measures.stratified import FEWEST_ROWS, weighted_ratio
from samizdat.records.labels import MODEL, PERSON
from samizdat.statistics.raters import alphas
from samizdat.statistics.tables import Row

# Texts and samples have one weight: of so many each, the rows are a part that can be neglected.
ENDLESS = 10**9


def wide(labels: pd.DataFrame) -> pd.DataFrame:
    """Make one row of each text from `records.labels.HUMAN_LABELS`.

    New columns: `given` (rater → label, without empty cells) and `human` (the most frequent label; None for a tie).
    """
    keys = ["subset", "id", "sha256", "stratum", "stratum_size"]
    rows = []
    for values, part in labels.groupby(keys, sort=False):
        given = {rater: label for rater, label in zip(part["rater"], part["label"], strict=True) if not pd.isna(label)}
        rows.append(dict(zip(keys, values, strict=True)) | {"given": given, "human": most_frequent([*given.values()])})
    return pd.DataFrame(rows, columns=[*keys, "given", "human"])


def between_raters(drawn: pd.DataFrame, bootstrap: Bootstrap) -> list[Row]:
    """Measure how far raters agree: Krippendorff's alpha of all, and Cohen's kappa of each two.

    Args:
        drawn: as `wide` makes it.
        bootstrap: over rows.
    """
    frame = drawn.assign(document=drawn.index, ratings=None)
    frame["raters"] = pd.Series(
        [{"human": list(given.values())} for given in frame["given"]], frame.index, dtype=object
    )
    rows: list[Row] = [
        {"metric": row["metric"], "rows": row["texts"], "value": row["value"], "low": row["low"], "high": row["high"]}
        for row in alphas(frame, "label_human", bootstrap)
    ]
    raters = list(dict.fromkeys(itertools.chain.from_iterable(drawn["given"])))
    for one, other in itertools.combinations(raters, 2):
        both = frame[[one in given and other in given for given in frame["given"]]]
        if both.empty:
            continue
        pair = both.assign(one=[given[one] for given in both["given"]], other=[given[other] for given in both["given"]])
        names = sorted({*pair["one"], *pair["other"]})
        counts = count_by_document(pair, ("one", "other"), (names, names))
        square = (-1, len(names), len(names))
        value = float(cohen_kappa(counts.sum(axis=0).reshape(square))[0])
        if np.isnan(value):
            continue
        resampled = cohen_kappa(bootstrap.totals(counts, "kappa", one, other).reshape(square))
        low, high = bootstrap.interval(value, resampled, len(pair))
        rows.append({"metric": "kappa", "rater": one, "other": other, "rows": len(pair), "value": value, "low": low,
                     "high": high})  # fmt: skip
    return rows


def of_classifier(drawn: pd.DataFrame, labels: list[str], bootstrap: Bootstrap) -> list[Row]:
    """Estimate a classifier's quality for all texts, and for all samples, from those that people labelled.

    Args:
        drawn: as `wide` makes it, with the column `predicted`; rows without a label by most raters are left out.
        labels: of the classifier.
        bootstrap: has the confidence.
    """
    rows: list[Row] = []
    for subset, part in drawn[drawn["human"].notna()].groupby("subset", sort=False):
        strata, names = pd.factorize(part["stratum"])
        sizes = part.groupby("stratum")["stratum_size"].first().reindex(names).to_numpy()
        human, predicted = part["human"].to_numpy(), part["predicted"].to_numpy()
        right = human == predicted
        every = np.ones(len(part), bool)
        asked: list[tuple[str, str | None, np.ndarray, np.ndarray]] = [("accuracy", None, right, every)]
        for one in labels:
            asked += [
                ("precision", one, right & (predicted == one), predicted == one),
                ("recall", one, right & (human == one), human == one),
                ("share", one, human == one, every),
            ]
        counts = np.bincount(strata)
        for metric, label, above, below in asked:
            # All texts to which a classifier gives a label are known, so the share is of these rows' strata alone.
            own = below if metric == "precision" else every
            scaled = sizes * np.bincount(strata[own], minlength=len(sizes)) / counts
            value, low, high = weighted_ratio(
                above[own].astype(float), below[own].astype(float), strata[own], scaled, bootstrap.confidence
            )
            if len(part) < FEWEST_ROWS:
                low = high = np.nan
            if not np.isnan(value):
                rows.append({"subset": subset, "metric": metric, "label": label, "rows": int(below.sum()),
                             "population": int(sizes.sum()), "value": value, "low": low, "high": high})  # fmt: skip
    return rows


def of_origin(drawn: pd.DataFrame, bootstrap: Bootstrap) -> list[Row]:
    """Measure whether raters can tell samples from texts.

    A row's text is of a document of its own, so that rows can be permuted: where raters can't tell, each answer would
    be the same had the other wrote the text.

    Args:
        drawn: as `wide` makes it.
        bootstrap: has confidence, number of draws and seed.

    Returns:
        The accuracy of all raters and of each, texts and samples having one weight; and how much more often texts are
        called a person's than samples are, with its test.
    """
    rows: list[Row] = []
    sides = (drawn["subset"] == "samples").to_numpy().astype(int)
    raters = list(dict.fromkeys(itertools.chain.from_iterable(drawn["given"])))
    said = np.array([[given.get(rater) for rater in raters] for given in drawn["given"]], object).reshape(
        -1, len(raters)
    )
    right = said == np.where(sides == 1, MODEL, PERSON)[:, None]
    answered = np.array([[label is not None for label in row] for row in said], bool).reshape(said.shape)
    chosen: list[tuple[str | None, slice]] = [(None, slice(None))]
    chosen += [(name, slice(place, place + 1)) for place, name in enumerate(raters)]
    for who, columns in chosen:
        number = answered[:, columns].sum(axis=1)
        there = number > 0
        if len(set(sides[there])) < 2:
            continue
        share = (right & answered)[:, columns].sum(axis=1)[there] / number[there]
        value, low, high = weighted_ratio(
            share, np.ones(len(share)), sides[there], np.full(2, ENDLESS), bootstrap.confidence
        )
        if len(share) < FEWEST_ROWS:
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
