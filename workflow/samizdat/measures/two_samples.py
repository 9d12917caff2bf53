"""A two-sample test by classifier: how well a simple model tells two sets of texts from one another."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GroupKFold

FOLDS = 5
PERMUTATIONS = 999
# Weight of the ridge penalty, for features of length 1.
PENALTY = 1.0
FEWEST_TEXTS = 20


@dataclass(frozen=True)
class Verdict:
    """How well two sets are told apart."""

    scores: np.ndarray  # of each text, by models that had not seen it; the higher, the more like the second set
    area: float  # under the ROC curve: 0.5 is chance
    p_value: float  # how often sets that are one set would be told apart as well


def tell_apart(left: Sequence[str], right: Sequence[str], groups: Sequence[str], seed: int) -> Verdict:
    """Cross-validate a linear model of character n-grams, and do it again with the labels dealt anew.

    A two-sample test by classifier (Lopez-Paz and Oquab, ICLR 2017) with the area under the ROC curve as its
    statistic, and a permutation test in which every model is fitted anew (Phipson and Smyth, 2010: the observed
    deal counts as one). The model is ridge regression on the labels, which is fitted to all deals at once.

    Args:
        left: texts of the first set.
        right: texts of the second.
        groups: of the texts of both, in that order; texts of one group are never in two folds.
        seed: of the folds and deals.
    """
    labels = np.repeat([-1.0, 1.0], [len(left), len(right)])
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, sublinear_tf=True, dtype=np.float64)
    features = vectorizer.fit_transform([*left, *right])
    kernel = (features @ features.T).toarray()
    random = np.random.default_rng(seed)
    deals = np.column_stack([labels, *(random.permutation(labels) for _ in range(PERMUTATIONS))])
    folds = GroupKFold(FOLDS, shuffle=True, random_state=seed & 0xFFFFFFFF)
    scores = np.empty_like(deals)
    for train, test in folds.split(kernel, groups=groups):
        middle = deals[train].mean(axis=0)
        penalised = kernel[np.ix_(train, train)] + PENALTY * np.eye(len(train))
        weights = np.linalg.solve(penalised, deals[train] - middle)
        # Ranks within a fold only: a fold's own offset says nothing.
        scores[test] = rankdata(kernel[np.ix_(test, train)] @ weights, axis=0) / len(test)
    areas = area(scores, deals > 0)
    return Verdict(scores[:, 0], float(areas[0]), float((areas >= areas[0]).mean()))


def resampled_areas(verdict: Verdict, left_weights: np.ndarray, right_weights: np.ndarray) -> np.ndarray:
    """The area under the ROC curve when each text counts so often, `[resamples]`.

    Args:
        verdict: of the two sets.
        left_weights: how often each text of the first set was drawn, `[resamples, texts]`.
        right_weights: likewise of the second.
    """
    left, right = np.split(verdict.scores, [left_weights.shape[1]])
    higher = (right[None] > left[:, None]) + 0.5 * (right[None] == left[:, None])
    pairs = left_weights.sum(axis=1, dtype=float) * right_weights.sum(axis=1)
    return ((left_weights @ higher) * right_weights).sum(axis=1) / pairs


def area(scores: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The area under the ROC curve of each column of scores, by ranks (Hanley and McNeil, Radiology 143, 1982)."""
    ranks = rankdata(scores, axis=0)
    positives = second.sum(axis=0)
    negatives = len(scores) - positives
    return ((ranks * second).sum(axis=0) - positives * (positives + 1) / 2) / (positives * negatives)
