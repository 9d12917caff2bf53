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
