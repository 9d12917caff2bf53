"""Krippendorff's alpha: how much raters agree beyond what chance gives; 1 is all alike, 0 chance."""

import numpy as np

from samizdat.measures.arrays import Counts, Floats


def nominal(values: int) -> Floats:
    """Return the distances of labels that are equal or not, `[values, values]`."""
    return 1 - np.eye(values)


def interval(values: Floats) -> Floats:
    """Return the distances of numbers: squared differences, `[values, values]`."""
    return np.square(values[:, None] - values[None, :]).astype(float)


def disagreements(counts: Counts, distances: Floats) -> Floats:
    """Sum the distances of the pairs of ratings of each text, over the number of its ratings less one.

    Args:
        counts: how many raters gave a text each value, `[texts, values]`; two or more gave it one.
        distances: `[values, values]`.
    """
    found: Floats = ((counts @ distances) * counts).sum(axis=1) / (counts.sum(axis=1) - 1)
    return found


def alpha(disagreement: Floats, totals: Counts, distances: Floats) -> Floats:
    """Compute alpha (Krippendorff, Content Analysis, 2004, chapter 11); NaN where all ratings have one value.

    Args:
        disagreement: the sum of `disagreements` over texts, `[…]`.
        totals: how often each value was given in them, `[…, values]`.
        distances: `[values, values]`.
    """
    expected = ((totals @ distances) * totals).sum(axis=-1) / (totals.sum(axis=-1) - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(expected > 0, 1 - disagreement / expected, np.nan)
    return found
