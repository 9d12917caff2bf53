"""Measures of numbers that texts of several documents have: means, quantiles and rank correlation."""

from bisect import bisect_left

import numpy as np
import pandas as pd
from scipy import stats

from samizdat.measures.arrays import Counts, Floats
from samizdat.measures.bootstrap import FEWEST_DOCUMENTS, NUMBERS_AT_ONCE, Bootstrap

# A correlation nearer to 1 or −1 than this leaves nothing to resample.
NEAREST = 1e-9
# Ranks that vary less than so much of the number of texts, squared, are equal but for rounding.
LEAST_VARIANCE = 1e-12
# A sum that is less than so much of the sum of its parts' sizes is 0 but for rounding.
ROUNDING = 1e-12


def mean_over_documents(values: Floats, owners: Counts) -> tuple[float, float]:
    """Compute the mean of the texts' numbers, and its variance over documents.

    The variance is that of a ratio of sums over documents (Cochran, Sampling Techniques, 1977, section 6.4).

    Args:
        values: a number of each text.
        owners: the number of each text's document, from 0.
    """
    mean = float(values.mean())
    sums = np.bincount(owners, values - mean)
    documents = len(sums)
    return mean, float((sums**2).sum() / len(values) ** 2 * documents / max(documents - 1, 1))


def slope_within_documents(places: Floats, values: Floats, owners: Counts) -> tuple[float, float, int]:
    """Compute how much a number changes within documents from place 0 to place 1, and the variance over documents.

    It is the slope of a linear regression with an intercept for each document, with the variance of a ratio of sums
    over documents (Liang and Zeger, Longitudinal Data Analysis Using Generalized Linear Models, Biometrika 73, 1986).

    Args:
        places: of each text in its document, from 0 to 1.
        values: a number of each text.
        owners: the number of each text's document, from 0.

    Returns:
        The slope, its variance, and how many documents have texts at two places; NaN and NaN if none has.
    """
    sizes = np.bincount(owners)
    apart = places - (np.bincount(owners, places) / sizes)[owners]
    squares = np.bincount(owners, apart**2)
    documents = int((squares > 1e-12).sum())
    if not documents:
        return np.nan, np.nan, 0
    products = apart * values
    slope = float(products.sum() / squares.sum())
    if abs(products.sum()) < ROUNDING * np.abs(products).sum():
        slope = 0.0  # else its sign would look certain where rounding is the same in all documents
    rest = np.bincount(owners, products) - slope * squares
    return slope, float((rest**2).sum() / squares.sum() ** 2 * documents / max(documents - 1, 1)), documents


def quantile(values: Floats, owners: Counts, share: float, bootstrap: Bootstrap) -> tuple[float, float, float]:
    """Compute a quantile with its interval; NaN with too few documents, or too few texts beyond the quantile.

    The interval has the numbers of which it is not surprising that this share of all texts has no larger one: by the
    interval of the share of the texts that has none (Francisco and Fuller, Quantile Estimation with a Complex Survey
    Design, Annals of Statistics 19, 1991). Where that may end beyond the smallest or the largest number, there is none.

    Args:
        values: a number of each text.
        owners: the number of each text's document, from 0.
        share: from 0 to 1.
        bootstrap: has the confidence.
    """
    found, documents = float(np.quantile(values, share)), int(owners.max()) + 1
    if documents < FEWEST_DOCUMENTS:
        return found, np.nan, np.nan
    candidates = np.unique(values)

    def reaches(largest: float, bound: int) -> bool:
        """Whether the lower (0) or upper (1) bound of the share up to a number reaches `share`."""
        below, variance = mean_over_documents((values <= largest).astype(float), owners)
        bounds = bootstrap.share_bounds(below, variance, documents, len(values), documents)
        return bool(bounds[bound] >= share)

    if reaches(-np.inf, 1) or not reaches(np.inf, 0):
        return found, np.nan, np.nan
    low, high = (candidates[bisect_left(candidates, True, key=lambda one: reaches(one, bound))] for bound in (1, 0))
    return found, min(float(low), found), max(float(high), found)


def spearman(
    left: Floats, right: Floats, owners: Counts, bootstrap: Bootstrap, *names: str, weights: Floats | None = None
) -> tuple[float, float, float]:
    """Compute Spearman's rank correlation, ties with mean ranks, and its interval; NaN where there is none.

    Documents are resampled, and ranks made anew. The interval is Student's of Fisher's transform of the correlation
    (Fisher, On the “Probable Error” of a Coefficient of Correlation, Metron 1, 1921).

    Args:
        left: a number of each text.
        right: another number of each text.
        owners: the number of each text's document, from 0.
        bootstrap: how intervals are made.
        names: of the random stream.
        weights: how many texts each one stands for; None: all as many.
    """
    of_each = np.ones(len(left)) if weights is None else weights
    documents = int(owners.max()) + 1
    value = float(_correlations(left, right, of_each[None])[0])
    if documents < FEWEST_DOCUMENTS or np.isnan(value) or abs(value) > 1 - NEAREST:
        return value, np.nan, np.nan
    random, at_once = bootstrap.random(*names), max(1, NUMBERS_AT_ONCE // len(left))
    parts = []
    for start in range(0, bootstrap.resamples, at_once):
        size = min(at_once, bootstrap.resamples - start)
        often = random.multinomial(documents, np.full(documents, 1 / documents), size=size)
        parts.append(_correlations(left, right, often[:, owners] * of_each))
    drawn = np.arctanh(np.concatenate(parts).clip(NEAREST - 1, 1 - NEAREST))
    error = float(np.sqrt(bootstrap.variance(drawn, documents)))
    width = float(-stats.t.ppf((1 - bootstrap.confidence) / 2, documents - 1)) * error
    return value, float(np.tanh(np.arctanh(value) - width)), float(np.tanh(np.arctanh(value) + width))


def _correlations(left: Floats, right: Floats, weights: Floats) -> Floats:
    """Compute the rank correlation for each row of weights of the texts, `[rows]`; NaN where all numbers are equal."""
    total = weights.sum(axis=1, keepdims=True)
    one, other = (_weighted_ranks(values, weights) for values in (left, right))
    one, other = (ranks - (ranks * weights).sum(axis=1, keepdims=True) / total for ranks in (one, other))
    products = [(weights * first * second).sum(axis=1) for first, second in ((one, other), (one, one), (other, other))]
    varies = np.minimum(products[1], products[2]) > LEAST_VARIANCE * total[:, 0] ** 3
    found: Floats = np.divide(
        products[0], np.sqrt(products[1] * products[2]), out=np.full(len(total), np.nan), where=varies
    )
    return found


def _weighted_ranks(values: Floats, weights: Floats) -> Floats:
    """Rank numbers where each counts as often as its weight says, `[rows, texts]`; equal ones have their mean rank."""
    places, kinds = pd.factorize(values, sort=True)
    order = np.argsort(places, kind="stable")
    starts = np.searchsorted(places[order], np.arange(len(kinds)))
    sums = np.add.reduceat(weights[:, order], starts, axis=1)
    ranks: Floats = (sums.cumsum(axis=1) - sums / 2)[:, places]
    return ranks
