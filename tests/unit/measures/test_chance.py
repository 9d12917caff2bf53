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
    assert called / 200 <= 0.07 and outside == 0 and without_zero / 200 <= 0.05


def test_random_signs_give_the_binomial_distribution():
    sums = np.array([1] * 10 + [-1] * 6 + [0] * 40)
    drawn = chance.flipped_sums(sums, 4000, np.random.default_rng(1))
    # Of 16 documents that differ, 10 or more on one side: 2 · 0.2272 by the binomial distribution.
    assert chance.p_value(abs(sums.sum()), np.abs(drawn)) == pytest.approx(0.4545, abs=0.03)


def test_a_ratio_is_compared_over_its_error():
    """One document in each set that has all: the difference is 0, whatever the sets' sizes; a clear one is far off."""
    random = np.random.default_rng(2)
    same = np.tile([3, 10], (30, 1))
    assert (chance.permuted_ratios(same, same[:25], 50, random) == 0).all()
    left, right = (np.stack([random.binomial(10, share, 40), np.full(40, 10)], axis=1) for share in (0.5, 0.3))
    distances = chance.permuted_ratios(left, right, 500, random)
    error = np.sqrt(sum((side[:, 0] / 10).var(ddof=1) / 40 for side in (left, right)))
    assert distances[0] == pytest.approx((left[:, 0].mean() - right[:, 0].mean()) / 10 / error)
    assert chance.p_value(abs(distances[0]), np.abs(distances[1:])) == pytest.approx(1 / 501)


@pytest.mark.parametrize(("documents", "texts"), [(30, 1), (30, 20)])
def test_ratios_are_as_rarely_called_different_as_the_level_says(documents, texts):
    """600 pairs of sets: 100 documents of one text, and fewer documents whose texts have much the same share."""
    random = np.random.default_rng(5)

    def drawn(number, each):
        words = random.integers(1, 40, (number, each))
        above = random.binomial(words, random.beta(0.4, 4, (number, 1)))
        return np.stack([above.sum(axis=1), words.sum(axis=1)], axis=1)

    called = 0
    for _ in range(600):
        distances = np.abs(chance.permuted_ratios(drawn(100, 1), drawn(documents, texts), 99, random))
        called += chance.p_value(distances[0], distances[1:]) <= 0.05
    assert called / 600 <= 0.07


@pytest.mark.parametrize("true", [1.0, 4.0, 9.0])
def test_intervals_above_zero_cover_in_one_dimension(true):
    """400 squares of one number that is measured with an error of 1: the error is all along it."""
    random = np.random.default_rng(6)
    covered = 0
    for number in np.sqrt(true) + random.standard_normal(400):
        draws = random.chisquare(1, 500)
        value, low, high = chance.interval_above_zero(number**2, draws, 4 * number**2, 0.95, random)
        assert low <= value <= high
        covered += low <= true <= high
    assert 0.92 <= covered / 400 <= 0.98


def test_a_draw_near_zero_leaves_room_for_what_chance_hides():
    random = np.random.default_rng(7)
    draws = random.chisquare(3, 500)
    highs = [chance.interval_above_zero(seen, draws, 4 * seen, 0.95, random)[2] for seen in (0.0, 1e-9, 0.1, 3.1)]
    assert all(high == pytest.approx(highs[3], rel=0.2) for high in highs) and highs[0] > 7
