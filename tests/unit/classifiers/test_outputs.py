"""The kinds of classifiers: how each is found, how its logits become scores, and what these say of a text."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertConfig, pipeline

from samizdat.base.device import Device
from samizdat.base.errors import UserError
from samizdat.classifiers import outputs
from samizdat.classifiers.import_classifier import import_classifier
from samizdat.records.classifiers import ClassifierCard
from samizdat.records.io import read_document
from support import small_classifier
from support.hub_fixtures import DESCRIPTION, change_config
from support.small_scoring import rows, run, sentences


def config_of(number: int, problem_type: str | None = None) -> BertConfig:
    names = {place: f"label {place}" for place in range(number)}
    return BertConfig(id2label=names, label2id={}, problem_type=problem_type)


@pytest.mark.parametrize(
    ("said", "number", "wanted", "kind"),
    [
        ("single_label_classification", 3, None, "single_label"),
        ("multi_label_classification", 3, None, "multi_label"),
        ("regression", 1, None, "number"),
        ("regression", 1, "number", "number"),
        (None, 3, "single_label", "single_label"),
        (None, 1, "multi_label", "multi_label"),
        (None, 1, "number", "number"),
    ],
)
def test_the_kind_is_what_the_checkpoint_or_the_config_says(said, number, wanted, kind):
    assert outputs.find_kind(config_of(number, said), wanted, "here", "mood") == kind


@pytest.mark.parametrize(
    ("said", "number", "wanted", "words"),
    [
        (None, 3, None, ["what its 3 outputs mean", "`kind: single_label`", "`kind: multi_label`"]),
        (None, 1, None, ["what its 1 outputs mean", "`kind: number`"]),
        ("multi_label_classification", 3, "single_label", ["has `kind: single_label`", "of the kind multi_label"]),
        ("regression", 3, None, ["gives one number", "has 3 outputs"]),
        (None, 1, "single_label", ["two labels or more", "has 1 outputs"]),
    ],
)
def test_a_kind_is_never_guessed(said, number, wanted, words):
    with pytest.raises(UserError) as error:
        outputs.find_kind(config_of(number, said), wanted, "here", "mood")
    for part in ["'mood'", "What to do:", *words]:
        assert part in str(error.value)


def imported(folder, kind, *, labels=small_classifier.LABELS, **changes):
    """Import a small checkpoint of a kind as the stage does; return its folder."""
    source = small_classifier.make_classifier(folder / "source", labels=labels)
    change_config(source, problem_type=outputs.PROBLEM_TYPES[kind])
    import_classifier(
        replace(DESCRIPTION, **{"kind": None} | changes), str(source), None, (), {}, None, 24,
        folder / "imported", folder / "work",
    )  # fmt: skip
    return folder / "imported"


@pytest.mark.parametrize(("kind", "labels"), [("multi_label", ("bad", "fine", "good")), ("number", ("size",))])
def test_scores_are_those_of_the_pipeline(kind, labels, tmp_path):
    thresholds = dict(zip(labels, (0.53, 0.56, 0.57), strict=False))  # near the middle of what random weights give
    folder = imported(tmp_path, kind, labels=labels, threshold=thresholds)
    texts = sentences(40, longest=12)
    scored = rows(run(folder, texts, tmp_path / "scores")[1])
    classify = pipeline("text-classification", model=str(folder), top_k=None)
    expected = [{one["label"]: one["score"] for one in found} for found in classify(texts)]
    if kind == "number":
        np.testing.assert_allclose([row["number"] for row in scored], [one["size"] for one in expected], atol=1e-5)
        assert all(row["label"] is row["labels"] is row["probabilities"] is row["reason"] is None for row in scored)
        return
    given = [[one[label] for label in labels] for one in expected]
    np.testing.assert_allclose([row["probabilities"] for row in scored], given, atol=1e-5)
    said = [[label for label in labels if one[label] >= thresholds[label]] for one in expected]
    assert [row["labels"] for row in scored] == said
    assert {len(one) for one in said} >= {0, 1, 2} and all(row["label"] is None for row in scored)
    reasons = [row["reason"] for row in scored]
    assert reasons == [None if one else outputs.BELOW_THRESHOLD for one in said]


def test_thresholds_and_joined_labels_decide_without_a_new_score(tmp_path):
    folder = imported(tmp_path, "multi_label")
    texts = sentences(40)
    own = np.array([row["probabilities"] for row in rows(run(folder, texts, tmp_path / "scores")[1])])
    card = read_document(ClassifierCard, folder / "card.json").__dict__
    changes = {"label_map": {"bad": "other", "good": "other"}, "labels": ["other", "fine"],
               "threshold": {"other": 0.57, "fine": 0.56}}  # fmt: skip
    joining = ClassifierCard(**card | changes)
    joined = outputs.joined_scores(joining, own.astype(np.float32))
    np.testing.assert_allclose(joined, np.stack([own[:, [0, 2]].max(axis=1), own[:, 1]], axis=1))
    found = outputs.decisions(joining, joined, np.arange(40) > 0, 0.99)
    assert found["labels"][0] is None and found["reason"][0] == outputs.UNREADABLE
    expected = [
        [name for name, there in (("other", max(one[0], one[2]) >= 0.57), ("fine", one[1] >= 0.56)) if there]
        for one in own[1:]
    ]
    assert found["labels"][1:] == expected and {len(one) for one in expected} == {0, 1, 2}


@pytest.mark.parametrize(
    ("kind", "labels", "changes", "words"),
    [
        (
            "multi_label",
            small_classifier.LABELS,
            {"threshold": {"bad": 0.5, "goof": 0.1}},
            ["['fine', 'good']", "['goof']"],
        ),
        ("number", ("size",), {"label_map": {"size": "x"}}, ["gives a number"]),
    ],
)
def test_what_a_kind_cannot_have_is_refused(kind, labels, changes, words, tmp_path):
    with pytest.raises(UserError) as error:
        imported(tmp_path, kind, labels=labels, **changes)
    for part in ["'tested'", "What to do:", *words]:
        assert part in str(error.value)


def test_only_a_single_label_is_computed_in_the_fastest_format_by_itself():
    fast = Device("cpu", "cpu", "bfloat16", int8=False)
    cards = {kind: SimpleNamespace(kind=kind, hypotheses=[], words=[]) for kind in outputs.PROBLEM_TYPES}
    formats = {kind: outputs.number_format(card, fast, "auto") for kind, card in cards.items()}
    assert formats == {"single_label": torch.bfloat16, "multi_label": torch.float32, "number": torch.float32}
    assert outputs.number_format(cards["number"], fast, "bfloat16") == torch.bfloat16
    shown = SimpleNamespace(kind="single_label", hypotheses=[], words=["bad", "good"])
    assert outputs.number_format(shown, fast, "auto") == torch.float32
    asked = {kind: SimpleNamespace(kind=kind, words=[], entailment=[2, 0]) for kind in ("single_label", "multi_label")}
    formats = [outputs.number_format(card, fast, "auto") for card in asked.values()]
    assert formats == [torch.bfloat16, torch.float32]
    # Of a single label, entailment decides; of several labels a number that isn't finite is computed again.
    pairs = [
        [[0, 9, 2], [0, 0, 2], [0, 0, 1]],
        [[0, 0, 2], [0, 0, 1], [0, 0, 1]],
        [[np.inf, 0, 2], [0, 0, 1], [0, 0, 0]],
    ]
    again = [
        outputs.entailment_close_calls(card, np.array(pairs, np.float32), torch.bfloat16).tolist()
        for card in asked.values()
    ]
    assert again == [[[True, True, False], [False] * 3, [False] * 3], [[False] * 3, [False] * 3, [True] * 3]]
    endless = np.array([[[0, 0, np.inf], [0, 0, 1], [0, 0, np.nan]]], np.float32)
    assert outputs.entailment_close_calls(asked["single_label"], endless, torch.float16).all()
    close = np.array([[1.0, 1.0], [np.inf, 0.0]], np.float32)
    assert outputs.close_calls("multi_label", close, torch.bfloat16).tolist() == [False, True]


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 36), min_size=1))
def test_scores_of_a_window_have_the_same_bits_among_any_others(seed, part):
    logits = np.random.default_rng(seed).normal(size=(37, 3)).astype(np.float32)
    for kind in outputs.PROBLEM_TYPES:
        expected = outputs.scores_of(kind, logits)[part]
        assert outputs.scores_of(kind, logits[part]).tobytes() == expected.tobytes()
