"""Agreement of a classifier with people: known answers."""

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
