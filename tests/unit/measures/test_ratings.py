"""Sentiment labels from mean ratings."""

import pytest

from samizdat.measures.ratings import sentiment


@pytest.mark.parametrize(
    ("mean", "label"), [(-0.6, "negative"), (-0.5, "neutral"), (0, "neutral"), (0.5, "neutral"), (0.51, "positive")]
)
def test_a_mean_rating_is_cut_at_half_a_point(mean, label):
    assert sentiment(mean) == label
