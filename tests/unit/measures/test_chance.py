"""What chance gives: known p values, and tests and intervals that are wrong as rarely as they should be."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from samizdat.measures import chance
from samizdat.measures.bootstrap import Bootstrap
from samizdat.statistics.association import group_tests


def test_what_was_observed_counts_as_one_more_draw():
    assert chance.p_value(5, np.arange(9.0)) == 0.5
    assert chance.p_value(100, np.arange(99.0)) == 0.01


def test_p_values_are_corrected_for_their_number():
    np.testing.assert_allclose(chance.holm([0.01, 0.04, 0.03, 0.5]), [0.04, 0.09, 0.09, 0.5])
    assert chance.holm([]).size == 0


@pytest.mark.parametrize("true", [0.0, 1.0, 4.0, 30.0])
def test_intervals_above_zero_cover_a_known_truth_and_hold_their_estimate(true):
    """400 squared lengths of vectors in ten dimensions, measured with an error of 1 in each."""
    random = np.random.default_rng(2)
    draws = random.chisquare(10, 500)
    covered = 0
    for length in random.noncentral_chisquare(10, true, 400) if true else random.chisquare(10, 400):
        value, low, high = chance.interval_above_zero(length, draws, 4 * length, 0.95, random)
        assert low <= value <= high
        covered += low <= true <= high
    assert 0.92 <= covered / 400 <= 0.99


def test_permutations_of_single_texts_have_the_distribution_of_chi_square():
    random = np.random.default_rng(3)
    rows, columns = random.integers(0, 3, 600), random.integers(0, 4, 600)
    draws = chance.permuted_chi_squares(rows, columns, np.arange(600), 1000, random)
    assert stats.kstest(draws, stats.chi2(6).cdf).pvalue > 0.01


@pytest.mark.parametrize(("documents", "texts", "labels"), [(100, 1, 6), (20, 20, 9), (30, 5, 2)])
def test_groups_that_do_not_differ_are_called_different_as_rarely_as_the_level_says(documents, texts, labels):
    """200 corpora in two groups of documents, which have shares of their own; V's interval has the estimate and 0."""
    random = np.random.default_rng(2)
    names = [str(number) for number in range(labels)]
    called = outside = without_zero = 0
    for corpus in range(200):
        shares = (
            random.dirichlet(np.ones(labels), documents) if texts > 1 else [np.full(labels, 1 / labels)] * documents
        )
        owners = np.repeat(np.arange(documents), texts)
        frame = pd.DataFrame(
            {
                "document": owners,
                "group": np.where(owners % 2, "a", "b"),
                "predicted": np.concatenate([random.choice(names, texts, p=own) for own in shares]),
            }
        )
        card = type("Card", (), {"labels": names})
        (row,) = group_tests({"c": card}, {"c": frame}, Bootstrap(0.95, 200, corpus))
        called += row["p_value"] <= 0.05
        outside += not row["low"] <= row["cramers_v"] <= row["high"]
        without_zero += row["low"] > 0
    assert called / 200 <= 0.09 and outside == 0 and without_zero / 200 <= 0.05
