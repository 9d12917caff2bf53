"""What a classifier is compared with: a word list and single people, where labels come from ratings."""

import pytest


def test_a_classifier_of_rated_sentiment_is_compared_with_a_lexicon_and_one_rater(study):
    # Three raters each; the label is made from their mean, and the rater who is drawn agrees with the others or not.
    study.card["labels"] = ["negative", "neutral", "positive"]
    for number in range(30):
        study.text("neutral", human="positive", ratings=[3, 3, 3], text=f"This is wonderful, great and good {number}")
        study.text("neutral", human="negative", ratings=[-4, -4, -4], text=f"This is terrible, awful and bad {number}")
        # One of three disagrees with the others: right in two draws of three.
        study.text("neutral", human="positive", ratings=[4, 4, 0], text=f"The train leaves at {number}")
    quality = study.compute()["quality"].query("metric == 'accuracy'").set_index("method")["value"]
    assert quality["classifier"] == 0
    assert quality["lexicon"] == pytest.approx(2 / 3)
    assert quality["human"] == pytest.approx(8 / 9, abs=0.08)
    assert set(quality.index) == {"classifier", "majority", "lexicon", "human"}


def test_labels_that_are_not_mean_ratings_have_neither(study):
    study.text("good", human="good", ratings=[1, 2])
    study.text("good", human="bad", ratings=[1, 2])
    assert set(study.compute()["quality"]["method"]) == {"classifier", "majority"}
