"""Percentile-bootstrap confidence intervals of values that are computed from counts."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from samizdat.base.seeds import derive_seed
from samizdat.measures.arrays import Counts, Floats

# How many drawn counts are in memory at once (8 bytes each).
COUNTS_AT_ONCE = 8_000_000
# Counts are whole numbers, so a probability or a score from 0 to 1 is counted in millionths.
MILLION = 1_000_000


def resample_totals(counts: Counts, resamples: int, seed: int) -> Counts:
    """Draw rows with replacement, as many as there are, and sum each column; repeat for each resample.

    A row has the counts of one document, so that the texts of one document are drawn together (the cluster
    bootstrap: Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 3.8). Equal rows are
    drawn together from a multinomial distribution, which gives the same distribution of totals and is faster.

    Args:
        counts: `[documents, columns]`, integers.
        resamples: number of resamples.
        seed: random seed of this bootstrap.

    Returns:
        `[resamples, columns]`, int64.
    """
    kinds, multiplicities = np.unique(counts, axis=0, return_counts=True)
    random = np.random.default_rng(seed)
    rows = max(1, COUNTS_AT_ONCE // len(kinds))
    shares = multiplicities / multiplicities.sum()
    parts = [
        random.multinomial(len(counts), shares, size=min(rows, resamples - start)) @ kinds.astype(np.int64)
        for start in range(0, resamples, rows)
    ]
    return np.concatenate(parts)


def interval(values: Floats, confidence: float) -> tuple[Floats, Floats]:
    """Compute the bounds of a confidence interval from resampled values, along the first axis.

    The interval has the central share `confidence` of the values (the percentile method: Efron and Tibshirani, An
    Introduction to the Bootstrap, 1993, chapter 13). NaN, the value of a resample that has none, is left out.
    """
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail], axis=0)
    return low, high


def count_by_document(frame: pd.DataFrame, columns: tuple[str, ...], names: tuple[list[Any], ...]) -> Counts:
    """Count each combination of values in each document of the frame: `[documents, combinations]`.

    Args:
        frame: one row for each text, with a column `document`.
        columns: the columns to count.
        names: the values of each column; in the order of the combinations the last column changes fastest.
    """
    documents, _ = pd.factorize(frame["document"])
    shape = tuple(len(values) for values in names)
    places = [
        pd.Index(values).get_indexer(pd.Index(frame[column])) for column, values in zip(columns, names, strict=True)
    ]
    counts = np.zeros((documents.max() + 1, int(np.prod(shape))), np.int32)
    np.add.at(counts, (documents, np.ravel_multi_index(places, shape)), 1)
    return counts


@dataclass(frozen=True)
class Bootstrap:
    """The settings of all intervals; the names of a value give it a random stream of its own."""

    confidence: float
    resamples: int
    seed: int

    def totals(self, counts: Counts, *names: str | int | float) -> Counts:
        """Resample totals `[resamples, columns]` of counts `[documents, columns]`."""
        return resample_totals(counts, self.resamples, derive_seed(self.seed, *names))

    def interval(self, values: Floats) -> tuple[Floats, Floats]:
        """Compute the bounds of the interval from resampled values `[resamples, …]`."""
        return interval(values, self.confidence)
