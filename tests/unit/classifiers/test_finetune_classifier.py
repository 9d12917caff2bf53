"""Fine-tuning: it learns, repeats itself bit for bit, and says which texts it has seen."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import AutoModelForSequenceClassification

from samizdat.base.errors import UserError
from samizdat.records.classifiers import ClassifierCard
from samizdat.records.io import read_document
from support.small_corpus import write_texts
from support.small_finetuning import DESCRIPTION, contents, predict, run, sentences


@pytest.fixture(scope="module")
def learned(settings, corpus, tmp_path_factory):
    return run(settings, corpus, tmp_path_factory.mktemp("learned"))


def test_it_learns_what_tells_the_labels_apart(learned, corpus):
    said, out = learned
    held_out = pd.read_parquet(corpus).query("split == 'test'")
    right = np.mean(np.array(predict(out, held_out["text"].tolist())) == held_out["label_mood"])
    assert right > 0.95
    learned, selected = re.fullmatch(r"2 labels learned from (\d+) texts, selected on (\d+)", said).groups()
    assert int(learned) + int(selected) == 150 and 10 < int(selected) < 50


def test_the_card_says_what_it_is(learned):
    _, out = learned
    card = read_document(ClassifierCard, out / "card.json")
    assert (card.name, card.labels, card.label_column) == ("mood", ["bad", "good"], "mood")
    assert (card.max_length_tokens, card.model_type) == (32, "bert")
    assert 100 < card.training_texts < 140  # the others of the 150 select
    model = AutoModelForSequenceClassification.from_pretrained(out)
    assert model.config.id2label == {0: "bad", 1: "good"}
    assert {path.suffix for path in out.glob("[a-z]*")} == {".json", ".safetensors", ".txt"}


def test_seen_texts_are_those_of_the_train_split_that_were_drawn(learned, corpus):
    seen = (learned[1] / "seen_texts.txt").read_text().split()
    train = pd.read_parquet(corpus).query("split == 'train'")
    assert len(seen) == len(set(seen)) == 150
    assert set(seen) < set(train["id"])


def test_one_mistyped_label_leaves_selection_and_patience_on_and_is_told(settings, tmp_path, caplog, capsys):
    caplog.set_level("INFO")
    texts, labels = sentences(120)
    labels[7] = "Good"
    corpus = write_texts(texts, tmp_path / "texts.parquet", held_out=20, mood=labels)
    for _ in range(2):  # trained, then put back
        _, out = run(settings, corpus, tmp_path, epochs=12.0, evaluations=10, patience=2)
        told = "! classifier mood: not learned, with fewer than 5 of the drawn texts: 'Good' (1)"
        assert capsys.readouterr().err.count(told) == 1
    assert "macro-F1" in caplog.text and "stopped after 2 evaluations" in caplog.text
    card = read_document(ClassifierCard, out / "card.json")
    assert (card.labels, card.unlearned, card.unselected) == (["bad", "good"], {"Good": 1}, {})
    assert card.training_texts + card.selection_texts == 99 and card.selection_texts > 10
    mistyped = pd.read_parquet(corpus)["id"][7]
    assert mistyped not in (out / "seen_texts.txt").read_text().split()


def test_texts_that_are_cut_are_told(settings, tmp_path, capsys):
    texts, labels = sentences(40)
    texts[:3] = [f"{text} {'rain ' * 40}" for text in texts[:3]]
    run(settings, write_texts(texts, tmp_path / "texts.parquet", held_out=10, mood=labels), tmp_path, epochs=1.0)
    assert "! classifier mood: 3 of 30 drawn texts are cut at max_length_tokens" in capsys.readouterr().err


def test_a_label_with_another_name_is_trained_anew(settings, tmp_path):
    texts, labels = sentences(40)
    for good in ("good", "great"):
        named = [good if label == "good" else label for label in labels]
        corpus = write_texts(texts, tmp_path / "texts.parquet", held_out=10, mood=named)
        said, out = run(settings, corpus, tmp_path, epochs=1.0)
        assert not said.endswith("as trained before")
        assert AutoModelForSequenceClassification.from_pretrained(out).config.id2label == {0: "bad", 1: good}


def test_the_same_seed_makes_the_same_bytes_and_another_does_not(settings, learned, corpus, tmp_path):
    _, again = run(settings, corpus, tmp_path / "again")
    assert contents(again) == contents(learned[1])
    _, other = run(settings, corpus, tmp_path / "other", seed=2)
    assert contents(other)["model.safetensors"] != contents(again)["model.safetensors"]


def test_a_text_without_a_label_is_not_learned_from(settings, tmp_path):
    texts, labels = sentences(40)
    labels[:5] = [None] * 5
    corpus = write_texts(texts, tmp_path / "texts.parquet", held_out=10, mood=labels)
    _, out = run(settings, corpus, tmp_path, epochs=1.0)
    unlabelled = set(pd.read_parquet(corpus)["id"][:5])
    assert not unlabelled & set((out / "seen_texts.txt").read_text().split())
    assert len((out / "seen_texts.txt").read_text().split()) == 25


def test_a_finished_classifier_is_put_back_and_a_changed_corpus_is_not_taken_for_it(settings, tmp_path):
    texts, labels = sentences(40)
    corpus = write_texts(texts, tmp_path / "texts.parquet", held_out=10, mood=labels)
    _, out = run(settings, corpus, tmp_path, epochs=1.0)
    before = contents(out)
    (out / "model.safetensors").unlink()
    said, out = run(settings, corpus, tmp_path, epochs=1.0)
    assert said.endswith("as trained before") and contents(out) == before
    # Held-out texts are not trained on, so changing them changes nothing.
    write_texts([*texts[:-1], "something else"], corpus, held_out=10, mood=labels)
    assert run(settings, corpus, tmp_path, epochs=1.0)[0].endswith("as trained before")
    labels[0] = "good" if labels[0] == "bad" else "bad"
    write_texts(texts, corpus, held_out=10, mood=labels)
    assert not run(settings, corpus, tmp_path, epochs=1.0)[0].endswith("as trained before")


def test_another_description_rewrites_the_card_and_trains_nothing(settings, tmp_path):
    texts, labels = sentences(40)
    corpus = write_texts(texts, tmp_path / "texts.parquet", held_out=10, mood=labels)
    _, out = run(settings, corpus, tmp_path, epochs=1.0)
    before = contents(out)
    other = replace(DESCRIPTION, predicts="the humour", made_for="others", languages=("en",), min_words=2)
    said, out = run(settings, corpus, tmp_path, epochs=1.0, description=other)
    after = contents(out)
    assert said.endswith("as trained before")
    assert {name for name in before if before[name] != after[name]} == {"card.json"} and set(after) == set(before)
    card = read_document(ClassifierCard, out / "card.json")
    assert (card.predicts, card.min_words, card.languages) == ("the humour", 2, ["en"])


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [("weather", None, "it has: mood"), ("mood", ["good"] * 40, r"fewer than two values .* 30 .*: 'good' \(30\)")],
)
def test_a_label_that_cant_be_learned_is_refused(settings, tmp_path, column, values, message):
    texts, labels = sentences(40)
    corpus = write_texts(texts, tmp_path / "texts.parquet", held_out=10, mood=values or labels)
    with pytest.raises(UserError, match=message):
        run(settings, corpus, tmp_path, description=replace(DESCRIPTION, label_column=column))
    assert not (tmp_path / "out").exists()


def test_short_memory_names_the_key(settings, corpus, tmp_path, monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError

    monkeypatch.setattr("transformers.BertForSequenceClassification.forward", full)
    with pytest.raises(UserError, match=r"finetuning\.batch_rows"):
        run(settings, corpus, tmp_path)


def test_an_encoder_that_cant_read_the_texts_is_refused(settings, tmp_path):
    texts = [f"ฉันรักภาษาไทย {word}" for word in ("กิน", "ข้าว", "ปลา", "น้ำ") * 10]
    corpus = write_texts(texts, tmp_path / "texts.parquet", held_out=10, mood=["good", "bad"] * 20)
    with pytest.raises(UserError, match=r"doesn't know \d+% of the tokens(?s:.*)a multilingual one"):
        run(settings, corpus, tmp_path)
    assert not (tmp_path / "out").exists()


def test_an_encoder_that_lacks_weights_is_refused(settings, corpus, tmp_path):
    encoder = shutil.copytree(settings.checkpoint, tmp_path / "encoder")
    config = json.loads((encoder / "config.json").read_text(encoding="utf-8"))
    config["num_hidden_layers"] += 1
    (encoder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(UserError, match=r"is no encoder of its config.json: it has no weights for \w+\.encoder\.layer"):
        run(settings, corpus, tmp_path, checkpoint=str(encoder))
