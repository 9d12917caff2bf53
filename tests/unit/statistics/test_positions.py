"""How labels and numbers change through long documents: known answers, and how often a change is found by chance."""

import numpy as np
import pandas as pd
import pytest

from samizdat.measures.bootstrap import Bootstrap
from samizdat.measures.numbers import slope_within_documents
from samizdat.statistics.positions import positions
from support.other_kinds import card_of

BOOTSTRAP = Bootstrap(0.95, 200, 3)


def documents_of(*sizes: int) -> pd.DataFrame:
    """Make texts of documents with so many texts each, in the order of a corpus."""
    owners = np.repeat(np.arange(len(sizes)), sizes)
    keys = [f"{number:05d}" for number in range(len(owners))]
    return pd.DataFrame({"id": keys, "document": [f"document {one}" for one in owners]})


def single(corpus: pd.DataFrame, predicted, judged=slice(None)) -> tuple[list, list]:
    card = card_of(name="tone", kind="single_label", labels=["good", "bad"])
    texts = corpus.assign(predicted=predicted)[judged]
    return positions({"tone": card}, corpus, {"tone": texts}, BOOTSTRAP)


def test_each_label_is_counted_in_fifths_of_documents_and_its_change_measured():
    corpus = documents_of(*[10] * 30)
    predicted = ["good"] * 5 + ["bad"] * 5
    parts, changes = single(corpus, predicted * 30)
    shares = {(row["label"], row["part"]): (row["texts"], row["value"]) for row in parts}
    assert [shares["good", part] for part in range(1, 6)] == [(60, 1), (60, 1), (60, 0.5), (60, 0), (60, 0)]
    assert len(shares) == 10 and all(0 <= row["low"] <= row["value"] <= row["high"] <= 1 for row in parts)
    place = np.arange(10) / 9
    slope = np.polyfit(place, [1] * 5 + [0] * 5, 1)[0]
    found = {row["label"]: row for row in changes}
    assert found["good"]["value"] == pytest.approx(slope) == pytest.approx(-found["bad"]["value"])
    assert (found["good"]["documents"], found["good"]["texts"]) == (30, 300)


def test_places_are_those_among_all_texts_of_a_document_and_short_documents_are_left_out():
    corpus = documents_of(*[10] * 30, *[4] * 30)
    last = np.tile(np.arange(10) >= 5, 30)
    judged = np.concatenate([last, np.ones(120, bool)])
    predicted = np.where(np.arange(len(corpus)) % 2, "good", "bad")
    parts, changes = single(corpus, predicted, judged)
    assert {row["part"] for row in parts} == {3, 4, 5}
    assert {(row["documents"], row["texts"]) for row in changes} == {(30, 150)}


def test_differences_between_documents_are_no_change():
    corpus = documents_of(*[6] * 20, *[30] * 20)
    _, changes = single(corpus, ["good"] * 120 + ["bad"] * 600)
    assert all(row["value"] == pytest.approx(0, abs=1e-12) for row in changes)


def test_too_few_long_documents_give_nothing():
    assert single(documents_of(*[10] * 19), ["good", "bad"] * 95) == ([], [])
    assert single(documents_of(*[4] * 100), ["good", "bad"] * 200) == ([], [])


def test_a_label_that_all_or_none_have_is_left_out():
    assert single(documents_of(*[10] * 30), ["good"] * 300) == ([], [])


def test_several_labels_and_numbers_are_followed_too():
    corpus, random = documents_of(*[10] * 40), np.random.default_rng(1)
    rising = np.tile(np.arange(10) / 9, 40)
    mood, level = card_of(name="moods"), card_of(name="level", kind="number", labels=[])
    judged = {
        "moods": corpus.assign(labels=[["anger", "joy"] if one > 0.5 else ["joy"] for one in rising]),
        "level": corpus.assign(number=3 + 2 * rising + random.normal(0, 0.1, 400)),
    }
    parts, changes = positions({"moods": mood, "level": level}, corpus, judged, BOOTSTRAP)
    assert [(row["classifier"], row["label"]) for row in changes] == [("moods", "anger"), ("level", None)]
    number = changes[1]
    assert number["low"] < 2 < number["high"] and number["value"] == pytest.approx(2, abs=0.05)
    assert number["p_holm"] == pytest.approx(2 * number["p_value"]) or number["p_holm"] < 1e-12
    of_number = [row["value"] for row in parts if row["label"] is None]
    assert of_number == pytest.approx([3 + 2 * (2 * part + 0.5) / 9 for part in range(5)], abs=0.05)


@pytest.mark.parametrize("documents", [20, 200])
@pytest.mark.parametrize("share", [0.03, 0.3])
def test_where_nothing_changes_a_change_is_rarely_found_and_intervals_have_the_truth(documents, share):
    """Documents differ in their lengths and in how often they have the label, and neighbours are alike."""
    random, found, trials = np.random.default_rng(7), 0, 400
    for _ in range(trials):
        sizes = random.integers(5, 40, documents)
        owners = np.repeat(np.arange(documents), sizes)
        own = random.beta(2 * share, 2 * (1 - share), documents)[owners]
        alike = random.random(len(owners)) < 0.3
        values = (random.random(len(owners)) < own).astype(float)
        values[1:] = np.where(alike[1:] & (owners[1:] == owners[:-1]), values[:-1], values[1:])
        places = np.concatenate([np.arange(size) / (size - 1) for size in sizes])
        slope, variance, used = slope_within_documents(places, values, owners)
        assert used == documents
        low, high, p_value = BOOTSTRAP.normal(slope, variance, documents - 1)
        assert (p_value <= 0.05) == (low > 0 or high < 0) or variance == 0
        found += p_value <= 0.05
    # 5 % and three standard errors; with few documents and a rare label the test finds less.
    assert found / trials <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / trials)


def test_a_change_that_is_there_is_found_with_its_size():
    random, inside = np.random.default_rng(8), 0
    for _ in range(200):
        sizes = random.integers(5, 40, 100)
        owners = np.repeat(np.arange(100), sizes)
        places = np.concatenate([np.arange(size) / (size - 1) for size in sizes])
        values = (random.random(len(owners)) < 0.3 + 0.2 * places).astype(float)
        slope, variance, _ = slope_within_documents(places, values, owners)
        low, high, _ = BOOTSTRAP.normal(slope, variance, 99)
        inside += low <= 0.2 <= high
    assert 0.9 <= inside / 200 <= 0.99


@pytest.mark.parametrize("size", [21, 22, 37])
def test_what_is_as_frequent_at_ends_as_at_beginnings_of_all_documents_does_not_change(size):
    corpus = documents_of(*[size] * 30)
    _, changes = single(corpus, (["good"] + ["bad"] * (size - 2) + ["good"]) * 30)
    assert [(row["value"], row["p_value"]) for row in changes] == [(0, 1), (0, 1)]
