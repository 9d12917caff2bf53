"""Samples compared with texts: a difference is claimed only where intervals do not overlap, with its size."""

import pandas as pd
import pytest

from samizdat.reporting import label_comparison
from support.reading import plain
from support.two_labels import divergence


def test_no_difference_found_is_no_claim_that_there_is_none(two_labels):
    vars(two_labels)["divergences"] = pd.DataFrame([divergence()])
    assert plain(label_comparison.opening(two_labels).markdown) == (
        "By the classifier “mood”, no difference was found: the label shares of the 50 samples begun with nothing are "
        "0.020 bits (0.010 to 0.030) away from those of the texts, and as many texts drawn at random are less "
        "than 0.050 bits away in 95 % of draws. There may still be a difference that is smaller than that."
    )


def test_a_difference_is_said_with_its_size_and_where_it_is_largest(two_labels):
    vars(two_labels)["divergences"] = pd.DataFrame([divergence(chance_bits=0.00001)])
    assert plain(label_comparison.opening(two_labels).markdown) == (
        "By the classifier “mood”, samples and texts differ: the label shares of the 50 samples begun with nothing are "
        "0.020 bits (0.010 to 0.030) away from those of the texts, more than the less than 0.0001 bits that chance "
        "explains. They are furthest apart in “good”, given to 0 % (-5 to 5 %) of the samples and 10 % (5 to 15 %) of "
        "the texts."
    )


@pytest.mark.parametrize(
    ("first", "last", "title"),
    [
        ((0.5, 0.6), (0.1, 0.2), "Training moves the samples nearer to the texts according to mood"),
        ((0.1, 0.2), (0.5, 0.6), "Training moves the samples away from the texts according to mood"),
        ((0.1, 0.3), (0.2, 0.4), "No classifier shows whether training moves the samples nearer to the texts"),
    ],
)
def test_a_course_is_claimed_only_where_intervals_do_not_overlap(two_labels, first, last, title):
    rows = [
        divergence(percent=percent, begun_with="prompts", low=low, high=high, jensen_shannon_bits=(low + high) / 2)
        for percent, (low, high) in ((10, first), (100, last))
    ]
    vars(two_labels)["divergences"] = pd.DataFrame(rows)
    assert label_comparison.by_training(two_labels).alternative_text.startswith(f"{title}. ")
