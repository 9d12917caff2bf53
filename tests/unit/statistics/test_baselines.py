"""What a classifier is compared with: a word list and single people, where labels come from ratings."""

import numpy as np
import pytest

from samizdat.measures.bootstrap import FEWEST_DOCUMENTS


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


def test_raters_of_labels_are_compared_with_each_other(study):
    # Of three raters one disagrees in 150 of 600 texts. Where that one is drawn, it is wrong; where another is, the
    # others give no label most often.
    for number in range(300):
        third = "bad" if number % 2 else "good"
        study.text("good", human="good", raters=["good", "good", third], document=f"d{number}")
        study.text("bad", human="bad", raters=["bad"] * 3, document=f"d{number}")
    quality = study.compute()["quality"].set_index(["method", "metric"])
    human = quality.loc[("human", "accuracy")]
    assert 450 < human["texts"] < 550 and human["value"] == pytest.approx(1 - 50 / 500, abs=0.04)
    # Observed: 150 texts with 4 unequal ordered pairs over 3 − 1, of 1,800 labels. By chance: 1,050 and 750 of 1,800.
    observed, by_chance = 150 * 4 / 2 / 1800, 2 * 1050 * 750 / 1800 / 1799
    alpha = quality.loc[("raters", "krippendorff_alpha")]
    assert alpha["texts"] == 600 and alpha["value"] == pytest.approx(1 - observed / by_chance, abs=1e-6)
    assert alpha["low"] < alpha["value"] < alpha["high"] < alpha["low"] + 0.1
    assert "lexicon" not in quality.index.get_level_values("method")


def test_two_raters_who_differ_count_though_their_texts_have_no_label_or_none_by_the_classifier(study):
    for number in range(60):
        study.text("good" if number % 3 else None, human="good", raters=["good", "good"])
        study.text("bad" if number % 3 else None, human=None, raters=["good", "bad"])
    quality = study.compute()["quality"].set_index(["method", "metric"])
    assert quality.loc[("classifier", "accuracy"), "texts"] == 40
    human = quality.loc[("human", "accuracy")]
    assert (human["texts"], human["value"]) == (120, 0.5)
    # Observed: 60 texts with 2 unequal ordered pairs, of 240 labels. By chance: 180 and 60 of 240.
    alpha = quality.loc[("raters", "krippendorff_alpha")]
    assert (alpha["texts"], alpha["value"]) == (
        120,
        pytest.approx(1 - 120 / 240 / (2 * 180 * 60 / 240 / 239), abs=1e-6),
    )


@pytest.mark.parametrize("documents", [1, FEWEST_DOCUMENTS - 1, FEWEST_DOCUMENTS])
def test_alpha_has_an_interval_from_the_fewest_documents_on(study, documents):
    for number in range(100):
        ratings = [[3, 3, 1], [-2, -3, 1], [0, 1, 0]][number % 3]
        human = ["positive", "negative", "neutral"][number % 3]
        study.text("good", human=human, ratings=ratings, document=f"d{number % documents}")
    study.card["labels"] = ["good", "positive", "negative", "neutral"]
    rows = study.compute()["quality"].query("method == 'raters'").set_index("metric")
    assert list(rows.index) == ["krippendorff_alpha", "krippendorff_alpha_ratings"]
    assert rows["low"].notna().all() == (documents == FEWEST_DOCUMENTS)
    # Ratings that are near each other count as nearly agreeing.
    assert rows["value"].iloc[0] < rows["value"].iloc[1] < 1


def test_the_alpha_of_raters_who_all_say_the_same_is_not_defined(study):
    for _ in range(30):
        study.text("good", human="good", raters=["good", "good"])
    (alpha,) = study.compute()["quality"].query("method == 'raters'").to_dict("records")
    assert (alpha["metric"], alpha["texts"]) == ("krippendorff_alpha", 30)
    assert np.isnan([alpha["value"], alpha["low"], alpha["high"]]).all()


def test_labels_that_are_not_mean_ratings_have_neither(study):
    study.text("good", human="good", ratings=[1, 2])
    study.text("good", human="bad", ratings=[1, 2])
    assert set(study.compute()["quality"]["method"]) == {"classifier", "majority"}
