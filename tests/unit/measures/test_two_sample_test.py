"""The two-sample test: it sees a difference, and finds one by chance as rarely as it should."""

import numpy as np
import pytest

from samizdat.measures.two_sample_test import tell_apart
from support.made_sentences import sentences, shuffled


def test_texts_are_told_apart_when_they_differ():
    real, other = sentences(200, 1), sentences(200, 2)
    alike = tell_apart(real, other, seed=3)
    assert 0.4 < alike.area < 0.6 and alike.p_value > 0.05
    broken = tell_apart(real, [shuffled(text, number) for number, text in enumerate(other)], seed=3)
    assert broken.area > 0.9 and broken.p_value == pytest.approx(1 / 1000)


def test_sets_that_any_model_separates_have_the_area_1():
    """Folds have unequal parts of both sets, and that doesn't lower the area."""
    for seed in range(4):
        assert tell_apart(sentences(20, 1), [f"zzz qqq xxx {number}" for number in range(20)], seed).area == 1


def test_texts_without_capitals_are_told_apart_from_texts_with_them():
    real = [text.capitalize() for text in sentences(100, 1)]
    assert tell_apart(real, sentences(100, 2), seed=3).p_value < 0.01


def test_chance_is_called_a_difference_as_often_as_it_should_be():
    values = [tell_apart(sentences(30, 2 * run), sentences(30, 2 * run + 1), seed=run).p_value for run in range(60)]
    # Under the null hypothesis p-values are even: 5 % of 60 is 3, and more than 10 has a chance of 1 in 4,000.
    assert sum(value <= 0.05 for value in values) <= 10
    assert 0.3 < np.mean(values) < 0.7
