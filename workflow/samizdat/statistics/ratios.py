"""Measures of a set of passages that are ratios of sums: variety, loops, length, known words, copies."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import sparse

from samizdat.base.seeds import derive_seed
from samizdat.measures import diversity
from samizdat.measures.bootstrap import MILLION, Bootstrap
from samizdat.statistics.tables import Row

# A measure of fewer texts, or blocks of words, is not reported.
FEWEST_UNITS = 5

# Of each unit: what is summed above the fraction bar, what below it, and the number of its document.
Ratio = tuple[np.ndarray, np.ndarray, np.ndarray]


def ratio_measures(passages: pd.DataFrame, names: Row, bootstrap: Bootstrap) -> Iterator[Row]:
    """Compute the measures of a set of passages that are ratios of sums: `records.sample_quality.SAMPLE_QUALITY`.

    Args:
        passages: the set: `words`, `document`, `known_words`, `copy_characters`, `ngrams`, `copied_ngrams`.
        names: the columns that name the set.
        bootstrap: how intervals are made.
    """
    for metric, (above, below, documents) in _ratios(passages, names, bootstrap.seed).items():
        if len(documents) < FEWEST_UNITS or not np.sum(below):
            continue
        counts = np.zeros((documents.max() + 1, 2), np.int64)
        np.add.at(counts, documents, np.column_stack([above, below]))
        totals = bootstrap.totals(sparse.csr_array(counts), metric, *names.values())
        with np.errstate(invalid="ignore"):
            low, high = bootstrap.interval(totals[:, 0] / totals[:, 1], len(counts))
        value = counts[:, 0].sum() / counts[:, 1].sum()
        yield {**names, "metric": metric, "units": len(documents), "value": value, "low": low, "high": high}


def _ratios(passages: pd.DataFrame, names: Row, seed: int) -> dict[str, Ratio]:
    """Count for each metric what its ratio is of; a unit is a text, or a block of words of several texts."""
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
    for length in (1, 2, 3):
        blocks = diversity.distinct(words, length)
        ratios[f"distinct_{length}"] = (blocks[:, 0], blocks[:, 1], np.arange(len(blocks)))
    return ratios
