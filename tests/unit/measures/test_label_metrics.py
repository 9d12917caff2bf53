"""Label metrics: the numbers of other libraries, and tests that are wrong as rarely as they should be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import chi2_contingency
from sklearn.metrics import f1_score, precision_recall_fscore_support

from samizdat.measures import label_metrics


@settings(max_examples=50)
@given(hnp.arrays(int, (4, 4), elements=st.integers(0, 20)).filter(lambda counts: counts.sum() > 0))
def test_scores_are_those_of_scikit_learn(confusion):
    human, predicted = (np.repeat(place.ravel(), confusion.ravel()) for place in np.indices(confusion.shape))
    there = sorted(set(human) | set(predicted))
    precision, recall, f1, _ = precision_recall_fscore_support(human, predicted, labels=there, zero_division=0)
    counts = label_metrics.margins(confusion)
    own = label_metrics.label_scores(counts)
    for name, expected in (("precision", precision), ("recall", recall), ("f1", f1)):
        np.testing.assert_allclose(own[name][there], expected)
    assert label_metrics.macro_f1(counts) == pytest.approx(
        f1_score(human, predicted, average="macro", labels=there, zero_division=0)
    )
    assert label_metrics.accuracy(counts) == pytest.approx((human == predicted).mean())


@settings(max_examples=50)
@given(hnp.arrays(int, (3, 4), elements=st.integers(0, 30)).filter(lambda table: (table.sum(axis=0) > 0).all()
                                                                   and (table.sum(axis=1) > 0).all()))  # fmt: skip
def test_chi_square_is_that_of_scipy_and_cramers_v_its_corrected_root(table):
    statistic = chi2_contingency(table, correction=False).statistic
    assert label_metrics.chi_square(table) == pytest.approx(statistic)
    number = table.sum()
    beyond = max(0, statistic / number - 2 * 3 / (number - 1))
    side = min(3 - 4 / (number - 1), 4 - 9 / (number - 1)) - 1
    assert label_metrics.cramers_v(table) == pytest.approx(np.sqrt(beyond / side))


def test_cramers_v_is_about_zero_by_chance_and_one_where_labels_fix_each_other():
    random = np.random.default_rng(1)
    chance = [label_metrics.cramers_v(random.multinomial(60, [1 / 12] * 12).reshape(3, 4)) for _ in range(200)]
    assert np.mean(chance) < 0.1
    assert label_metrics.cramers_v(np.diag([20, 30, 5])) == pytest.approx(1)
    assert np.isnan(label_metrics.cramers_v(np.array([[3, 4], [0, 0]])))


def test_slopes_of_the_mean_square_are_its_derivatives():
    table = np.array([[8, 3, 5], [2, 9, 6]])
    slopes = label_metrics.mean_square_slopes(table)

    def mean_square(share):
        return ((share**2) / share.sum(axis=1, keepdims=True) / share.sum(axis=0)).sum()

    for place in np.ndindex(2, 3):
        step = np.zeros((2, 3))
        step[place] = 1e-6
        change = mean_square(table / 33 + step) - mean_square(table / 33 - step)
        assert slopes[place] == pytest.approx(change / 2e-6, abs=1e-6)


def test_a_table_with_too_few_expected_texts_is_sparse():
    """By Cochran's rule: of cells at most a fifth below 5 expected texts, and none below 1."""
    assert not label_metrics.is_sparse(np.array([[10, 10], [10, 10]]))
    assert label_metrics.is_sparse(np.array([[4, 4], [4, 4]]))  # all cells below 5
    assert not label_metrics.is_sparse(np.array([[60, 60, 60, 60, 4], [60, 60, 60, 60, 4]]))  # a fifth of them
    assert label_metrics.is_sparse(np.array([[90, 0], [90, 1]]))  # one cell below 1
