"""Resample the documents of a set, and make confidence intervals of values that are computed from counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
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


def _variance(values: Floats) -> Floats:
    """Compute the variance over resamples, without those that have no value (NaN)."""
    there = ~np.isnan(values)
    number = there.sum(axis=0)
    mean = np.where(there, values, 0).sum(axis=0) / np.maximum(number, 1)
    distances: Floats = np.where(there, values - mean, 0) ** 2
    variance: Floats = distances.sum(axis=0) / np.maximum(number - 1, 1)
    return variance


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

    def mean_interval(self, mean: float, values: Floats, documents: int) -> tuple[float, float]:
        """Compute the bounds of the interval of a mean of numbers that can't be negative; NaN with too few documents.

        It is Student's interval of the logarithm, with the standard error of the resampled means over the mean (the
        delta method: Davison and Hinkley, 1997, sections 2.7 and 5.2), since lengths are skewed.

        Args:
            mean: the estimate.
            values: the resampled means.
            documents: of the set.
        """
        if documents < FEWEST_DOCUMENTS:
            return np.nan, np.nan
        error = np.sqrt(float(self.variance(values, documents)))
        factor = float(np.exp(self._quantile(documents) * error / mean)) if mean > 0 else 1.0
        return mean / factor, mean * factor

    def share_interval(
        self, shares: ArrayLike, values: Floats, documents: int, texts: ArrayLike, owners: ArrayLike
    ) -> tuple[Floats, Floats]:
        """Compute the bounds of the intervals of shares from 0 to 1, such as accuracy.

        They are NaN with too few documents, and of a share of no texts.

        It is Wilson's interval with the effective number of texts in place of their number: as many independent texts
        as would give the variance of the resampled values (Franco, Little, Louis and Slud, Comparative Study of
        Confidence Intervals for Proportions in Complex Sample Surveys, Journal of Survey Statistics and Methodology 7,
        2019), and with Student's t. So it has a width at 0 and 1, too, where all resamples are equal: there the design
        effect of the other shares is used and, without others, texts of one document count as one.

        Args:
            shares: the estimates, `[…]`; NaN where there are no texts.
            values: the resampled shares, `[resamples, …]`; NaN where a resample has no texts.
            documents: of the set.
            texts: that each share is of, `[…]`.
            owners: documents of these texts, `[…]`.
        """
        if documents < FEWEST_DOCUMENTS:
            none = np.full(np.shape(shares), np.nan)
            return none, none
        return self.share_bounds(shares, self.variance(values, documents), documents, texts, owners)

    def share_bounds(
        self, shares: ArrayLike, variance: ArrayLike, documents: int, texts: ArrayLike, owners: ArrayLike
    ) -> tuple[Floats, Floats]:
        """Compute the bounds of the same interval from the variances of the shares; see `share_interval`."""
        shares, variance, texts, owners = (np.asarray(one, float) for one in (shares, variance, texts, owners))
        spread = shares * (1 - shares)
        inside = spread > 0
        most, least = np.maximum(texts, 1), np.maximum(owners, 1)
        design = np.sum(np.where(inside, texts * variance, 0)) / max(np.sum(np.where(inside, spread, 0)), 1e-300)
        at_bound = np.clip(most / design, least, most) if design > 0 else least
        size = np.where(inside, np.minimum(spread / np.maximum(variance, 1e-300), most), at_bound)
        square = self._quantile(documents) ** 2
        middle = (shares + square / (2 * size)) / (1 + square / size)
        width = np.sqrt(square * (spread + square / (4 * size)) / size) / (1 + square / size)
        low, high = np.minimum(shares, middle - width).clip(0), np.maximum(shares, middle + width).clip(max=1)
        # A score that is 0 by definition, since it is of no texts, says nothing of where the true one is.
        return np.where(texts > 0, low, np.nan), np.where(texts > 0, high, np.nan)

    def beyond_chance_interval(
        self, value: float, values: Floats, equal: float, by_chance: float, documents: int, pairs: int
    ) -> tuple[float, float]:
        """Compute the bounds of the interval of an agreement beyond chance, 1 − (1 − equal) / (1 − by_chance).

        It is agreement on another scale, from a point that chance gives; so its interval is that of a share.

        Args:
            value: the estimate.
            values: the resampled values.
            equal: share of the pairs of labels that are equal.
            by_chance: the share that chance gives; below 1.
            documents: of the set.
            pairs: number of pairs of labels.
        """
        unit = 1 - by_chance
        low, high = self.share_interval(equal, equal + (values - value) * unit, documents, pairs, documents)
        return float(value + (low - equal) / unit), float(value + (high - equal) / unit)

    def difference_interval(
        self, difference: float, values: Floats, documents: int, texts: int, squares: float
    ) -> tuple[float, float]:
        """Compute the bounds of the interval of a mean of numbers from −1 to 1, such as a difference of two accuracies.

        A text more that differs in each direction, half of one and half of the other, and one that does not, are added
        (Agresti and Min, Simple Improved Confidence Intervals for Comparing Matched Proportions, Statistics in
        Medicine 24, 2005); a text is one of the effective number of texts, as in `share_interval`.

        Args:
            difference: the mean.
            values: the resampled means.
            documents: of the set.
            texts: that the mean is of.
            squares: mean of the squares of the numbers.
        """
        if documents < FEWEST_DOCUMENTS:
            return np.nan, np.nan
        variance = float(self.variance(values, documents))
        spread = squares - difference**2
        size = min(spread / max(variance, 1e-300), texts) if spread > 1e-12 else documents
        middle = difference * size / (size + 2)
        error = np.sqrt(variance * size**2 + 1 + 2 * middle**2) / (size + 2)
        width = self._quantile(documents) * error
        return max(middle - width, -1.0), min(middle + width, 1.0)

    def interval(self, value: float, values: Floats, documents: int) -> tuple[float, float]:
        """Compute the bounds of the interval of any other statistic: Student's; NaN with too few documents.

        Args:
            value: the estimate.
            values: the resampled values; NaN, the value of a resample that has none, is left out.
            documents: of the set.
        """
        if documents < FEWEST_DOCUMENTS or np.isnan(values).all():
            return np.nan, np.nan
        return self.normal(value, float(self.variance(values, documents)), documents - 1)[:2]

    def normal(self, value: float, variance: float, freedom: float) -> tuple[float, float, float]:
        """Compute Student's interval of a value, and p of the true value 0.

        Args:
            value: the estimate.
            variance: of its error.
            freedom: degrees of freedom of the variance.

        Returns:
            The lower bound, the upper bound, and p.
        """
        if variance <= 0:
            return value, value, float(value == 0)
        error = np.sqrt(variance)
        width = float(-stats.t.ppf((1 - self.confidence) / 2, freedom) * error)
        return value - width, value + width, float(2 * stats.t.sf(abs(value) / error, freedom))

    def variance(self, values: Floats, documents: int) -> Floats:
        """Compute the variance of a statistic from its resampled values `[resamples, …]`; NaN is left out."""
        variance: Floats = _variance(values) * documents / (documents - 1)
        return variance

    def _quantile(self, documents: int) -> float:
        return float(-stats.t.ppf((1 - self.confidence) / 2, documents - 1))

    def random(self, *names: str | int | float) -> np.random.Generator:
        """Make the random stream of a set, for draws of what chance alone gives."""
        return np.random.default_rng(derive_seed(self.seed, *names))
