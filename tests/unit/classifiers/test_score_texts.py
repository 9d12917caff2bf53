"""Scores: right, of the same bits whatever other texts are scored with a text, and computed only once."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from samizdat.base.errors import UserError
from samizdat.checkpoints.unpadded import MODEL_TYPES
from samizdat.classifiers import outputs, score_table, scoring_model, text_scores
from samizdat.classifiers.outputs import UNREADABLE
from samizdat.classifiers.score_part import score_part
from samizdat.classifiers.score_texts import score_texts
from samizdat.records import io
from samizdat.records.classifiers import SCORES
from samizdat.records.io import read_table
from support.small_classifier import LABELS, WORDS, make_classifier
from support.small_corpus import write_texts
from support.small_scoring import SETTINGS, probabilities, rows, run, sentences

# Its positions count from token to token, so its windows are padded and not packed.
PADDED = "mpnet"


def reference(classifier, tokens: list[int]) -> np.ndarray:
    """What transformers says of one sequence of tokens, alone and without padding."""
    model = AutoModelForSequenceClassification.from_pretrained(classifier).eval()
    with torch.no_grad():
        return model(torch.tensor([tokens])).logits.softmax(dim=1)[0].numpy()


@pytest.mark.parametrize("model_type", [*sorted(MODEL_TYPES), PADDED])
def test_scores_are_those_of_transformers_text_by_text(classifier_of, tmp_path, model_type):
    classifier, texts = classifier_of(model_type), sentences(60)
    said, path = run(classifier, texts, tmp_path)
    assert said == "60 texts, 60 of them new"
    tokenizer = AutoTokenizer.from_pretrained(classifier)
    assert np.ptp([row["probabilities"][0] for row in rows(path)]) > 0.05
    if model_type == "bert":
        assert len({row["label"] for row in rows(path)}) == 3
    for text, row in zip(texts, rows(path), strict=True):
        expected = reference(classifier, tokenizer(text)["input_ids"])
        np.testing.assert_allclose(row["probabilities"], expected, atol=2e-5)
        assert row["label"] == LABELS[expected.argmax()]
        assert (row["windows"], row["reason"]) == (1, None)


def test_long_texts_are_read_whole_in_overlapping_windows(classifier, tmp_path):
    text = " ".join(np.random.default_rng(1).choice(WORDS, 50))
    frame = read_table(run(classifier, [text, text + " rain"], tmp_path)[1], SCORES)
    tokens = AutoTokenizer.from_pretrained(classifier)(text, add_special_tokens=False)["input_ids"]
    # 22 words fit between the two special tokens, and the next window repeats 6 of them.
    parts = [[2, *tokens[start : start + 22], 3] for start in (0, 16, 32)]
    assert [len(part) for part in parts] == [24, 24, 20]
    expected = np.average([reference(classifier, part) for part in parts], axis=0, weights=[24, 24, 20])
    assert list(frame["windows"]) == [3, 3]
    np.testing.assert_allclose(frame["probabilities"][0], expected, atol=2e-5)


def test_bfloat16_gives_the_labels_of_float32_where_they_are_decided(classifier, tmp_path):
    texts = sentences(200)
    exact = read_table(run(classifier, texts, tmp_path / "exact")[1], SCORES)
    half = read_table(run(classifier, texts, tmp_path / "half", precision="bfloat16")[1], SCORES)
    difference = np.abs(np.stack(exact["probabilities"]) - np.stack(half["probabilities"])).max()
    assert 0 < difference < 0.1
    margin = np.sort(np.stack(exact["probabilities"]))[:, -2:] @ [-1, 1]
    decided = margin > 2 * difference
    assert decided.mean() > 0.8
    assert (exact["label"] == half["label"])[decided].all()


@settings(max_examples=12)
@given(st.data())
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("model_type", ["bert", PADDED])
def test_a_score_depends_on_no_order_company_or_history(classifier_of, tmp_path_factory, model_type, precision, data):
    classifier, texts = classifier_of(model_type), sentences(40, longest=40)
    everything = data.draw(st.permutations(texts), label="order")
    folder = tmp_path_factory.mktemp("history")
    threads = data.draw(st.sampled_from([1, 3]), label="threads")
    said, path = run(classifier, everything, folder / "scratch", threads, precision=precision)
    assert said == "40 texts, 40 of them new"
    # The same corpus, scored in portions that are drawn at random.
    cuts = sorted(data.draw(st.sets(st.integers(1, 39), max_size=4), label="portions"))
    for end in [*cuts, 40]:
        portion = data.draw(st.permutations(everything[:end]), label="portion") if end < 40 else everything
        _, grown = run(classifier, portion, folder / "grown", precision=precision)
    assert grown.read_bytes() == path.read_bytes()
    alone = data.draw(st.sampled_from(texts), label="alone")
    _, single = run(classifier, [alone], folder / "alone", precision=precision)
    ((key, bits),) = probabilities(single).items()
    assert probabilities(path)[key] == bits


@pytest.mark.parametrize("model_type", ["bert", PADDED])
def test_close_calls_of_a_large_corpus_are_read_again_in_parts(classifier_of, tmp_path, monkeypatch, model_type):
    classifier, texts = classifier_of(model_type), [*sentences(80, longest=40), "", *sentences(5)]
    monkeypatch.setattr(outputs, "CLOSE_STEPS", 60)
    path = run(classifier, texts, tmp_path / "whole", precision="bfloat16")[1]
    loaded, readings = [], []

    class Watched(scoring_model.ScoringModel):
        def __init__(self, folder, device, dtype):
            loaded.append(dtype)
            super().__init__(folder, device, dtype)

        def logits(self, *args):
            readings.append(args)
            return super().logits(*args)

    monkeypatch.setattr(scoring_model, "ScoringModel", Watched)
    monkeypatch.setattr(text_scores, "MOST_CLOSE_TOKENS", 100)
    said, parts = run(classifier, texts, tmp_path / "parts", precision="bfloat16")
    assert loaded == [torch.bfloat16, torch.float32] and len(readings) > 2
    assert said == f"{len(texts)} texts, {len(set(texts))} of them new"
    assert parts.read_bytes() == path.read_bytes()


def test_texts_that_it_was_trained_on_are_marked(tmp_path):
    texts = sentences(6)
    table = read_table_ids(write_texts(texts, tmp_path / "ids.parquet"))
    classifier = make_classifier(tmp_path / "classifier", seen=table[1:3])
    frame = read_table(run(classifier, texts, tmp_path)[1], SCORES)
    assert list(frame["seen_in_training"]) == [False, True, True, False, False, False]


def read_table_ids(path: Path) -> list[str]:
    return pd.read_parquet(path)["id"].tolist()


HOSTILE = [
    "", " ", "a", "\x00", "\x00\x01\x02\x1b[31mred", "\u200b\u200d", "😀", "👩‍👩‍👧‍👦 family", "שלום עולם",
    "\u202eright to left",
    "good", "[CLS] [SEP] [PAD]", "<script>alert(1)</script>", "\ufffd\ufffe\uffff", "e\u0301" * 500, "x" * 5000,
    "rain and poems " * 70_000,
]  # fmt: skip


def test_hostile_texts_get_a_score_or_a_reason(classifier, tmp_path):
    scored = rows(run(classifier, HOSTILE, tmp_path, batch_tokens=4096)[1])
    for text, row in zip(HOSTILE, scored, strict=True):
        if row["label"] is None:
            assert (row["reason"], row["windows"], row["probabilities"]) == (UNREADABLE, 0, None), text[:20]
        else:
            assert row["label"] in LABELS and row["reason"] is None
            assert sum(row["probabilities"]) == pytest.approx(1, abs=1e-5)
    found = {text: row["label"] for text, row in zip(HOSTILE, scored, strict=True)}
    assert found[""] is None and found[" "] is None
    assert found["good"] is not None
    assert scored[-1]["windows"] > 10_000


def test_what_spells_a_special_token_is_ordinary_text(classifier, tmp_path):
    frame = read_table(run(classifier, ["[SEP]", "the [SEP] rain"], tmp_path)[1], SCORES)
    tokenizer = AutoTokenizer.from_pretrained(classifier)
    tokens = tokenizer("[SEP]", split_special_tokens=True)["input_ids"]
    assert tokens.count(3) == 1
    np.testing.assert_allclose(frame["probabilities"][0], reference(classifier, tokens), atol=2e-5)


def test_short_memory_names_the_key(classifier, tmp_path, monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError

    monkeypatch.setattr("transformers.BertForSequenceClassification.forward", full)
    with pytest.raises(UserError, match=r"(?s)memory for 4096 tokens.*set classification\.batch_tokens to 2048 in"):
        run(classifier, sentences(3), tmp_path, batch_tokens=4096)


def test_ids_and_order_are_those_of_the_tables(classifier, tmp_path, monkeypatch):
    """A text that several rows have is scored once, and where one batch of rows ends changes nothing."""
    texts = [*sentences(9, longest=40), ""]
    parts = (texts[:5], [texts[3], *texts[5:]], [], [texts[0], texts[8], ""])
    tables = tuple(
        write_texts(part, tmp_path / f"{place}.parquet", held_out=len(part)) for place, part in enumerate(parts)
    )

    def scored(name: str, *tables: Path) -> tuple[str, list[dict]]:
        path, store = tmp_path / f"{name}.parquet", tmp_path / name.split("-")[0]
        return score_texts(SETTINGS, classifier, tables, path, store, "cpu", threads=1, seed=1), rows(path)

    said, whole = scored("whole", *tables)
    assert said == "14 texts, 10 of them new"
    assert [row["id"] for row in whole] == [key for table in tables for key in read_table_ids(table)]
    first = {row["id"]: row for row in whole}
    assert whole == [first[row["id"]] for row in whole] and max(row["windows"] for row in whole) > 1
    for module in (io, score_table):
        monkeypatch.setattr(module, "BATCH_ROWS", 4)
    assert scored("batches", *tables) == (said, whole)
    assert scored("batches-again", *tables) == ("14 texts, 0 of them new", whole)


def test_parts_are_all_texts_once_and_give_the_same_table(classifier, tmp_path):
    table = write_texts([*sentences(20, longest=40), "", "one more"], tmp_path / "texts.parquet", held_out=9)

    def scored(store: str) -> tuple[str, bytes]:
        path = tmp_path / f"{store}.parquet"
        said = score_texts(SETTINGS, classifier, (table,), path, tmp_path / store, "cpu", threads=1, seed=1)
        return said, path.read_bytes()

    new = []
    for part in range(3):
        done = tmp_path / f"{part}.done"
        said = score_part(SETTINGS, classifier, (table,), part, 3, done, tmp_path / "parts", "cpu", threads=1, seed=1)
        assert done.is_file()
        new.append(int(said.split()[0]))
    assert sum(new) == 22 and max(new) < 22
    said, parts = scored("parts")
    assert said == "22 texts, 0 of them new" and parts == scored("whole")[1]
