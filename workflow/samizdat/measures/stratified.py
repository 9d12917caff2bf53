"""Samples that are drawn in strata: how many rows of each, and estimates for all of what they were drawn from."""

import numpy as np
from scipy import stats

from samizdat.measures.arrays import Counts, Floats

# So many rows of a stratum are drawn, or all of it.
FEWEST_OF_STRATUM = 5
# With fewer rows there is no interval.
FEWEST_ROWS = 20
HALVINGS = 60


def allocate(sizes: Counts, rows: int) -> Counts:
    """Say how many rows of each stratum are drawn: in proportion to the root of its size, so that rare ones are seen.

    Bankier, Power Allocations: Determining Sample Sizes for Subnational Areas, The American Statistician 42, 1988, with
    the power 1/2.

    Args:
        sizes: of the strata; none is empty.
        rows: number of rows in all, at least one for each stratum; of fewer texts all are drawn.
    """
    if rows >= sizes.sum():
        return sizes
    fewest = min(FEWEST_OF_STRATUM, rows // len(sizes))
    low, high = 0.0, float(rows)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _taken(sizes, middle, fewest).sum() <= rows else (low, middle)
    taken = _taken(sizes, low, fewest)
    # Strata of one size get their next row together; of such a group only some can have it.
    for place in np.argsort(-sizes, kind="stable"):
        taken[place] += taken.sum() < rows and taken[place] < sizes[place]
    return taken


def _taken(sizes: Counts, factor: float, fewest: int) -> Counts:
    return np.minimum(sizes, np.maximum(np.floor(factor * np.sqrt(sizes)), fewest).astype(np.int64))


def half_width(sizes: Counts, taken: Counts, confidence: float) -> float:
    """Compute half the width of the interval of a share of 50 %, the widest (Cochran, Sampling Techniques, 1977)."""
    weights = sizes / sizes.sum()
    variance = float(np.sum(weights**2 * (1 - taken / sizes) * 0.25 / taken))
    return float(stats.norm.isf((1 - confidence) / 2) * variance**0.5)


def rows_for(sizes: Counts, half: float, confidence: float) -> int:
    """Compute the least number of rows whose `half_width` is at most `half`."""
    low, high = len(sizes), int(sizes.sum())
    while low < high:
        middle = (low + high) // 2
        fits = half_width(sizes, allocate(sizes, middle), confidence) <= half
        low, high = (low, middle) if fits else (middle + 1, high)
    return low


def weighted_ratio(
    above: Floats, below: Floats, strata: Counts, sizes: Counts, confidence: float
) -> tuple[float, float, float]:
    """Estimate a share for all texts of the strata from the rows that were drawn; with its interval.

    The estimate is the combined ratio of weighted sums, with Taylor's variance (Cochran, Sampling Techniques, 1977,
    6.11). Where a stratum's rows are all alike its variance would be 0, so each stratum has one row more, with the
    variance of all. The interval is Wilson's with the effective number of rows and Student's t (Franco, Little, Louis
    and Slud, 2019); where all rows are alike, the effective number is Kish's (Survey Sampling, 1965).

    Args:
        above: what each row adds above the fraction bar, from 0 to `below`.
        below: what it adds below, such as 1, or 0 for a row that the share is not of.
        strata: the number of each row's stratum, from 0.
        sizes: of all strata; those without rows are left out.
        confidence: of the interval.

    Returns:
        The estimate, and the bounds; NaN where there are no rows, the bounds also with few rows.
    """
    counts = np.bincount(strata, minlength=len(sizes))
    each = sizes[strata] / counts[strata]
    total = float(np.sum(each * below))
    if total <= 0:
        return np.nan, np.nan, np.nan
    value = float(np.clip(np.sum(each * above) / total, 0, 1))
    if len(strata) < FEWEST_ROWS:
        return value, np.nan, np.nan
    rest = above - value * below
    means = np.bincount(strata, rest, len(sizes)) / np.maximum(counts, 1)
    squares = np.bincount(strata, (rest - means[strata]) ** 2, len(sizes))
    pooled = float(np.sum(each * rest**2) / np.sum(each))
    there = counts > 0
    left = np.where(there, 1 - counts / np.maximum(sizes, 1), 0)
    variance = float(np.sum((sizes**2 * left * (squares + pooled) / np.maximum(counts, 1) ** 2)[there])) / total**2
    spread = value * (1 - value)
    if spread <= 0 or pooled <= 0:
        spread, variance = 1.0, float(np.sum((each * below) ** 2 * left[strata])) / total**2
    if variance <= 0:
        return value, value, value
    of = below > 0
    freedom = max(int(of.sum()) - len(np.unique(strata[of])), 1)
    size, square = spread / variance, float(stats.t.isf((1 - confidence) / 2, freedom)) ** 2
    middle = (value + square / (2 * size)) / (1 + square / size)
    width = (square * (value * (1 - value) + square / (4 * size)) / size) ** 0.5 / (1 + square / size)
    return value, max(min(value, middle - width), 0.0), min(max(value, middle + width), 1.0)
