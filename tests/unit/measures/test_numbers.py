"""Means, quantiles and rank correlations of numbers, with intervals over documents."""

import numpy as np
import pytest
from scipy import stats

from samizdat.measures import numbers
from samizdat.measures.bootstrap import Bootstrap

BOOTSTRAP = Bootstrap(0.95, 500, 3)


def test_the_variance_of_a_mean_is_that_of_documents():
    values = np.random.default_rng(1).normal(size=200)
    mean, variance = numbers.mean_over_documents(values, np.arange(200))
    assert mean == pytest.approx(values.mean()) and variance == pytest.approx(values.var(ddof=1) / 200)
    # Texts that are repeated within documents say nothing new.
    repeated = numbers.mean_over_documents(values.repeat(5), np.arange(200).repeat(5))
    assert repeated == pytest.approx((mean, variance))


def test_spearman_is_that_of_scipy_with_ties_and_its_interval_that_of_fishers_transform():
    random = np.random.default_rng(2)
    left = random.integers(0, 8, 300).astype(float)
    right = np.rint(left + random.normal(0, 4, 300))
    value, low, high = numbers.spearman(left, right, np.arange(300), BOOTSTRAP, "a")
    assert value == pytest.approx(stats.spearmanr(left, right).statistic)
    # Bonett and Wright, Psychometrika 65, 2000: the variance of the transform is near (1 + r²/2) / (n − 3).
    width = 1.96 * np.sqrt((1 + value**2 / 2) / 297)
    assert (np.arctanh(high) - np.arctanh(low)) / 2 == pytest.approx(width, rel=0.12)
    # The same texts five times are no more documents.
    again = numbers.spearman(left.repeat(5), right.repeat(5), np.arange(300).repeat(5), BOOTSTRAP, "a")
    assert again == pytest.approx((value, low, high))


def test_what_leaves_nothing_to_resample_has_no_interval():
    counted = np.arange(30.0)
    assert numbers.spearman(counted, -counted, np.arange(30), BOOTSTRAP) == pytest.approx(
        (-1, np.nan, np.nan), nan_ok=True
    )
    assert np.isnan(numbers.spearman(counted, np.ones(30), np.arange(30), BOOTSTRAP)).all()
    few = np.arange(30) // 2
    assert np.isnan(numbers.spearman(counted, counted % 7, few, BOOTSTRAP)[1:]).all()
    assert np.isnan(numbers.quantile(counted, few, 0.5, BOOTSTRAP)[1:]).all()


def test_a_correlation_with_numbers_that_are_all_equal_is_not_defined_whatever_the_weights():
    counted = np.arange(37.0)
    for seed in range(20):
        weights = np.random.default_rng(seed).uniform(1e-3, 1e5, 37)
        assert np.isnan(numbers.spearman(counted, np.ones(37), np.arange(37), BOOTSTRAP, weights=weights)).all()
    weights = np.where(counted == 3, 1.0, 1e6)  # one number that differs is there, however rare
    value, _, _ = numbers.spearman(counted == 3, counted == 3, np.arange(37), BOOTSTRAP, weights=weights)
    assert value == pytest.approx(1)


def test_a_quantile_that_may_lie_beyond_the_numbers_has_no_interval():
    for share, number in ((0.05, 1.45), (0.95, 27.55)):
        found = numbers.quantile(np.arange(30.0), np.arange(30), share, BOOTSTRAP)
        assert found == pytest.approx((number, np.nan, np.nan), nan_ok=True)
    assert not np.isnan(numbers.quantile(np.arange(300.0), np.arange(300), 0.05, BOOTSTRAP)).any()


@pytest.mark.parametrize("of_one", [1, 10])
def test_intervals_of_quantiles_and_means_cover_the_truth(of_one):
    shares, truths = (0.05, 0.5, 0.95), stats.norm.ppf((0.05, 0.5, 0.95))
    hits, hits_of_mean, trials = np.zeros(3), 0, 100
    for seed in range(trials):
        random = np.random.default_rng(seed)
        owners = np.arange(100).repeat(of_one)
        # Half of the variance is between documents, so that their texts are alike.
        values = (random.normal(size=100)[owners] + random.normal(size=len(owners))) / np.sqrt(2)
        bootstrap = Bootstrap(0.95, 200, seed)
        found = [numbers.quantile(values, owners, share, bootstrap) for share in shares]
        hits += [low <= truth <= high for (_, low, high), truth in zip(found, truths, strict=True)]
        mean, variance = numbers.mean_over_documents(values, owners)
        low, high, _ = bootstrap.normal(mean, variance, 99)
        hits_of_mean += low <= 0 <= high
    # Of 400 trials 90 to 97 % hit: the least for the 95 % quantile of documents of ten texts.
    assert ((hits / trials > 0.87) & (hits / trials < 0.995)).all(), hits
    assert 0.9 < hits_of_mean / trials < 0.99
