"""Metrics of labels, computed from one table of counts or from an array of thousands of tables at once."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from scipy.spatial.distance import jensenshannon

from samizdat.measures.arrays import Counts, Floats

# A label that people and the classifier together gave fewer times leaves macro-F1 without an interval: see
# docs/methods.md.
FEWEST_GIVEN = 10


def shares(counts: Counts) -> Floats:
    """Divide counts `[…, labels]` by their sum."""
    total: Counts = counts.sum(axis=-1, keepdims=True)
    return counts / total


def jensen_shannon_bits(left: Floats, right: Floats) -> Floats:
    """Compute the Jensen–Shannon divergence of shares `[…, labels]` in bits: 0 if equal, 1 if they share no label.

    Lin, Divergence Measures Based on the Shannon Entropy, IEEE Trans. Inf. Theory 37 (1991). SciPy returns its square
    root. Rounding can make that the root of a negative number, which is NaN and means 0.
    """
    root: Floats = jensenshannon(left, right, base=2, axis=-1)
    return np.nan_to_num(root**2)


def margins(confusion: Counts) -> Counts:
    """Count how often each label was right, given by the classifier, and given by people, `[…, 3, labels]`.

    All metrics of a confusion matrix but the matrix itself are of these: memory grows with the labels, not with their
    square.

    Args:
        confusion: `[…, human, predicted]`.
    """
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    return np.stack([right, confusion.sum(axis=-2), confusion.sum(axis=-1)], axis=-2)


def accuracy(counts: Counts) -> Floats:
    """Compute the share of texts whose label is right, of `margins`."""
    right, _, human = np.moveaxis(counts, -2, 0)
    found: Floats = right.sum(axis=-1) / human.sum(axis=-1)
    return found


def label_scores(counts: Counts) -> dict[str, Floats]:
    """Compute precision, recall and F1 `[…, labels]` of `margins`, as scikit-learn defines them.

    A score without a denominator is 0. A label that neither people nor the classifier gave has no score (NaN).
    """
    return scores_of_counts(*np.moveaxis(counts, -2, 0))


def scores_of_counts(right: Counts, predicted: Counts, human: Counts) -> dict[str, Floats]:
    """Compute the same scores where a text may have several labels.

    Args:
        right: how often people and the classifier both gave each label, `[…, labels]`.
        predicted: how often the classifier gave it.
        human: how often people gave it.
    """
    there = predicted + human > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = {
            "precision": np.where(predicted > 0, right / predicted, 0.0),
            "recall": np.where(human > 0, right / human, 0.0),
            "f1": 2 * right / (predicted + human),
        }
    return {name: np.where(there, values, np.nan) for name, values in scores.items()}


def times_given(counts: Counts) -> Counts:
    """Count how often people and the classifier together gave each label, `[…, labels]` of `margins`."""
    times: Counts = counts[..., 1, :] + counts[..., 2, :]
    return times


def macro_f1(counts: Counts) -> Floats:
    """Compute the mean F1 of the labels that people or the classifier gave, of `margins`; all labels have equal weight.

    It is the average of F1 scores, not the F1 of averages: Opitz and Burst, Macro F1 and Macro F1, 2019.
    """
    mean: Floats = np.nanmean(label_scores(counts)["f1"], axis=-1)
    return mean


def calibration_error(texts: Floats, right: Floats, confidence: Floats) -> Floats:
    """Compute the expected calibration error from sums in bins of confidence.

    It is the mean distance between confidence and accuracy, and a bin's weight is its number of texts: Guo et al., On
    Calibration of Modern Neural Networks, ICML 2017, equation 3.

    Args:
        texts: number of texts, `[…, bins]`.
        right: number of texts with a right label, `[…, bins]`.
        confidence: sum of the labels' probabilities, `[…, bins]`.
    """
    distance: Floats = np.abs(right - confidence).sum(axis=-1)
    total: Floats = texts.sum(axis=-1)
    return distance / total


def by_chance(counts: Counts) -> Floats:
    """Compute how often two judges would give one label if neither looked at the text, of `margins`."""
    _, one, other = np.moveaxis(counts, -2, 0)
    found: Floats = (one * other).sum(axis=-1) / other.sum(axis=-1) ** 2
    return found


def cohen_kappa(counts: Counts) -> Floats:
    """Compute the agreement of two judges beyond chance, of `margins`: 1 is perfect, 0 is chance.

    Cohen, A Coefficient of Agreement for Nominal Scales, 1960. NaN if both always give one and the same label.
    """
    chance = by_chance(counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (accuracy(counts) - chance) / (1 - chance)


def chi_square(table: Counts) -> Floats:
    """Compute Pearson's chi-square of independence of `[…, rows, columns]`; empty rows and columns add nothing."""
    rows, columns = table.sum(axis=-1, keepdims=True), table.sum(axis=-2, keepdims=True)
    expected = rows * columns / table.sum(axis=(-2, -1), keepdims=True)
    there = expected > 0
    terms = np.where(there, (table - expected) ** 2 / np.where(there, expected, 1), 0.0)
    statistic: Floats = terms.sum(axis=(-2, -1))
    return statistic


