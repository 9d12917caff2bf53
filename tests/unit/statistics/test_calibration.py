"""Calibration, and the texts that a classifier is most and least certain of."""

import numpy as np
import pandas as pd
import pytest

from samizdat.measures.bootstrap import Bootstrap
from samizdat.statistics.calibration import calibration


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
    assert error["p_value"] < 0.1 and error["chance"] < error["value"] and np.isnan(error["low"])
    gap = found["quality"].set_index("metric").loc["confidence_gap"]
    assert gap["value"] == pytest.approx(0.75 - 0.55) and gap["low"] < gap["value"] < gap["high"] < 0.5


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


@pytest.mark.parametrize(("documents", "texts"), [(50, 1), (300, 1), (30, 10)])
def test_a_calibrated_classifier_is_as_rarely_called_wrong_as_the_level_says(documents, texts):
    """400 corpora; the texts of a document are right and wrong together in half of the cases."""
    random = np.random.default_rng(3)
    called = 0
    for corpus in range(400):
        owners = np.repeat(np.arange(documents), texts)
        confidence = random.uniform(0.5, 1, len(owners))
        alike = random.random(len(owners)) < 0.5
        luck = np.where(alike, random.random(documents)[owners], random.random(len(owners)))
        human = np.where(luck < confidence, "a", "b")
        frame = pd.DataFrame({"document": owners, "predicted": "a", "human": human, "confidence": confidence})
        _, (error, _) = calibration(frame, "human", Bootstrap(0.95, 200, corpus))
        called += error["p_value"] <= 0.05
    assert called / 400 <= 0.07


def test_overconfidence_in_documents_of_several_texts_is_found_and_chance_grows_with_their_likeness():
    random = np.random.default_rng(5)
    owners, confidence = np.repeat(np.arange(100), 10), random.uniform(0.5, 1, 1000)
    together = random.random(100)[owners]  # the texts of a document are right together

    def error(luck, less=0.0):
        human = np.where(luck < confidence - less, "a", "b")
        frame = pd.DataFrame({"document": owners, "predicted": "a", "human": human, "confidence": confidence})
        return calibration(frame, "human", Bootstrap(0.95, 400, 1))[1][0]

    alone = error(random.random(1000))
    # A document has about two texts in each of five bins, so the variance of a bin is about twice that of texts alone,
    # and all bins err in one direction.
    assert 1.5 < error(together)["chance"] / alone["chance"] < 2.6
    assert alone["p_value"] > 0.05 and error(random.random(1000), 0.15)["p_value"] < 0.01
