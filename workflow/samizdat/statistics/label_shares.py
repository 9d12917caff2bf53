"""How often a classifier gives each label, and how far the samples' label shares are from the texts'."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from samizdat.base.seeds import derive_seed
from samizdat.measures import label_metrics
from samizdat.measures.bootstrap import Bootstrap, count_by_document
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
        low, high = bootstrap.interval(label_metrics.shares(totals))
        count = counts.sum(axis=0)
        share = label_metrics.shares(count)
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
    if texts.empty:
        return
    counts = count_by_document(texts, ("predicted",), (card.labels,))
    reference = label_metrics.shares(counts.sum(axis=0))
    references = label_metrics.shares(bootstrap.totals(counts, "divergence", "texts"))
    for part in sample_sets(samples):
        rows = count_by_document(part.samples, ("predicted",), (card.labels,))
        temperature = "all" if part.temperature is None else part.temperature
        names = ("divergence", part.model, part.percent, temperature, part.begun_with)
        resampled = label_metrics.shares(bootstrap.totals(rows, *names))
        low, high = bootstrap.interval(label_metrics.jensen_shannon_bits(resampled, references))
        random = np.random.default_rng(derive_seed(bootstrap.seed, *names, "chance"))
        drawn = label_metrics.shares(random.multinomial(len(part.samples), reference, size=bootstrap.resamples))
        chance = label_metrics.jensen_shannon_bits(drawn, references)
        yield {
            "classifier": card.name,
            **part.names,
            "samples": len(part.samples),
            "texts": len(texts),
            "jensen_shannon_bits": label_metrics.jensen_shannon_bits(label_metrics.shares(rows.sum(axis=0)), reference),
            "low": low,
            "high": high,
            "chance_bits": np.quantile(chance, bootstrap.confidence),
        }
