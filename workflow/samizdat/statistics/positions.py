"""How labels and numbers change from the beginnings of long documents to their ends."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from samizdat.measures import label_metrics
from samizdat.measures.arrays import Floats
from samizdat.measures.bootstrap import FEWEST_DOCUMENTS, Bootstrap
from samizdat.measures.numbers import mean_over_documents, slope_within_documents
from samizdat.records.classifiers import MULTI_LABEL, NUMBER, ClassifierCard
from samizdat.statistics.association import corrected
from samizdat.statistics.tables import Row

# A long document has at least one text in each of its parts.
PARTS = 5


def positions(
    cards: Mapping[str, ClassifierCard],
    corpus: pd.DataFrame,
    judged: Mapping[str, pd.DataFrame],
    bootstrap: Bootstrap,
) -> tuple[list[Row], list[Row]]:
    """Follow each label, or the number, through the documents that have at least five texts.

    A text is in the fifth of its document that its place among all texts of the document gives, whether they were
    judged or not. A change is a slope within documents, so that documents which differ from each other as a whole
    don't matter. Where all documents are read from their ends, slopes only change their signs: so p holds if a
    document could as well have been written backwards.

    Args:
        cards: classifiers by name.
        corpus: `document` of all texts, in the order of the documents.
        judged: name → texts that the classifier said something of and was not trained on, with the index of `corpus`.
        bootstrap: how confident the intervals are.

    Returns:
        The rows of `records.statistics.POSITIONS`, and those of `records.statistics.POSITION_CHANGES`.
    """
    owners, _ = pd.factorize(corpus["document"])
    size = np.bincount(owners)[owners]
    long = size >= PARTS
    places = pd.DataFrame({"size": size[long]}, corpus.index[long])
    places["place"] = places.groupby(owners[long], sort=False).cumcount()
    parts: list[Row] = []
    changes: list[Row] = []
    for name, card in cards.items():
        texts = judged[name].join(places, how="inner")
        if texts["document"].nunique() < FEWEST_DOCUMENTS:
            continue
        for label, values in _columns(card, texts):
            if len(np.unique(values)) < 2:
                continue
            names = {"classifier": name, "label": label}
            parts += [names | row for row in _parts(texts, values, label is None, bootstrap)]
            changes.append(names | _change(texts, values, bootstrap))
    return parts, corrected(changes)


def _columns(card: ClassifierCard, texts: pd.DataFrame) -> Iterator[tuple[str | None, Floats]]:
    """Yield each label with 1 for the texts that have it and 0 for others, or None with the texts' numbers."""
    if card.kind == NUMBER:
        yield None, texts["number"].to_numpy(float)
        return
    if card.kind == MULTI_LABEL:
        given = label_metrics.given_labels(texts["labels"], card.labels)
    for place, label in enumerate(card.labels):
        has = given[:, place] if card.kind == MULTI_LABEL else (texts["predicted"] == label).to_numpy()
        yield label, has.astype(float)


def _parts(texts: pd.DataFrame, values: Floats, numbers: bool, bootstrap: Bootstrap) -> Iterator[Row]:
    """Compute the mean of each fifth with its interval; that of shares stays between 0 and 1."""
    fifths = (texts["place"] * PARTS // texts["size"]).to_numpy()
    for part in range(PARTS):
        own = fifths == part
        if not own.any():
            continue
        owners, found = pd.factorize(texts["document"][own])
        mean, variance = mean_over_documents(values[own], owners)
        row = {"part": part + 1, "texts": int(own.sum()), "value": mean}
        if len(found) < FEWEST_DOCUMENTS:
            yield row
            continue
        low, high = (
            bootstrap.normal(mean, variance, len(found) - 1)[:2]
            if numbers
            else bootstrap.share_bounds(mean, variance, len(found), len(owners), len(found))
        )
        yield row | {"low": float(low), "high": float(high)}


def _change(texts: pd.DataFrame, values: Floats, bootstrap: Bootstrap) -> Row:
    owners, found = pd.factorize(texts["document"])
    through = (texts["place"] / (texts["size"] - 1)).to_numpy()
    value, variance, documents = slope_within_documents(through, values, owners)
    row = {"documents": len(found), "texts": len(texts), "value": value}
    if documents < FEWEST_DOCUMENTS:
        return row
    low, high, p_value = bootstrap.normal(value, variance, documents - 1)
    return row | {"low": low, "high": high, "p_value": p_value}
