"""Samples in strata: known answers, and intervals that cover the truth as often as they say."""

import numpy as np
import pytest

from samizdat.measures.stratified import allocate, half_width, rows_for, weighted_ratio


def test_rare_strata_are_drawn_more_than_in_proportion():
    sizes = np.array([10_000, 100, 3])
    taken = allocate(sizes, 110)
    assert taken.sum() == 110 and taken[2] == 3 and taken[0] > taken[1] >= 9
    assert allocate(sizes, 20_000).tolist() == sizes.tolist()
    assert allocate(np.array([50, 50, 50]), 7).tolist() == [3, 2, 2]
    for rows in range(15, 140):
        assert allocate(np.array([60, 60, 20]), rows).sum() == rows


def test_the_rows_for_an_interval_are_those_of_the_formula():
    # Of one stratum that never ends: (1.96 / 0.05)² / 4 = 384.1; with 1,000 texts n / (1 + (n − 1) / N) by hand.
    assert rows_for(np.array([10**9]), 0.05, 0.95) == 385
    assert rows_for(np.array([1000]), 0.05, 0.95) == 278
    sizes = np.array([9000, 800, 200])
    rows = rows_for(sizes, 0.05, 0.95)
    assert half_width(sizes, allocate(sizes, rows), 0.95) <= 0.05 < half_width(sizes, allocate(sizes, rows - 1), 0.95)


def test_an_estimate_weighs_each_stratum_by_its_size():
    strata = np.repeat([0, 1], 20)
    right = np.array([1.0] * 18 + [0.0] * 2 + [1.0] * 10 + [0.0] * 10)
    value, low, high = weighted_ratio(right, np.ones(40), strata, np.array([900, 100]), 0.95)
    assert value == pytest.approx(0.9 * 0.9 + 0.1 * 0.5)
    # Wilson's bounds of 18 and of 10 of 20 with t = 2.024 of 38 degrees of freedom, combined by hand.
    bounds = [(0.691889, 0.972774), (0.296069, 0.703931)]
    left = [0.81 * (1 - 20 / 900), 0.01 * (1 - 20 / 100)]
    for found, place in ((low, 0), (high, 1)):
        distance = sum(one * (p - ends[place]) ** 2 for one, p, ends in zip(left, (0.9, 0.5), bounds, strict=True))
        assert abs(found - 0.86) == pytest.approx(distance**0.5, abs=1e-3)


def test_a_large_stratum_of_like_rows_leaves_the_doubt_that_it_has():
    # All 44 rows of a stratum with 99 % of the texts are right, and 4 of 5 of a small one: 44 of 44 alone is 92 to 100.
    strata = np.repeat([0, 1], [44, 5])
    right = np.array([1.0] * 48 + [0.0])
    value, low, high = weighted_ratio(right, np.ones(49), strata, np.array([990, 10]), 0.95)
    assert value == pytest.approx(0.99 + 0.01 * 0.8) and 0.9 < low < 0.93 and value < high <= 1


def test_ends():
    strata = np.zeros(30, int)
    value, low, high = weighted_ratio(np.ones(30), np.ones(30), strata, np.array([3000]), 0.95)
    assert value == high == 1 and 0.85 < low < 0.89  # Wilson's of 30 of 30 is 0.886, with Student's t less
    assert weighted_ratio(np.ones(30), np.ones(30), strata, np.array([30]), 0.95) == (
        1,
        1,
        1,
    )  # nothing is left to know
    assert np.isnan(weighted_ratio(np.zeros(30), np.zeros(30), strata, np.array([99]), 0.95)).all()


def drawn_from(sizes, taken, random):
    """Draw so many rows of each stratum, which are one behind the other."""
    strata = zip(np.cumsum(sizes) - sizes, sizes, taken, strict=True)
    return np.concatenate([start + random.choice(size, number, replace=False) for start, size, number in strata])


@pytest.mark.parametrize("rates", [(0.9, 0.5, 0.2), (0.97, 0.95, 0.99), (0.6, 0.55, 0.7), (0.995, 0.5, 0.1)])
def test_intervals_cover_the_truth(rates):
    """Of 400 drawings: a 95 % interval that covers less than 92 % of them has a chance of 0.3 %."""
    random = np.random.default_rng(1)
    sizes = np.array([3000, 600, 200])
    owners = np.repeat([0, 1, 2], sizes)
    right = random.random(len(owners)) < np.array(rates)[owners]
    taken = allocate(sizes, 120)
    covered = recalled = 0
    small = owners > 0  # of the right texts, those of the two small strata: a share like recall
    for _ in range(400):
        rows = drawn_from(sizes, taken, random)
        _, low, high = weighted_ratio(right[rows].astype(float), np.ones(len(rows)), owners[rows], sizes, 0.95)
        covered += low <= right.mean() <= high
        _, low, high = weighted_ratio(1.0 * (right & small)[rows], 1.0 * right[rows], owners[rows], sizes, 0.95)
        recalled += low <= (right & small).sum() / right.sum() <= high
    assert covered / 400 >= 0.92 and recalled / 400 >= 0.92


@pytest.mark.parametrize("rows", [160, 500])
def test_intervals_cover_the_truth_where_there_are_many_strata_of_few_rows(rows):
    random = np.random.default_rng(2)
    sizes = random.integers(8, 60, 80)
    owners = np.repeat(np.arange(80), sizes)
    right = random.random(len(owners)) < random.uniform(0.3, 0.8, 80)[owners]
    taken, covered = allocate(sizes, rows), 0
    for _ in range(400):
        drawn = drawn_from(sizes, taken, random)
        _, low, high = weighted_ratio(right[drawn].astype(float), np.ones(len(drawn)), owners[drawn], sizes, 0.95)
        covered += low <= right.mean() <= high
    assert covered / 400 >= 0.92
