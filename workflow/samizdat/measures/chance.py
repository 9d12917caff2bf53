"""What chance alone gives: draws of quantities that can't be negative, tests by them, and intervals that reach 0."""

from collections.abc import Sequence

import numpy as np
from scipy import sparse, stats

from samizdat.measures.arrays import Counts, Floats
from samizdat.measures.label_metrics import chi_square

# How many cells of drawn tables are in memory at once (8 bytes each).
CELLS_AT_ONCE = 4_000_000
HALVINGS = 40


def p_value(observed: float, chance: Floats) -> float:
    """Compute the share of draws that are at least as large as what was observed, which counts as one more draw.

    Phipson and Smyth, Permutation P-values Should Never Be Zero, Statistical Applications in Genetics and Molecular
    Biology 9, 2010. Numbers that differ by rounding alone are equal.
    """
    return float((np.sum(chance >= observed * (1 - 1e-9)) + 1) / (len(chance) + 1))


def holm(p_values: Sequence[float]) -> Floats:
    """Adjust p values so that all of them can be compared with one level of significance.

    Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of Statistics 6, 1979.
    """
    values = np.array(p_values, float)
    order = np.argsort(values, kind="stable")
    steps = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(steps, 1)
    return adjusted


def permuted_chi_squares(
    rows: np.ndarray, columns: np.ndarray, owners: np.ndarray, draws: int, random: np.random.Generator
) -> Floats:
    """Compute chi-squares of two labels of each text after the first was permuted over the documents, `[draws]`.

    Each document gets the first labels of another document, repeated or cut to its own number of texts, so labels that
    are alike within a document stay together. With one text in each document it is the usual permutation test.

    Args:
        rows: number of the first label of each text, from 0.
        columns: number of the second label.
        owners: number of each text's document, from 0.
        draws: how many permutations.
        random: draws them.
    """
    shape = (int(rows.max()) + 1, int(columns.max()) + 1)
    cells = shape[0] * shape[1]
    at_once = max(1, CELLS_AT_ONCE // cells)
    parts = [min(at_once, draws - start) for start in range(0, draws, at_once)]
    if len(np.unique(owners)) == len(owners):
        # Permuting single texts draws a table with these margins; its time doesn't grow with the texts.
        margins = np.bincount(rows), np.bincount(columns)
        tables = stats.random_table(*margins)
        return np.concatenate([chi_square(tables.rvs(size, method="patefield", random_state=random)) for size in parts])
    order = np.lexsort((random.random(len(owners)), owners))
    # Numbers of 32 bits: a large corpus has many texts.
    rows, columns, owners = (one[order].astype(np.int32) for one in (rows, columns, owners))
    sizes = np.bincount(owners).astype(np.int32)
    starts = (np.cumsum(sizes) - sizes).astype(np.int32)
    places = np.arange(len(owners), dtype=np.int32) - starts[owners]

    def table() -> Counts:
        givers = random.permutation(len(sizes))[owners]
        given = rows[starts[givers] + places % sizes[givers]]
        counts: Counts = np.bincount(given * shape[1] + columns, minlength=cells).reshape(shape)
        return counts

    return np.concatenate([chi_square(np.stack([table() for _ in range(size)])) for size in parts])


def flipped_sums(sums: Counts, draws: int, random: np.random.Generator) -> Floats:
    """Draw sums over documents with random signs: what a paired difference is where neither side is better, `[draws]`.

    Fisher, The Design of Experiments, 1935, section 21. Documents with equal distances from 0 are drawn together.

    Args:
        sums: difference of each document, summed over its texts.
        draws: how many sums.
        random: draws the signs.
    """
    sizes, numbers = np.unique(np.abs(sums), return_counts=True)
    flipped: Floats = (2.0 * random.binomial(numbers, 0.5, size=(draws, len(numbers))) - numbers) @ sizes
    return flipped


def permuted_ratios(left: Counts, right: Counts, draws: int, random: np.random.Generator) -> Floats:
    """Compute the difference of two ratios of sums over its standard error, and those of permuted documents.

    With one text in each document the test is exact where the sets are alike; as the difference is divided by its
    error, it also holds for many documents of other sizes or spreads (Chung and Romano, Exact and Asymptotically Robust
    Permutation Tests, Annals of Statistics 41, 2013).

    Args:
        left: what is above and below the fraction bar, of each document of the first set, `[documents, 2]`.
        right: the same for the second set.
        draws: how many permutations.
        random: draws them.

    Returns:
        First that of the two sets as they are, then those of the permutations, `[1 + draws]`.
    """
    both = np.concatenate([left, right]).astype(float)
    above, below = both.T
    products = np.stack([above, below, above**2, above * below, below**2], axis=1)
    mask = np.arange(len(both)) < len(left)
    parts = [mask[None] @ products]
    at_once = max(1, CELLS_AT_ONCE // len(both))
    for start in range(0, draws, at_once):
        masks = random.permuted(np.tile(mask, (min(at_once, draws - start), 1)), axis=1)
        parts.append(masks.astype(float) @ products)
    of_left = np.concatenate(parts)
    ratios, variances = zip(
        *(
            _ratio(sums, number)
            for sums, number in ((of_left, len(left)), (products.sum(axis=0) - of_left, len(right)))
        ),
        strict=True,
    )
    difference, error = ratios[0] - ratios[1], np.sqrt(variances[0] + variances[1])
    return np.where(np.abs(difference) < 1e-12, 0.0, difference / np.maximum(error, 1e-300))


def _ratio(sums: Floats, documents: int) -> tuple[Floats, Floats]:
    """Compute a ratio and its variance from sums over documents of a, b, a², a·b and b², `[…, 5]`."""
    above, below, squares, products, below_squares = np.moveaxis(sums, -1, 0)
    ratio = above / np.maximum(below, 1)
    spread = np.maximum(squares - 2 * ratio * products + ratio**2 * below_squares, 0)
    return ratio, spread / np.maximum(below, 1) ** 2 * documents / (documents - 1)


def inflated(chance: Floats, effect: float, documents: int, random: np.random.Generator) -> Floats:
    """Inflate draws that took texts for independent, by the design effect of documents of several texts.

    The design effect is itself estimated from the documents, so each draw is divided by a draw of a mean of squares
    with as many degrees of freedom, which makes chi-square a multiple of F (Thomas and Rao, Small-Sample Comparisons
    of Level and Power for Simple Goodness-of-Fit Statistics Under Cluster Sampling, JASA 82, 1987).

    Args:
        chance: draws of a quantity that grows with the square of a difference.
        effect: the design effect; 1 where texts are as good as independent, and then nothing changes.
        documents: number of documents.
        random: for the mean squares.
    """
    if effect <= 1:
        return chance
    freedom = max(documents - 1, 1)
    return chance * effect * freedom / random.chisquare(freedom, len(chance))


def share_inflation(counts: sparse.csr_array) -> float:
    """Sum the variances of shares, each in parts of its share over the number of texts, `Σ n · var(p) / p`.

    With independent texts it is the number of shares less 1.

    Args:
        counts: texts of each document in each cell, `[documents, cells]`.
    """
    documents, sizes = counts.shape[0], counts.sum(axis=1)
    total = sizes.sum()
    share = counts.sum(axis=0) / total
    squares = counts.multiply(counts).sum(axis=0)
    # Σ (count − share · size)², multiplied out, so that zeros need no work.
    spread = squares - 2 * share * (sizes @ counts) + share**2 * (sizes.astype(float) ** 2).sum()
    there = share > 0
    return float((spread[there] / share[there]).sum() / total * documents / max(documents - 1, 1))


def linear_variance(counts: sparse.csr_array, slopes: Floats) -> float:
    """Compute the variance of a function of shares from its slopes, over documents (the delta method).

    Args:
        counts: texts of each document in each cell, `[documents, cells]`.
        slopes: derivative of the function by each cell's share.
    """
    documents, sizes = counts.shape[0], counts.sum(axis=1)
    mean = float(counts.sum(axis=0) @ slopes) / sizes.sum()
    distances = counts @ slopes - mean * sizes
    return float((distances**2).sum() / float(sizes.sum()) ** 2 * documents / max(documents - 1, 1))


def interval_above_zero(
    observed: float, chance: Floats, variance: float, confidence: float, random: np.random.Generator
) -> tuple[float, float, float]:
    """Estimate a quantity that can't be negative without what chance adds to it, with an interval that can reach 0.

    The interval has the true values for which the observed one would not be surprising (an inverted test: Davison and
    Hinkley, 1997, section 5.2.2). The quantity is like the squared length of a vector that is measured with an error:
    where the true value is θ, what is observed is θ, and a draw of what chance gives, which is the error's own squared
    length, and twice the product of √θ and the error along the vector, whose variance is `variance` at the observed
    value. What is below that which chance gives on average counts as that mean: else a draw that happens to be near 0
    would seem to leave no room for any difference.

    Args:
        observed: the value.
        chance: draws of the value where the truth is 0.
        variance: of the value by the delta method.
        confidence: of the interval.
        random: for the normal errors.

    Returns:
        The estimate, at least 0, and the bounds of the interval.
    """
    mean = float(chance.mean())
    if max(observed, mean) <= 0:
        return 0.0, 0.0, 0.0
    estimate, tail = max(0.0, observed - mean), (1 - confidence) / 2
    dimensions = _dimensions(chance)
    errors = _along(chance, dimensions, random)
    if observed <= mean:
        # There the slopes are near 0, and the error is that of chance in each dimension.
        observed, variance = mean, 4 * mean**2 / dimensions
    errors *= np.sqrt(variance / observed)

    def solve(quantile: float) -> float:
        # As np.quantile, which takes five times as long for so few draws.
        place = min(int(quantile * (len(chance) - 1)), len(chance) - 2)
        part = quantile * (len(chance) - 1) - place
        low, high = 0.0, observed + 10 * float(np.sqrt(variance)) + float(chance.max())
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            drawn = np.partition(middle + np.sqrt(middle) * errors + chance, (place, place + 1))
            below = (1 - part) * drawn[place] + part * drawn[place + 1] < observed
            low, high = (middle, high) if below else (low, middle)
        return low if low > 1e-9 * observed else 0.0

    return estimate, min(estimate, solve(1 - tail)), max(estimate, solve(tail))


def _dimensions(chance: Floats) -> float:
    """Return so many dimensions as fit mean and variance of draws of a squared length, 1 or more."""
    return min(max(2 * float(chance.mean()) ** 2 / max(float(chance.var()), 1e-300), 1.0), 1e6)


def _along(chance: Floats, dimensions: float, random: np.random.Generator) -> Floats:
    """Draw the standard normal error along a vector, given draws of the squared length of the whole error.

    In one dimension the error is all along the vector.
    """
    parts = random.beta(0.5, (dimensions - 1) / 2, len(chance)) if dimensions > 1 else 1.0
    signs: Floats = random.choice([-1.0, 1.0], len(chance))
    return signs * np.sqrt(chance * parts * dimensions / max(float(chance.mean()), 1e-300))


def permuted_counts(left: Counts, right: Counts, draws: int, random: np.random.Generator) -> tuple[Counts, Counts]:
    """Draw two sets of texts from both together, without replacement, as a permutation of the texts does.

    Args:
        left: texts of each label in the first set.
        right: texts of each label in the second set.
        draws: how many times.
        random: draws them.

    Returns:
        Counts of both sets, `[draws, labels]`.
    """
    both = left + right
    drawn = random.multivariate_hypergeometric(both, int(left.sum()), size=draws, method="marginals")
    return drawn, both - drawn


def difference_design_effect(left: sparse.csr_array, right: sparse.csr_array) -> float:
    """Compute how much the distance of two sets' shares is inflated because texts of one document are alike.

    The mean design effect of Rao and Scott, On Chi-Squared Tests for Multiway Contingency Tables with Cell Proportions
    Estimated from Survey Data, Annals of Statistics 12, 1984, for two sets. It is at least 1, and 1 where each
    document has one text.

    Args:
        left: texts of each document of the first set with each label, `[documents, labels]`.
        right: the same for the second set.
    """
    inflation, freedom = 0.0, 0.0
    for counts in (left, right):
        texts, labels = counts.sum(), int((counts.sum(axis=0) > 0).sum())
        alone = bool((counts.sum(axis=1) <= 1).all())
        inflation += (labels - 1 if alone else share_inflation(counts)) / texts
        freedom += (labels - 1) / texts
    return max(1.0, inflation / freedom) if freedom else 1.0
