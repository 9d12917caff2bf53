"""Resample the documents of a set, and make confidence intervals of values that are computed from counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse, stats

from samizdat.base.seeds import derive_seed
from samizdat.measures.arrays import Counts, Floats

# How many drawn numbers are in memory at once (8 bytes each).
NUMBERS_AT_ONCE = 4_000_000
# A multinomial draw of a kind of documents takes as long as drawing so many documents one by one.
DOCUMENTS_PER_KIND = 8
# With fewer documents there is no interval and no verdict: see docs/methods.md.
FEWEST_DOCUMENTS = 20
# Counts are whole numbers, so a probability or a score from 0 to 1 is counted in millionths.
MILLION = 1_000_000


def resampled_totals(counts: sparse.csr_array, resamples: int, seed: int) -> Iterator[Counts]:
    """Draw rows with replacement, as many as there are, and sum each column; repeat for each resample.

    A row has the counts of one document, so that the texts of one document are drawn together (the cluster
    bootstrap: Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 3.8). Where many rows are
    equal they are drawn together from a multinomial distribution, which gives the same distribution of totals and is
    faster. The time grows with the counts that are above 0.

    Args:
        counts: `[documents, columns]`, integers.
        resamples: number of resamples.
        seed: random seed of this bootstrap.

    Yields:
        Totals of some resamples after the other, `[resamples, columns]`, int64.
    """
    documents = counts.shape[0]
    kinds, multiplicities = _distinct_rows(counts)
    random = np.random.default_rng(seed)
    together = len(multiplicities) * DOCUMENTS_PER_KIND < documents
    across = (kinds if together else counts).astype(np.int64).T.tocsr()
    rows = max(1, NUMBERS_AT_ONCE // max(across.shape))
    for start in range(0, resamples, rows):
        size = min(rows, resamples - start)
        if together:
            weights = random.multinomial(documents, multiplicities / documents, size=size)
        else:
            weights = np.stack([_drawn(documents, random) for _ in range(size)])
        yield (across @ weights.T).T


def _drawn(documents: int, random: np.random.Generator) -> Counts:
    return np.bincount(random.integers(documents, size=documents), minlength=documents)


def _distinct_rows(counts: sparse.csr_array) -> tuple[sparse.csr_array, Counts]:
    """Find the different rows, and how often each occurs.

    Rows are compared by a random sum of their counts modulo 2⁶⁴: of a million different rows, two have the same one
    with a probability of 3 in 100 million.
    """
    factors = np.random.default_rng(0).integers(2**64, size=counts.shape[1], dtype=np.uint64)
    sums = counts.astype(np.uint64) @ factors
    _, first, multiplicities = np.unique(sums, return_index=True, return_counts=True)
    return counts[first], multiplicities


def count_by_document(frame: pd.DataFrame, columns: tuple[str, ...], names: tuple[list[Any], ...]) -> sparse.csr_array:
    """Count each combination of values in each document of the frame: `[documents, combinations]`.

    Args:
        frame: one row for each text, with a column `document`.
        columns: the columns to count.
        names: the values of each column; in the order of the combinations the last column changes fastest.
    """
    shape = tuple(len(values) for values in names)
    places = [
        pd.Index(values).get_indexer(pd.Index(frame[column])) for column, values in zip(columns, names, strict=True)
    ]
    return sum_by_document(frame, np.ravel_multi_index(places, shape), np.ones(len(frame), np.int64), shape)


def sum_by_document(
    frame: pd.DataFrame, cells: np.ndarray, values: np.ndarray, shape: tuple[int, ...]
) -> sparse.csr_array:
    """Sum integers in each cell of each document: `[documents, cells]`.

    Args:
        frame: one row for each text, with a column `document`.
        cells: the cell of each text.
        values: what each text adds to it.
        shape: of the table that the cells are in.
    """
    documents, found = pd.factorize(frame["document"])
    size = (len(found), int(np.prod(shape)))
    return sparse.coo_array((values, (documents, cells)), shape=size).tocsr()  # equal places are summed


@dataclass(frozen=True)
class Bootstrap:
    """The settings of all intervals; the names of a set give it a random stream of its own."""

    confidence: float
    resamples: int
    seed: int

    def totals(self, counts: sparse.csr_array, *names: str | int | float) -> Counts:
        """Resample totals `[resamples, columns]` of counts `[documents, columns]`."""
        return np.concatenate(list(resampled_totals(counts, self.resamples, derive_seed(self.seed, *names))))

    def together(self, blocks: dict[str, sparse.csr_array], *names: str | int | float) -> dict[str, Counts]:
        """Resample several tables of counts of the same documents, which are drawn once for all of them.

        So differences between the tables are paired: both sides have the same documents in each resample.
        """
        totals = self.totals(sparse.hstack(list(blocks.values()), format="csr"), *names)
        ends = np.cumsum([block.shape[1] for block in blocks.values()])
        return dict(zip(blocks, np.split(totals, ends[:-1], axis=1), strict=True))

    def interval(self, values: Floats, documents: int) -> tuple[Floats, Floats]:
        """Compute the bounds of the interval from resampled values `[resamples, …]`; NaN with too few documents.

        It is the percentile interval (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13),
        expanded as Student's t is for few documents (Hesterberg, What Teachers Should Know About the Bootstrap, The
        American Statistician 69, 2015, section 4.3). NaN, the value of a resample that has none, is left out.
        """
        if documents < FEWEST_DOCUMENTS:
            none = np.full(np.shape(values)[1:], np.nan)
            return none, none
        tail = (1 - self.confidence) / 2
        wider = float(stats.norm.cdf(np.sqrt(documents / (documents - 1)) * stats.t.ppf(tail, documents - 1)))
        low, high = np.nanquantile(values, [wider, 1 - wider], axis=0)
        return low, high

    def random(self, *names: str | int | float) -> np.random.Generator:
        """Make the random stream of a set, for draws of what chance alone gives."""
        return np.random.default_rng(derive_seed(self.seed, *names))
