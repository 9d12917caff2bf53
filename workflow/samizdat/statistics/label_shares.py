"""How often a classifier gives each label, and how far the samples' label shares are from the texts'."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import sparse

from samizdat.measures import chance, label_metrics
from samizdat.measures.arrays import Counts, Floats
from samizdat.measures.bootstrap import FEWEST_DOCUMENTS, Bootstrap, count_by_document
from samizdat.records.classifiers import ClassifierCard
from samizdat.statistics.sample_sets import label_share_sets, sample_sets
from samizdat.statistics.tables import Row


def label_shares(
    card: ClassifierCard, texts: pd.DataFrame, samples: pd.DataFrame, bootstrap: Bootstrap
) -> Iterator[Row]:
    """Compute each label's share in each set of texts and of samples: `records.statistics.LABEL_SHARES`.

    Args:
        card: the classifier.
        texts: texts that it gave a label (`predicted`) and was not trained on.
        samples: samples that it gave a label.
        bootstrap: how intervals are made.
    """
    for subset, kind, group, part in label_share_sets(texts, samples):
        counts = count_by_document(part, ("predicted",), (card.labels,))
        totals = bootstrap.totals(counts, "shares", subset, kind, group or "")
        count = counts.sum(axis=0)
        share = label_metrics.shares(count)
        documents = counts.shape[0]
        resampled = label_metrics.shares(totals)
        low, high = bootstrap.share_interval(share, resampled, documents, count.sum(), documents)
        for number, label in enumerate(card.labels):
            yield {
                "classifier": card.name,
                "subset": subset,
                "group_kind": kind,
                "group": group,
                "label": label,
                "count": count[number],
                "share": share[number],
                "low": low[number],
                "high": high[number],
            }


def divergences(
    card: ClassifierCard, texts: pd.DataFrame, samples: pd.DataFrame, bootstrap: Bootstrap
) -> Iterator[Row]:
    """Compute how far the label shares of samples are from those of the texts: `records.statistics.DIVERGENCES`.

    Args:
        card: the classifier.
        texts: texts that it gave a label (`predicted`) and was not trained on.
        samples: samples that it gave a label.
        bootstrap: how intervals are made.
    """
    if texts.empty or samples.empty:
        return
    counts = count_by_document(texts, ("predicted",), (card.labels,))
    begun: dict[tuple[str, float | str], Counts] = {}
    for part in sample_sets(samples):
        rows = count_by_document(part.samples, ("predicted",), (card.labels,))
        temperature = "all" if part.temperature is None else part.temperature
        random = bootstrap.random("divergence", part.model, part.percent, temperature, part.begun_with)
        own, reference = rows.sum(axis=0), counts.sum(axis=0)
        row = {"classifier": card.name, **part.names, "samples": len(part.samples), "texts": len(texts)}
        if part.begun_with == "prompts":
            first = begun.setdefault((part.model, temperature), own)
            row["p_since_first"] = _moved(first, own, reference, bootstrap.resamples, random)
        yield row | _divergence(rows, counts, bootstrap, random)


def _divergence(
    samples: sparse.csr_array, texts: sparse.csr_array, bootstrap: Bootstrap, random: np.random.Generator
) -> Row:
    """Compare label shares: the divergence without and with what chance adds, its interval, and the test.

    Args:
        samples: of each sample, `[samples, labels]`.
        texts: texts of each document with each label, `[documents, labels]`.
        bootstrap: confidence and number of draws.
        random: draws what chance gives.
    """
    own, reference = samples.sum(axis=0), texts.sum(axis=0)
    observed = float(_bits(own, reference))
    found: Row = {"observed_bits": observed}
    if min(samples.shape[0], texts.shape[0]) < FEWEST_DOCUMENTS:
        return found
    drawn = _bits(*chance.permuted_counts(own, reference, bootstrap.resamples, random))
    drawn = chance.inflated(drawn, chance.difference_design_effect(samples, texts), texts.shape[0], random)
    shares = label_metrics.shares(np.stack([own, reference]))
    middle = shares.mean(axis=0)
    slopes = np.log2(np.where(shares > 0, shares / np.where(middle > 0, middle, 1), 1)) / 2
    variance = sum(
        chance.linear_variance(counts, slope) for counts, slope in zip((samples, texts), slopes, strict=True)
    )
    value, low, high = chance.interval_above_zero(observed, drawn, variance, bootstrap.confidence, random)
    if not drawn.any():
        high = max(_unseen(counts, bootstrap) for counts in (samples, texts))
    return found | {
        "jensen_shannon_bits": value,
        "low": low,
        "high": min(high, 1.0),
        "chance_bits": np.quantile(drawn, bootstrap.confidence),
        "p_value": chance.p_value(observed, drawn),
    }


def _unseen(counts: sparse.csr_array, bootstrap: Bootstrap) -> float:
    """Compute how far a set may be from one that has the same single label, by the bound of the others' share."""
    documents = counts.shape[0]
    _, others = bootstrap.share_bounds(0.0, 0.0, documents, counts.sum(), documents)
    return float(label_metrics.jensen_shannon_bits(np.array([1 - others, others]), np.array([1.0, 0.0])))


def _moved(first: Counts, last: Counts, texts: Counts, draws: int, random: np.random.Generator) -> float | None:
    """Test whether a checkpoint's samples are nearer to the texts, or farther from them, than the first one's.

    The samples of both checkpoints are permuted: under the null hypothesis it does not matter who wrote which.
    """
    if min(first.sum(), last.sum()) < FEWEST_DOCUMENTS:
        return None
    drawn = chance.permuted_counts(first, last, draws, random)
    moves = np.abs(np.subtract(*(_bits(counts, texts) for counts in drawn)))
    return chance.p_value(abs(float(_bits(first, texts)) - float(_bits(last, texts))), moves)


def _bits(counts: Counts, texts: Counts) -> Floats:
    return label_metrics.jensen_shannon_bits(label_metrics.shares(counts), label_metrics.shares(texts))
