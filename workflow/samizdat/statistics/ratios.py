"""Measures of a set of passages that are ratios of sums: variety, loops, length, known words, copies."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from samizdat.base.seeds import derive_seed
from samizdat.measures import chance, diversity
from samizdat.measures.arrays import Counts
from samizdat.measures.bootstrap import FEWEST_DOCUMENTS, MILLION, Bootstrap
from samizdat.statistics.tables import Row

# A measure of fewer texts, or blocks of words, is not reported.
FEWEST_UNITS = 5

# Of each unit: what is summed above the fraction bar, what below it, and the number of its document.
Ratio = tuple[np.ndarray, np.ndarray, np.ndarray]
# Means, and not shares from 0 to 1.
MEANS = ("length_words", "copy_characters")
# Each text is also a reference of others, so drawing texts again gives intervals that are too narrow.
WITHOUT_INTERVAL = ("self_bleu",)
# Whether samples copy more than held-out texts is tested.
TESTED = ("copied_ngram_share", "copy_characters")


def ratio_measures(
    ratios: Mapping[str, Ratio], names: Row, bootstrap: Bootstrap, real: Mapping[str, Ratio] | None = None
) -> Iterator[Row]:
    """Compute the measures of a set of passages that are ratios of sums: `records.sample_quality.SAMPLE_QUALITY`.

    Args:
        ratios: what `ratios_of` counted in the set.
        names: the columns that name the set.
        bootstrap: how intervals are made.
        real: the same of held-out passages, where the set is compared with them.
    """
    for metric, ratio in ratios.items():
        _, below, documents = ratio
        if len(documents) < FEWEST_UNITS or not np.sum(below):
            continue
        counts = _by_document(ratio)
        value = counts[:, 0].sum() / counts[:, 1].sum()
        low, high = (
            (np.nan, np.nan) if metric in WITHOUT_INTERVAL else _interval(counts, value, metric, names, bootstrap)
        )
        row = {**names, "metric": metric, "units": len(documents), "value": value, "low": low, "high": high}
        if real and metric in TESTED:
            others = _by_document(real[metric])
            if min(len(counts), len(others)) >= FEWEST_DOCUMENTS:
                random = bootstrap.random("compared", metric, *names.values())
                distances = np.abs(chance.permuted_ratios(counts, others, bootstrap.resamples, random))
                row["p_value"] = chance.p_value(distances[0], distances[1:])
        yield row


def _interval(counts: Counts, value: float, metric: str, names: Row, bootstrap: Bootstrap) -> tuple[Any, Any]:
    """Make the interval of a ratio by drawing the documents again."""
    totals = bootstrap.totals(sparse.csr_array(counts), metric, *names.values())
    with np.errstate(invalid="ignore"):
        resampled = totals[:, 0] / totals[:, 1]
    if metric in MEANS:
        return bootstrap.mean_interval(value, resampled, len(counts))
    return bootstrap.share_interval(value, resampled, len(counts), counts[:, 1].sum(), np.sum(counts[:, 1] > 0))


def _by_document(ratio: Ratio) -> Counts:
    """Sum above and below the fraction bar in each document, `[documents, 2]`."""
    above, below, documents = ratio
    counts = np.zeros((documents.max(initial=-1) + 1, 2), np.int64)
    np.add.at(counts, documents, np.column_stack([above, below]))
    return counts


def ratios_of(passages: pd.DataFrame, names: Row, seed: int) -> dict[str, Ratio]:
    """Count for each metric what its ratio is of; a unit is a text, or a block of words of several texts.

    Args:
        passages: the set: `words`, `document`, `known_words`, `copy_characters`, `ngrams`, `copied_ngrams`.
        names: the columns that name the set.
        seed: draws references for self-BLEU.
    """
    words = passages["words"].tolist()
    lengths = np.array([len(one) for one in words], np.int64)
    ones = np.ones(len(passages), np.int64)
    random = np.random.default_rng(derive_seed(seed, "self-BLEU", *names.values()))
    bleu = diversity.self_bleu(words, random)
    scored = ~np.isnan(bleu)
    looping = np.array([diversity.loops(one) for one in words], np.int64)
    documents = pd.factorize(passages["document"])[0]
    known, copied, ngrams, copied_ngrams = (
        passages[column].to_numpy() for column in ("known_words", "copy_characters", "ngrams", "copied_ngrams")
    )
    ratios: dict[str, Ratio] = {
        "self_bleu": (np.round(bleu[scored] * MILLION).astype(np.int64), MILLION * ones[scored], documents[scored]),
        "loop_share": (looping, ones, documents),
        "length_words": (lengths, ones, documents),
        "known_word_share": (known, lengths, documents),
        "copy_characters": (copied, ones, documents),
        "copied_ngram_share": (copied_ngrams, ngrams, documents),
    }
    # Each block has passages of many documents. Where those come back in other blocks, all blocks hang together, and
    # there is no interval.
    alone = len(set(documents)) == len(documents)
    for length in (1, 2, 3):
        blocks = diversity.distinct(words, length)
        ratios[f"distinct_{length}"] = (blocks[:, 0], blocks[:, 1], np.arange(len(blocks)) * alone)
    return ratios