def cramers_v(table: Counts) -> Floats:
    """Compute Cramér's V, the association of rows and columns of `[…, rows, columns]`: 0 is none, 1 is complete.

    With a correction for its bias in small tables: Bergsma, A bias-correction for Cramér's V and Tschuprow's T, 2013.
    NaN if fewer than two rows or columns have counts.
    """
    total = table.sum(axis=(-2, -1)).astype(float)
    rows, columns = (table.sum(axis=axis) > 0 for axis in (-1, -2))
    rows, columns = rows.sum(axis=-1).astype(float), columns.sum(axis=-1).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        beyond_chance = chi_square(table) / total - (rows - 1) * (columns - 1) / (total - 1)
        sides = np.minimum(rows - (rows - 1) ** 2 / (total - 1), columns - (columns - 1) ** 2 / (total - 1)) - 1
        return np.where(np.minimum(rows, columns) > 1, np.sqrt(np.maximum(beyond_chance, 0) / sides), np.nan)


def is_sparse(table: Counts) -> bool:
    """Say whether a table has too few texts for an approximation of chi-square, by expected counts of its cells.

    More than a fifth of them are below 5, or one is below 1: Cochran, Some Methods for Strengthening the Common χ²
    Tests, Biometrics 10, 1954.
    """
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / table.sum()
    return bool((expected < 5).mean() > 0.2 or (expected < 1).any())


def mean_square_slopes(table: Counts) -> Floats:
    """Compute the derivatives of chi-square over the number of texts by each cell's share, `[rows, columns]`.

    For φ² = Σ p²/(r c) − 1 with shares p of cells, r of rows and c of columns.
    """
    share = table / table.sum()
    rows, columns = share.sum(axis=1, keepdims=True), share.sum(axis=0, keepdims=True)
    ratio = share / np.where(rows * columns > 0, rows * columns, 1)
    of_rows = (ratio * share).sum(axis=1, keepdims=True) / np.where(rows > 0, rows, 1)
    of_columns = (ratio * share).sum(axis=0, keepdims=True) / np.where(columns > 0, columns, 1)
    slopes: Floats = 2 * ratio - of_rows - of_columns
    return slopes


def given_labels(labels: Iterable[Sequence[str]], names: list[str]) -> np.ndarray:
    """Say which texts have which labels, `[texts, labels]`; categories are looked up once each."""
    if isinstance(labels, pd.Series) and isinstance(labels.dtype, pd.CategoricalDtype):
        codes = labels.cat.codes.to_numpy()
        there = np.unique(codes)
        return given_labels(labels.cat.categories[there], names)[np.searchsorted(there, codes)]
    place = {name: number for number, name in enumerate(names)}
    chosen = list(labels)
    found = np.zeros((len(chosen), len(names)), bool)
    for row, given in enumerate(chosen):
        found[row, [place[label] for label in given]] = True
    return found
