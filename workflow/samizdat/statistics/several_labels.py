"""What a classifier says that gives several labels at once: each label by itself, and which labels go together."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import sparse

from samizdat.base.seeds import derive_seed
from samizdat.measures import label_metrics
from samizdat.measures.bootstrap import Bootstrap, sum_by_document
from samizdat.measures.ratings import of_most
from samizdat.records.classifiers import ClassifierCard
from samizdat.records.corpus import LABEL_PREFIX
from samizdat.records.samples import begun_with_nothing
from samizdat.records.statistics import FREQUENT_LABELS
from samizdat.statistics.association import group_tests
from samizdat.statistics.label_shares import divergences
from samizdat.statistics.raters import by_people, labels_given
from samizdat.statistics.sample_sets import label_share_sets
from samizdat.statistics.tables import Row

EXAMPLES = 6
# Of a part of the pairs of labels: what texts have, and what resamples have.
BYTES_AT_ONCE = 400_000_000


def shares(card: ClassifierCard, texts: pd.DataFrame, samples: pd.DataFrame, bootstrap: Bootstrap) -> Iterator[Row]:
    """Compute the share of texts with each label, and with none, in each set: `records.statistics.LABEL_SHARES`.

    Args:
        card: the classifier.
        texts: texts that it has read (`labels`) and was not trained on.
        samples: samples that it has read.
        bootstrap: how intervals are made.
    """
    for subset, kind, group, part in label_share_sets(texts, samples):
        given = label_metrics.given_labels(part["labels"], card.labels)
        columns = np.column_stack([given, ~given.any(axis=1), np.ones(len(part), bool)])
        counts = _by_document(part, columns)
        totals = bootstrap.totals(counts, "several", subset, kind, group or "")
        count, documents = counts.sum(axis=0), counts.shape[0]
        share = count[:-1] / count[-1]
        low, high = bootstrap.share_interval(share, totals[:, :-1] / totals[:, -1:], documents, count[-1], documents)
        for number, label in enumerate([*card.labels, None]):
            yield {
                "classifier": card.name, "subset": subset, "group_kind": kind, "group": group, "label": label,
                "count": count[number], "share": share[number], "low": low[number], "high": high[number],
            }  # fmt: skip


def differences(
    card: ClassifierCard, texts: pd.DataFrame, samples: pd.DataFrame, bootstrap: Bootstrap
) -> Iterator[Row]:
    """Test whether each label's share differs between groups, and between samples and texts.

    Each label is looked at as a classifier of its own, which says whether a text has it: the tests are those of
    single-label classifiers. The rows are those of `records.statistics.LABEL_DIFFERENCES`.

    Args:
        card: the classifier.
        texts: texts that it has read (`labels`) and was not trained on, with `group`.
        samples: samples of the published models that it has read.
        bootstrap: how intervals are made.
    """
    begun = begun_with_nothing(samples)
    given = [label_metrics.given_labels(frame["labels"], card.labels) for frame in (texts, begun)]
    for place, label in enumerate(card.labels):
        own = replace(bootstrap, seed=derive_seed(bootstrap.seed, "label", label))
        without = f"not {label}"
        single = replace(card, labels=[label, without])
        told, told_samples = (
            frame.assign(
                predicted=pd.Categorical.from_codes(there[:, place].astype(np.int8), pd.Index([without, label]))
            )
            for frame, there in zip((texts, begun), given, strict=True)
        )
        for row in group_tests({card.name: single}, {card.name: told}, own):
            yield {
                "classifier": card.name, "label": label, "between": "groups", "texts": row["texts"],
                "value": row["cramers_v"], "low": row.get("low"), "high": row.get("high"),
                "p_value": row.get("p_value"),
            }  # fmt: skip
        for row in divergences(single, told, told_samples, own):
            if row["begun_with"] == "nothing" and row["temperature"] is None:
                yield {
                    "classifier": card.name, "label": label, "between": "samples", "model": row["model"],
                    "texts": row["texts"], "samples": row["samples"],
                    "value": row.get("jensen_shannon_bits", row["observed_bits"]), "low": row.get("low"),
                    "high": row.get("high"), "p_value": row.get("p_value"),
                }  # fmt: skip


def cooccurrence(card: ClassifierCard, texts: pd.DataFrame, bootstrap: Bootstrap) -> Iterator[Row]:
    """Compute which share of the texts with one label has another, too: `records.statistics.COOCCURRENCE`.

    Of pairs that no text has, those with one of the `FREQUENT_LABELS` alone, so rows don't grow with the square
    of the labels.

    Args:
        card: the classifier.
        texts: texts that it has read (`labels`) and was not trained on.
        bootstrap: how intervals are made.
    """
    if texts.empty:
        return
    given = label_metrics.given_labels(texts["labels"], card.labels)
    size, often = len(card.labels), given.sum(axis=0)
    frequent = np.argsort(-often, kind="stable")[:FREQUENT_LABELS]
    # Memory doesn't grow with the square of the labels.
    at_once = max(1, BYTES_AT_ONCE // (size * max(len(texts), 8 * bootstrap.resamples)))
    for start in range(0, size, at_once):
        ones = range(start, min(start + at_once, size))
        others = [np.union1d(np.flatnonzero(given[given[:, one]].any(axis=0)), [one, *frequent]) for one in ones]
        both = [given[:, [one]] & given[:, some] for one, some in zip(ones, others, strict=True)]
        counts = _by_document(texts, np.column_stack([*both, np.ones(len(texts), bool)]))
        totals = bootstrap.totals(counts, "cooccurrence", *([start] if start else []))
        documents = counts.shape[0]
        places = np.cumsum([0, *map(len, others)])
        for one, some, place in zip(ones, others, places[:-1], strict=True):
            own, itself = int(often[one]), int(np.searchsorted(some, one))
            if not own:
                continue
            mine = slice(place, place + len(some))
            together, drawn = counts[:, mine].sum(axis=0), totals[:, mine]
            with np.errstate(invalid="ignore", divide="ignore"):
                resampled = drawn / np.where(drawn[:, [itself]] > 0, drawn[:, [itself]], np.nan)
            owners = int((counts[:, [place + itself]] > 0).sum())
            for number, other in ((number, int(other)) for number, other in enumerate(some) if other != one):
                share = together[number] / own
                low, high = bootstrap.share_interval(share, resampled[:, number], documents, own, owners)
                yield {
                    "classifier": card.name, "label": card.labels[one], "other": card.labels[other], "texts": own,
                    "both": int(together[number]), "share": share, "low": float(low), "high": float(high),
                    "share_of_all": often[other] / len(texts),
                }  # fmt: skip


def quality(card: ClassifierCard, judged: pd.DataFrame, column: str, bootstrap: Bootstrap) -> list[Row]:
    """Compare labels with those that people gave held-out texts: rows of `records.statistics.QUALITY`.

    Args:
        card: the classifier.
        judged: texts that it has read (`labels`) and was not trained on.
        column: the human labels; a cell has several with `label_separator` between them, or none but separators. Of
            several raters' cells the labels count that more than half of them have.
        bootstrap: how intervals are made.

    Returns:
        Precision, recall and F1 of each label, micro and macro F1; nothing where no such text is held out, or none of
        them has a label.
    """
    held_out = by_people(judged, column)
    cells = zip(labels_given(held_out, column), held_out[column], strict=True)
    human = [of_most([card.labels_in(one) for one in given or [cell]]) for given, cell in cells]
    named = {label for cell in human for label in cell} | {label for given in held_out["labels"] for label in given}
    if not named:
        return []
    labels = [label for label in dict.fromkeys([*card.labels, *sorted(named)]) if label in named]
    said, wanted = label_metrics.given_labels(held_out["labels"], labels), label_metrics.given_labels(human, labels)
    counts = _by_document(held_out, np.column_stack([said & wanted, said, wanted, np.ones(len(held_out), bool)]))
    parts = np.arange(3 * len(labels)).reshape(3, -1)
    totals = bootstrap.totals(counts, "several quality")
    documents, texts = counts.shape[0], len(held_out)
    (right, predicted, given), drawn = counts.sum(axis=0)[parts], totals[:, parts]
    of = {"precision": predicted, "recall": given, "f1": predicted + given}
    owners = {
        "precision": (counts[:, parts[1]] > 0).sum(axis=0),
        "recall": (counts[:, parts[2]] > 0).sum(axis=0),
        "f1": ((counts[:, parts[1]] + counts[:, parts[2]]) > 0).sum(axis=0),
    }
    common = {
        "classifier": card.name, "label_column": column.removeprefix(LABEL_PREFIX), "method": "classifier",
        "texts": texts,
    }  # fmt: skip
    rows: list[Row] = []
    scores = label_metrics.scores_of_counts(right, predicted, given)
    resampled = label_metrics.scores_of_counts(drawn[:, 0], drawn[:, 1], drawn[:, 2])
    for metric, values in scores.items():
        low, high = bootstrap.share_interval(values, resampled[metric], documents, of[metric], owners[metric])
        rows += [
            common | {"metric": metric, "label": label, "value": values[place], "low": low[place], "high": high[place]}
            for place, label in enumerate(labels)
        ]
    value, values = _micro_f1(right, predicted, given), _micro_f1(drawn[:, 0], drawn[:, 1], drawn[:, 2])
    low, high = bootstrap.share_interval(value, values, documents, of["f1"].sum(), documents)
    rows.append(common | {"metric": "micro_f1", "value": value, "low": low, "high": high})
    value, values = scores["f1"].mean(), np.nanmean(resampled["f1"], axis=1)
    low, high = bootstrap.share_interval(value, values, documents, of["f1"].sum(), documents)
    if of["f1"].min() < label_metrics.FEWEST_GIVEN:
        low = high = np.full((), np.nan)
    rows.append(common | {"metric": "macro_f1", "value": value, "low": low, "high": high})
    return rows


def clearest(card: ClassifierCard, judged: pd.DataFrame) -> pd.DataFrame:
    """Select what `examples` can choose: the EXAMPLES clearest texts of each label, and those nearest to a threshold.

    Args:
        card: the classifier.
        judged: texts with `id` and `probabilities`.
    """
    if judged.empty:
        return judged
    above, keys = _above(card, judged), judged["id"].to_numpy()
    orders = [np.lexsort((keys, -values)) for values in above.T]
    orders.append(np.lexsort((keys, np.abs(above).min(axis=1))))
    return judged.iloc[np.unique([order[:EXAMPLES] for order in orders])]


def examples(card: ClassifierCard, judged: pd.DataFrame) -> Iterator[Row]:
    """Choose the clearest texts of each label, and those that are nearest to a threshold: `EXAMPLES`.

    Args:
        card: the classifier.
        judged: texts with `id` and `probabilities`, or the `clearest`.
    """
    if judged.empty:
        return
    above = _above(card, judged)
    keys = judged["id"].to_numpy()
    given = (above >= 0).any(axis=0)
    per_label = max(1, EXAMPLES // max(int(given.sum()), 1))
    for place in np.flatnonzero(given):
        order = np.lexsort((keys, -above[:, place]))[:per_label]
        yield from (_example(card, "most", judged, row, place) for row in order if above[row, place] >= 0)
    nearest = np.abs(above).argmin(axis=1)
    order = np.lexsort((keys, np.abs(above).min(axis=1)))[:EXAMPLES]
    yield from (_example(card, "least", judged, row, nearest[row]) for row in order)


def _above(card: ClassifierCard, judged: pd.DataFrame) -> np.ndarray:
    """Compute how far each probability is above its threshold, `[texts, labels]`."""
    thresholds = [card.threshold_of(label) for label in card.labels]
    above: np.ndarray = np.stack(judged["probabilities"].tolist()) - thresholds
    return above


def _example(card: ClassifierCard, certainty: str, judged: pd.DataFrame, row: int, place: np.intp | int) -> Row:
    text = judged.iloc[row]
    return {
        "classifier": card.name, "certainty": certainty, "id": text["id"], "label": card.labels[place],
        "probability": float(text["probabilities"][place]),
    }  # fmt: skip


def _micro_f1(right: np.ndarray, predicted: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Compute F1 of all labels' counts together: `[…, labels]` to `[…]`."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found: np.ndarray = 2 * right.sum(axis=-1) / (predicted.sum(axis=-1) + given.sum(axis=-1))
    return found


def _by_document(frame: pd.DataFrame, columns: np.ndarray) -> sparse.csr_array:
    """Count in how many texts of each document each column is true, `[documents, columns]`."""
    rows, cells = np.nonzero(columns)
    return sum_by_document(frame.iloc[rows], cells, np.ones(len(rows), np.int64), (columns.shape[1],))
