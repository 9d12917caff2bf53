"""One label from several ratings or labels."""

import pytest

from samizdat.measures.ratings import most_frequent, sentiment


@pytest.mark.parametrize(
    ("mean", "label"), [(-0.6, "negative"), (-0.5, "neutral"), (0, "neutral"), (0.5, "neutral"), (0.51, "positive")]
)
def test_a_mean_rating_is_cut_at_half_a_point(mean, label):
    assert sentiment(mean) == label


@pytest.mark.parametrize(
    ("labels", "label"), [("aab", "a"), ("abb", "b"), ("a", "a"), ("ab", None), ("aabbc", None), ("", None)]
)
def test_the_most_frequent_label_counts_if_it_is_one(labels, label):
    assert most_frequent(list(labels)) == label
