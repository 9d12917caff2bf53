"""Agreement of a classifier with people: known answers."""

import tracemalloc
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from samizdat.measures.bootstrap import FEWEST_DOCUMENTS, Bootstrap
from samizdat.statistics.agreement import agreement
from samizdat.statistics.raters import alpha_of, kappa


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
    assert counts.to_dict() == {("bad", "bad"): 2, ("bad", "good"): 1, ("good", "good"): 2}


def test_a_classifier_is_better_than_a_baseline_by_a_paired_difference(study):
    study.text("good", human="good", split="train")
    for number in range(60):
        study.text("good", human="good")
        study.text("bad" if number % 3 else "good", human="bad")
    quality = study.compute()["quality"].set_index(["method", "metric"])
    gain = quality.loc[("classifier", "accuracy_above_majority")]
    assert gain["value"] == pytest.approx(1 / 3)
    # Only where the two differ they can change their difference: 1.645 · √(p (1 − p) / n) with p = 1/3 and 90 %.
    assert (gain["high"] - gain["low"]) / 2 == pytest.approx(1.645 * np.sqrt(2 / 9 / 120), rel=0.15)


@pytest.mark.parametrize("documents", [1, 3, FEWEST_DOCUMENTS - 1])
def test_with_too_few_documents_there_is_a_value_and_no_interval(study, documents):
    for number in range(200):
        study.text("good", human="good" if number % 2 else "bad", document=f"d{number % documents}")
    found = study.compute()
    quality = found["quality"]
    assert quality["value"].notna().all() and quality[["low", "high", "chance", "p_value"]].isna().all(axis=None)
    assert found["calibration"][["low", "high"]].isna().all(axis=None)


def test_a_coin_is_as_rarely_called_better_than_the_baseline_as_the_level_says(study):
    """150 corpora of 20 to 60 documents with one or three texts, whose labels are drawn with a share of their own."""
    random = np.random.default_rng(4)
    card = SimpleNamespace(name="coin", labels=["a", "b"], label_map={}, label_column="h")
    called = 0
    for corpus in range(150):
        documents, texts = random.integers(FEWEST_DOCUMENTS, 60), random.choice([1, 3])
        owners = np.repeat(np.arange(documents), texts)
        human = random.random(len(owners)) < random.random(documents)[owners]
        frame = pd.DataFrame(
            {"id": np.arange(len(owners)).astype(str), "document": owners, "split": "test", "text": "x",
             "ratings": None, "raters": None,
             "label_h": np.where(human, "a", "b"), "predicted": random.choice(["a", "b"], len(owners)),
             "confidence": 0.9}
        )  # fmt: skip
        learned = frame.assign(split="train", label_h=random.choice(["a", "b"]))
        rows = agreement(card, learned, frame, "label_h", Bootstrap(0.95, 300, corpus))["quality"]
        (gain,) = [row for row in rows if row["metric"] == "accuracy_above_majority"]
        called += gain["p_value"] <= 0.05
    assert called / 150 <= 0.07


@pytest.mark.parametrize(("rare", "shown"), [(4, False), (5, True)])
def test_macro_f1_has_an_interval_from_ten_times_that_each_label_was_given(study, rare, shown):
    for number in range(60):
        label = "bad" if number < rare else "good"
        study.text(label, human=label)
    rows = study.compute()["quality"].set_index(["method", "metric", "label"])
    assert pd.notna(rows.loc[("classifier", "macro_f1", None), "low"]) == shown
    assert pd.notna(rows.loc[("classifier", "accuracy", None), "low"])


def test_memory_does_not_grow_with_the_square_of_the_labels():
    random = np.random.default_rng(3)
    labels = [f"author {number}" for number in range(200)]
    human = random.choice(labels, 1000)
    predicted = np.where(random.random(1000) < 0.7, human, random.choice(labels, 1000))
    texts = pd.DataFrame({"id": range(1000), "document": range(1000), "split": "test", "label_h": human,
                          "predicted": predicted, "confidence": 0.7, "ratings": None, "raters": None})  # fmt: skip
    card = SimpleNamespace(name="authors", labels=labels)
    tracemalloc.start()
    found = agreement(card, texts, texts, "label_h", Bootstrap(0.95, 1000, 1))
    pair = kappa(texts, ("label_h", "predicted"), labels, Bootstrap(0.95, 1000, 1), "kappa")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 150_000_000 and len(found["confusion"]) < 2 * len(texts)  # one author is not among these texts
    # Labels are so many that hardly any is equal by chance.
    assert pair["low"] < pair["value"] < pair["high"] and pair["value"] == pytest.approx(0.7, abs=0.04)


def test_alpha_of_many_labels_takes_no_table_of_texts_and_labels():
    random = np.random.default_rng(3)
    labels = [f"author {number}" for number in range(400)]
    first = random.choice(labels, 20_000)
    second = np.where(random.random(20_000) < 0.7, first, random.choice(labels, 20_000))
    texts = pd.DataFrame({"document": range(20_000)})
    tracemalloc.start()
    (found,) = alpha_of("alpha", texts, [*zip(first, second, strict=True)], Bootstrap(0.95, 100, 1))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found["value"] == pytest.approx(0.7, abs=0.02) and found["low"] < found["value"] < found["high"]
    assert most < 100_000_000
