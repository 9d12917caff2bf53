"""A classifier two-sample test: how well a simple model distinguishes two sets of texts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import KFold

from samizdat.measures.arrays import Floats

FOLDS = 5
PERMUTATIONS = 999
# Weight of the ridge penalty; feature vectors have length 1.
PENALTY = 1.0
FEWEST_TEXTS = 20


@dataclass(frozen=True)
class Verdict:
    """How well the model distinguishes two sets of texts."""

    area: float  # under the ROC curve: 0.5 is chance
    p_value: float  # share of permuted labels with an area at least as large


def tell_apart(left: Sequence[str], right: Sequence[str], seed: int) -> Verdict:
    """Cross-validate a linear model of character n-grams that distinguishes two sets, and test it by permutations.

    A classifier two-sample test (Lopez-Paz and Oquab, ICLR 2017). Its statistic is the area under the ROC curve. The
    permutation test fits the model again for each permutation of the labels, and counts the observed labels as one of
    the permutations (Phipson and Smyth, 2010). The model is ridge regression on the labels, which is fitted to all
    permutations at once.

    Args:
        left: texts of the first set; each is of a document of its own, or the permutations are too much alike.
        right: texts of the second set.
        seed: random seed of folds and permutations.
    """
    labels = np.repeat([-1.0, 1.0], [len(left), len(right)])
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, sublinear_tf=True, dtype=np.float64)
    features = vectorizer.fit_transform([*left, *right])
    kernel = (features @ features.T).toarray()
    random = np.random.default_rng(seed)
    permuted = np.column_stack([labels, *(random.permutation(labels) for _ in range(PERMUTATIONS))])
    folds = KFold(FOLDS, shuffle=True, random_state=seed & 0xFFFFFFFF)
    scores = np.empty_like(permuted)
    for train, test in folds.split(kernel):
        middle = permuted[train].mean(axis=0)
        penalised = kernel[np.ix_(train, train)] + PENALTY * np.eye(len(train))
        weights = np.linalg.solve(penalised, permuted[train] - middle)
        # Ranks within a fold, because scores of different folds have different offsets.
        scores[test] = rankdata(kernel[np.ix_(test, train)] @ weights, axis=0) / len(test)
    areas = area(scores, permuted > 0)
    return Verdict(float(areas[0]), float((areas >= areas[0]).mean()))


def area(scores: Floats, second: NDArray[np.bool_]) -> Floats:
    """Compute the area under the ROC curve of each column of scores, by ranks (Hanley and McNeil, Radiology 143, 1982).

    Args:
        scores: `[texts, columns]`.
        second: whether a text is of the second set, `[texts, columns]`.
    """
    ranks = rankdata(scores, axis=0)
    positives = second.sum(axis=0)
    negatives = len(scores) - positives
    areas: Floats = ((ranks * second).sum(axis=0) - positives * (positives + 1) / 2) / (positives * negatives)
    return areas
