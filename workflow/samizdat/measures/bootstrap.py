"""Percentile-bootstrap intervals of anything that is computed from counts."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from samizdat.base.seeds import derive_seed

# How many drawn counts may stand in memory at once (of 8 bytes each).
COUNTS_AT_ONCE = 8_000_000


def resample_totals(counts: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Column totals of as many rows as there are, drawn with replacement, again and again.

    A row holds what one document counts for, so that sentences of one document are drawn together (the
    cluster bootstrap: Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 3.8).
    Equal rows are drawn as one kind with a multinomial, which is the same distribution in a fraction of
    the time.

    Args:
        counts: `[documents, columns]`, integers.
        resamples: how many times to draw.
        seed: of this bootstrap alone.

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


def interval(values: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """The bounds of the central share `confidence` of resampled values, along the first axis.

    The percentile method: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
    Values that a resample could not have (NaN) are left out.
    """
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail], axis=0)
    return low, high


def count_by_document(frame: pd.DataFrame, columns: tuple[str, ...], names: tuple[list[str], ...]) -> np.ndarray:
    """How often each combination of values stands in each document of the frame: `[documents, combinations]`.

    Args:
        frame: one row for each text, with a column `document`.
        columns: the columns to count.
        names: the values of each; combinations run through them with the last one fastest.
    """
    documents, _ = pd.factorize(frame["document"])
    shape = tuple(len(values) for values in names)
    places = [pd.Index(values).get_indexer(frame[column]) for column, values in zip(columns, names, strict=True)]
    counts = np.zeros((documents.max() + 1, int(np.prod(shape))), np.int32)
    np.add.at(counts, (documents, np.ravel_multi_index(places, shape)), 1)
    return counts


@dataclass(frozen=True)
class Bootstrap:
    """How every interval is made; each has a random stream of its own names."""

    confidence: float
    resamples: int
    seed: int

    def totals(self, counts: np.ndarray, *names: str | int | float) -> np.ndarray:
        """Resampled totals `[resamples, columns]` of counts `[documents, columns]`."""
        return resample_totals(counts, self.resamples, derive_seed(self.seed, *names))

    def interval(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The interval's bounds from resampled values `[resamples, …]`."""
        return interval(values, self.confidence)
