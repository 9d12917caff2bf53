"""Calibration, and the texts that a classifier is most and least certain of."""

import numpy as np
import pytest


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


def test_most_and_least_certain_texts_are_named(study):
    for number in range(8):
        study.text("good", confidence=0.6 + number / 25)
        study.text("bad", confidence=0.51 + number / 25)
    study.text("bad", confidence=0.999, seen=True)
    rows = study.compute()["examples"]
    least = rows[rows["certainty"] == "least"]
    np.testing.assert_allclose(least["probability"], [0.51, 0.55, 0.59, 0.6, 0.63], atol=1e-6)
    most = rows[rows["certainty"] == "most"].groupby("label")["probability"].max()
    np.testing.assert_allclose([most["good"], most["bad"]], [0.88, 0.79], atol=1e-6)
    assert set(least["runner_up"]) == {"good", "bad"} and "0000000000000016" not in set(rows["id"])
