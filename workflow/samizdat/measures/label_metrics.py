"""The formulas behind the statistics, over arrays of counts: one set of counts or thousands at once."""

import numpy as np
from scipy.spatial.distance import jensenshannon


def shares(counts: np.ndarray) -> np.ndarray:
    """Counts `[…, labels]` as shares of their sum."""
    return counts / counts.sum(axis=-1, keepdims=True)


def jensen_shannon_bits(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The Jensen–Shannon divergence of shares `[…, labels]` in bits: 0 where equal, 1 where nothing is shared.

    Lin, Divergence Measures Based on the Shannon Entropy, IEEE Trans. Inf. Theory 37 (1991). SciPy gives its
    square root; rounding can make that the root of a negative, which is NaN and means 0.
    """
    return np.nan_to_num(jensenshannon(left, right, base=2, axis=-1) ** 2)


def accuracy(confusion: np.ndarray) -> np.ndarray:
    """The share of texts on the diagonal of `[…, human, predicted]`."""
    return np.trace(confusion, axis1=-2, axis2=-1) / confusion.sum(axis=(-2, -1))


def label_scores(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """Precision, recall and F1 `[…, labels]` of `[…, human, predicted]`, as scikit-learn defines them.

    A score without a denominator is 0; a label that neither people nor the classifier gave has none (NaN).
    """
    right = np.diagonal(confusion, axis1=-2, axis2=-1).astype(float)
    predicted, human = confusion.sum(axis=-2), confusion.sum(axis=-1)
    there = predicted + human > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = {
            "precision": np.where(predicted > 0, right / predicted, 0.0),
            "recall": np.where(human > 0, right / human, 0.0),
            "f1": 2 * right / (predicted + human),
        }
    return {name: np.where(there, values, np.nan) for name, values in scores.items()}


def macro_f1(confusion: np.ndarray) -> np.ndarray:
    """The mean F1 of the labels that people or the classifier gave; every label counts alike.

    The average of F1 scores, not the F1 of averages: Opitz and Burst, Macro F1 and Macro F1, 2019.
    """
    return np.nanmean(label_scores(confusion)["f1"], axis=-1)


def calibration_error(texts: np.ndarray, right: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """The expected calibration error from sums `[…, bins]`: texts, texts that were right, and confidence.

    The mean distance of confidence from accuracy, each bin weighing as many texts as it has: Guo et al., On
    Calibration of Modern Neural Networks, ICML 2017, equation 3.
    """
    return np.abs(right - confidence).sum(axis=-1) / texts.sum(axis=-1)


def cohen_kappa(table: np.ndarray) -> np.ndarray:
    """Agreement of two judges beyond chance, from `[…, one, other]`: 1 where equal, 0 as by chance.

    Cohen, A Coefficient of Agreement for Nominal Scales, 1960. NaN where both always give one and the same label.
    """
    total = table.sum(axis=(-2, -1))
    chance = (table.sum(axis=-1) * table.sum(axis=-2)).sum(axis=-1) / total**2
    with np.errstate(invalid="ignore", divide="ignore"):
        return (accuracy(table) - chance) / (1 - chance)


def chi_square(table: np.ndarray) -> np.ndarray:
    """Pearson's chi-square of independence of `[…, rows, columns]`; empty rows and columns add nothing."""
    rows, columns = table.sum(axis=-1, keepdims=True), table.sum(axis=-2, keepdims=True)
    expected = rows * columns / table.sum(axis=(-2, -1), keepdims=True)
    there = expected > 0
    return np.where(there, (table - expected) ** 2 / np.where(there, expected, 1), 0.0).sum(axis=(-2, -1))


def cramers_v(table: np.ndarray) -> np.ndarray:
    """How strongly rows and columns of `[…, rows, columns]` go together: 0 not at all, 1 each fixes the other.

    Corrected for its bias in small tables: Bergsma, A bias-correction for Cramér's V and Tschuprow's T, 2013.
    NaN where fewer than two rows or columns hold anything.
    """
    total = table.sum(axis=(-2, -1)).astype(float)
    rows, columns = (table.sum(axis=axis) > 0 for axis in (-1, -2))
    rows, columns = rows.sum(axis=-1).astype(float), columns.sum(axis=-1).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        beyond_chance = chi_square(table) / total - (rows - 1) * (columns - 1) / (total - 1)
        sides = np.minimum(rows - (rows - 1) ** 2 / (total - 1), columns - (columns - 1) ** 2 / (total - 1)) - 1
        return np.where(np.minimum(rows, columns) > 1, np.sqrt(np.maximum(beyond_chance, 0) / sides), np.nan)


def design_effect(table: np.ndarray, resampled: np.ndarray) -> float:
    """By how much texts that come in documents inflate the chi-square of `[rows, columns]`.

    The mean generalised design effect of Rao and Scott, On Chi-Squared Tests for Multiway Contingency Tables
    with Cell Proportions Estimated from Survey Data, 1984, equation 3.6; variances from resampled documents
    `[resamples, rows, columns]`. Never below 1, so that it can only make a test more careful.
    """
    total = table.sum()
    sizes = resampled.sum(axis=(1, 2), keepdims=True)

    def inflation(axes: tuple[int, ...]) -> float:
        share = table.sum(axis=axes) / total
        spread = (resampled.sum(axis=tuple(axis + 1 for axis in axes)) / sizes.reshape(-1, *[1] * share.ndim)).var(0)
        # (1 − p) · spread ÷ (p (1 − p) ÷ n), summed over the cells
        return float((spread[share > 0] * total / share[share > 0]).sum())

    rows, columns = ((table.sum(axis=axis) > 0).sum() for axis in (1, 0))
    freedom = (rows - 1) * (columns - 1)
    return max(1.0, (inflation(()) - inflation((1,)) - inflation((0,))) / freedom)
