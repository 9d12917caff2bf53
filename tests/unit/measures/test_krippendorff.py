"""Krippendorff's alpha: the examples of Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011."""

import numpy as np
import pytest

from samizdat.measures import krippendorff

# Rows are observers, columns units; a point is missing.
TWO_BINARY = ("0100000010", "1110010000")
TWO_NOMINAL = ("aabbdcccedda", "babbbccceddd")
FOUR = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")


def alpha(observers, distances_of):
    units = [[one for one in unit if one != "."] for unit in zip(*observers, strict=True)]
    values = sorted({one for unit in units for one in unit})
    counts = np.array([[unit.count(value) for value in values] for unit in units if len(unit) > 1])
    distances = distances_of(values)
    return krippendorff.alpha(krippendorff.disagreements(counts, distances).sum(), counts.sum(axis=0), distances)


@pytest.mark.parametrize(
    ("observers", "distances", "known"),
    [
        (TWO_BINARY, lambda values: krippendorff.nominal(len(values)), 0.095),
        (TWO_NOMINAL, lambda values: krippendorff.nominal(len(values)), 0.692),
        (FOUR, lambda values: krippendorff.nominal(len(values)), 0.743),
        (FOUR, lambda values: krippendorff.interval(np.array(values, float)), 0.849),
    ],
)
def test_alpha_is_that_of_the_examples(observers, distances, known):
    assert alpha(observers, distances) == pytest.approx(known, abs=0.0006)


def test_alpha_of_one_value_alone_is_not_defined():
    assert np.isnan(alpha(("aaa", "aaa"), lambda values: krippendorff.nominal(len(values))))
