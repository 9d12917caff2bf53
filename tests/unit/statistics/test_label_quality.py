"""Classifiers held against people: known answers, baselines and ceilings."""

import numpy as np
import pytest


def test_quality_is_measured_on_unseen_held_out_texts_with_labels(study):
    study.text("good", human="good")
    study.text("good", human="good")
    study.text("good", human="bad")
    study.text("bad", human="bad")
    study.text("bad", human="bad")
    study.text("bad", human="good", split="train")
    study.text("bad", human="good", split="train")
    study.text("bad", human="good", seen=True)
    study.text("good", human=None)
    found = study.compute()
    quality = found["quality"].set_index(["method", "metric"])
    overall = quality[quality["label"].isna()]
    assert overall.loc[("classifier", "accuracy"), "value"] == 0.8
    assert overall.loc[("classifier", "macro_f1"), "value"] == pytest.approx(0.8)
    assert overall.loc[("majority", "accuracy"), "value"] == 0.4  # “good”, as in the train split
    assert overall.loc[("majority", "macro_f1"), "value"] == pytest.approx(2 / 7)
    assert set(quality["texts"]) == {5}
    counts = found["confusion"].set_index(["human", "predicted"])["count"]
    assert counts.to_dict() == {("bad", "bad"): 2, ("bad", "good"): 1, ("good", "bad"): 0, ("good", "good"): 2}


def test_label_map_renames_before_comparing(study):
    study.card |= {"labels": ["LABEL_0", "LABEL_1"], "label_map": {"LABEL_0": "bad", "LABEL_1": "good"}}
    study.text("LABEL_1", human="good")
    study.text("LABEL_0", human="bad")
    found = study.compute()
    assert found["quality"].set_index(["method", "metric"]).loc[("classifier", "accuracy"), "value"].max() == 1
    assert set(found["confusion"]["predicted"]) == {"bad", "good"}
    assert set(found["label_shares"]["label"]) == {"LABEL_0", "LABEL_1"}


def test_calibration_compares_probability_with_how_often_it_is_right(study):
    for number in range(10):
        study.text("good", human="good" if number < 6 else "bad", confidence=0.95)
        study.text("bad", human="bad" if number < 5 else "good", confidence=0.55)
    found = study.compute()
    rows = found["calibration"].set_index("from")
    assert list(rows.index) == [0.5, 0.9] and list(rows["texts"]) == [10, 10]
    np.testing.assert_allclose(rows["confidence"], [0.55, 0.95], atol=1e-6)
    np.testing.assert_allclose(rows["accuracy"], [0.5, 0.6])
    assert (rows["low"] < rows["accuracy"]).all() and (rows["accuracy"] < rows["high"]).all()
    error = found["quality"].set_index("metric").loc["calibration_error"]
    assert error["value"] == pytest.approx((0.05 + 0.35) / 2, abs=1e-6)
    assert error["low"] < error["value"] < error["high"]


def test_lexicon_and_one_rater_stand_beside_a_classifier_of_rated_sentiment(study):
    # Three raters each; the label is the cut mean, and the rater who is drawn sees it as the others do or not.
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


def test_labels_that_are_no_cut_ratings_have_neither(study):
    study.text("good", human="good", ratings=[1, 2])
    study.text("good", human="bad", ratings=[1, 2])
    assert set(study.compute()["quality"]["method"]) == {"classifier", "majority"}
