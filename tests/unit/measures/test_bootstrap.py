"""Bootstrap totals and intervals: they have the distribution and the coverage that they should have."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse, stats

from samizdat.measures import label_metrics
from samizdat.measures.bootstrap import FEWEST_DOCUMENTS, Bootstrap

# Of 300 documents a few have equal counts or nearly all, so both ways of drawing are taken.
FEW, MANY = st.integers(0, 1), st.integers(0, 5)


@settings(max_examples=50)
@given(
    st.sampled_from([FEW, MANY]).flatmap(lambda values: hnp.arrays(int, (100, 3), elements=values)),
    st.integers(0, 2**62),
)
def test_resampled_totals_are_those_of_drawn_rows(counts, seed):
    totals = Bootstrap(0.95, 300, seed).totals(sparse.csr_array(counts))
    assert totals.shape == (300, 3)
    spread = np.sqrt(len(counts)) * counts.std(axis=0)
    assert (np.abs(totals.mean(axis=0) - counts.sum(axis=0)) <= 6 * spread / np.sqrt(300) + 1e-9).all()
    assert (np.abs(totals.std(axis=0) - spread) <= 0.35 * spread + 1e-9).all()
    assert (totals.min(axis=0) >= len(counts) * counts.min(axis=0)).all()


def test_tables_that_are_resampled_together_have_the_same_documents_in_each_resample():
    counts = sparse.csr_array(np.random.default_rng(1).integers(0, 9, (50, 4)))
    drawn = Bootstrap(0.95, 100, 2).together({"one": counts, "twice": counts * 2}, "set")
    assert (drawn["twice"] == 2 * drawn["one"]).all()


@pytest.mark.parametrize(("documents", "share"), [(FEWEST_DOCUMENTS, 0.6), (150, 0.6), (150, 0.03)])
def test_intervals_of_shares_cover_the_truth_as_often_as_they_say(documents, share):
    """600 corpora whose documents have up to five sentences that agree; the true share is known."""
    random = np.random.default_rng(12)
    covered = 0
    for corpus in range(600):
        sizes = random.integers(1, 6, documents)
        alike = random.random(documents) < 0.5
        good = np.where(alike, sizes * (random.random(documents) < share), random.binomial(sizes, share))
        bootstrap = Bootstrap(0.95, 300, corpus)
        totals = bootstrap.totals(sparse.csr_array(np.stack([good, sizes - good], axis=1)))
        found = good.sum() / sizes.sum()
        resampled = label_metrics.shares(totals)[:, 0]
        low, high = bootstrap.share_interval(found, resampled, documents, sizes.sum(), documents)
        assert low <= found <= high and low < high
        covered += low <= share <= high
    assert 0.92 <= covered / 600 <= 0.98


def test_the_interval_of_a_mean_of_skewed_numbers_covers_it():
    random = np.random.default_rng(3)
    covered = 0
    for corpus in range(600):
        values = np.rint(1000 * random.lognormal(-0.125, 0.5, size=60)).astype(int)
        bootstrap = Bootstrap(0.95, 300, corpus)
        totals = bootstrap.totals(sparse.csr_array(np.stack([values, np.ones(60, int)], axis=1)))
        low, high = bootstrap.mean_interval(float(values.mean()), totals[:, 0] / totals[:, 1], 60)
        assert low < values.mean() < high
        covered += low <= 1000 <= high
    assert 0.92 <= covered / 600 <= 0.98


def test_shares_of_none_and_of_all_have_the_bounds_of_wilson():
    """z² / (n + z²), with Student's t for z; texts of one document count as one where nothing says more."""
    bootstrap, square = Bootstrap(0.95, 50, 1), stats.t.ppf(0.975, 29) ** 2
    same = np.tile([0.0, 1.0], (50, 1))
    low, high = bootstrap.share_interval(np.array([0.0, 1.0]), same, 30, 600, 30)
    np.testing.assert_allclose(low, [0, 30 / (30 + square)])
    np.testing.assert_allclose(high, [square / (30 + square), 1])


def test_the_share_of_a_label_that_no_text_has_is_bounded_with_the_design_effect_of_the_others():
    """Two labels of texts as good as independent: the third may be as rare as among so many texts, not documents."""
    resampled = np.random.default_rng(1).normal(0.5, np.sqrt(0.25 / 600), 4000)
    values = np.stack([resampled, 1 - resampled, np.zeros(4000)], axis=1)
    _, high = Bootstrap(0.95, 4000, 1).share_interval(np.array([0.5, 0.5, 0]), values, 30, 600, 30)
    square = stats.t.ppf(0.975, 29) ** 2
    assert high[2] == pytest.approx(square / (600 + square), rel=0.1)


def test_a_difference_of_none_has_bounds_on_both_sides():
    low, high = Bootstrap(0.95, 50, 1).difference_interval(0.0, np.zeros(50), 60, 300, 0.0)
    assert high == -low == pytest.approx(stats.t.ppf(0.975, 59) / 62)


def test_a_difference_is_covered_as_often_as_its_interval_says():
    random, covered = np.random.default_rng(8), 0
    for corpus in range(600):
        gains = random.choice([-1, 0, 1], 40, p=[0.03, 0.9, 0.07])
        bootstrap = Bootstrap(0.95, 300, corpus)
        totals = bootstrap.totals(sparse.csr_array(np.stack([gains, np.ones(40, int)], axis=1)))
        found = float(gains.mean())
        low, high = bootstrap.difference_interval(found, totals[:, 0] / 40, 40, 40, float((gains**2).mean()))
        assert low <= found <= high
        covered += low <= 0.04 <= high
    assert 0.92 <= covered / 600 <= 0.98


def test_with_too_few_documents_there_is_no_interval():
    bootstrap, few = Bootstrap(0.95, 10, 1), FEWEST_DOCUMENTS - 1
    low, high = bootstrap.share_interval(np.ones(2), np.ones((10, 2)), few, 9, 9)
    assert np.isnan(low).all() and np.isnan(high).all() and low.shape == (2,)
    assert np.isnan(bootstrap.mean_interval(1.0, np.ones(10), few)).all()
    assert np.isnan(bootstrap.difference_interval(0.1, np.ones(10), few, 9, 0.1)).all()


def test_a_share_of_no_text_has_no_interval_and_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        low, high = Bootstrap(0.95, 10, 1).share_interval(
            np.array([0.5, np.nan]), np.tile([0.5, np.nan], (10, 1)), 30, np.array([30, 0]), np.array([30, 0])
        )
    assert 0 < low[0] < high[0] < 1 and np.isnan([low[1], high[1]]).all()
