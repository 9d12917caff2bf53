"""A classifier two-sample test: how well a simple model distinguishes two sets of texts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import KFold

FOLDS = 5
PERMUTATIONS = 999
# Weight of the ridge penalty; feature vectors have length 1.
PENALTY = 1.0
FEWEST_TEXTS = 20
# Of each set: memory grows with the square of the texts, and time with the cube.
MOST_TEXTS = 2_000


@dataclass(frozen=True)
class Verdict:
    """How well the model distinguishes two sets of texts."""

    area: float  # under the ROC curve: 0.5 is chance
    p_value: float  # share of permuted labels with an area at least as large


def tell_apart(left: Sequence[str], right: Sequence[str], seed: int) -> Verdict:
    """Cross-validate a linear model of character n-grams that distinguishes two sets, and test it by permutations.

    A classifier two-sample test (Lopez-Paz and Oquab, ICLR 2017). Its statistic is the area under the ROC curve, by
    ranks (Hanley and McNeil, Radiology 143, 1982): of the pairs of a text of each set that are in one fold, the share
    in which the text of the second set has the higher score. Scores of different folds have different offsets. The
    permutation test fits the model again for each permutation of the labels, and counts the observed labels as one of
    the permutations (Phipson and Smyth, 2010). The model is ridge regression on the labels, which is fitted to all
    permutations at once.

    Args:
        left: texts of the first set; each is of a document of its own, or the permutations are too much alike.
        right: texts of the second set.
        seed: random seed of folds and permutations.
    """
    labels = np.repeat([-1.0, 1.0], [len(left), len(right)])
    # Capitals count: a model that writes none can be told by them.
    vectorizer = TfidfVectorizer(
        analyzer="char", lowercase=False, ngram_range=(1, 4), min_df=2, sublinear_tf=True, dtype=np.float64
    )
    features = vectorizer.fit_transform([*left, *right])
    kernel = (features @ features.T).toarray()
    random = np.random.default_rng(seed)
    permuted = np.column_stack([labels, *(random.permutation(labels) for _ in range(PERMUTATIONS))])
    folds = KFold(FOLDS, shuffle=True, random_state=seed & 0xFFFFFFFF)
    higher, pairs = np.zeros(1 + PERMUTATIONS), np.zeros(1 + PERMUTATIONS)
    for train, test in folds.split(kernel):
        middle = permuted[train].mean(axis=0)
        penalised = kernel[np.ix_(train, train)] + PENALTY * np.eye(len(train))
        weights = np.linalg.solve(penalised, permuted[train] - middle)
        ranks, second = rankdata(kernel[np.ix_(test, train)] @ weights, axis=0), permuted[test] > 0
        number = second.sum(axis=0)
        higher += (ranks * second).sum(axis=0) - number * (number + 1) / 2
        pairs += number * (len(test) - number)
    areas = higher / pairs
    return Verdict(float(areas[0]), float((areas >= areas[0]).mean()))
