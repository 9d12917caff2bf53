"""Fine-tuning: it learns, repeats itself bit for bit, and says which texts it has seen."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from samizdat.base.errors import UserError
from samizdat.classifiers.finetune_classifier import finetune_classifier
from samizdat.classifiers.loop import FinetuningSettings
from samizdat.records.classifiers import ClassifierCard, ClassifierDescription
from samizdat.records.io import read_document
from support.small_classifier import WORDS, make_encoder
from support.small_corpus import write_texts

DESCRIPTION = ClassifierDescription("mood", label_column="mood", label_map={}, predicts="the mood", made_for="tests",
                                    reference="nowhere", languages=(), min_words=None, max_words=None)  # fmt: skip


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return FinetuningSettings(
        checkpoint=str(make_encoder(tmp_path_factory.mktemp("encoder"))), revision=None, max_training_texts=150,
        selection_share=0.2, epochs=6.0, batch_rows=8, learning_rate=0.003, warmup_share=0.1, weight_decay=0.01,
        dropout=0.0, class_weights=True, evaluations=4, patience=None, precision="float32",
    )  # fmt: skip


def sentences(number: int, rare: float = 0.5) -> tuple[list[str], list[str]]:
    """Sentences with “good” or “bad” in them, and their labels; “bad” is as frequent as `rare`."""
    random = np.random.default_rng(9)
    neutral = [word for word in WORDS if word not in ("good", "bad")]
    texts, labels = [], []
    for index in range(number):
        label = "bad" if random.random() < rare else "good"
        words = [*random.choice(neutral, random.integers(2, 9)), label]
        texts.append(f"{' '.join(random.permutation(words))} {index}")
        labels.append(label)
    return texts, labels


def run(settings, corpus, folder, seed=1, description=DESCRIPTION, **changes):
    said = finetune_classifier(
        replace(settings, **changes), description, 32, corpus, folder / "out", folder / "work", "cpu", threads=1,
        seed=seed,
    )  # fmt: skip
    return said, folder / "out"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    texts, labels = sentences(240)
    return write_texts(texts, tmp_path_factory.mktemp("corpus") / "texts.parquet", held_out=60, mood=labels)


@pytest.fixture(scope="module")
def learned(settings, corpus, tmp_path_factory):
    return run(settings, corpus, tmp_path_factory.mktemp("learned"))


def predict(folder, texts: list[str]) -> list[str]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.no_grad():
        numbers = model(**tokenizer(texts, padding=True, return_tensors="pt")).logits.argmax(dim=1)
    return [model.config.id2label[int(number)] for number in numbers]


def contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_it_learns_what_tells_the_labels_apart(learned, corpus):
    said, out = learned
    held_out = pd.read_parquet(corpus).query("split == 'validation'")
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
    assert {path.suffix for path in out.iterdir()} == {".json", ".safetensors", ".txt"}


def test_seen_texts_are_those_of_the_train_split_that_were_drawn(learned, corpus):
    seen = (learned[1] / "seen_texts.txt").read_text().split()
    train = pd.read_parquet(corpus).query("split == 'train'")
    assert len(seen) == len(set(seen)) == 150
    assert set(seen) < set(train["id"])


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


def test_class_weights_find_more_of_a_rare_label(settings, tmp_path):
    texts, labels = sentences(400, rare=0.2)
    with_the_word = labels.count("bad")
    # Of three sentences with the word “bad” people call one bad: not enough to call it that, unless bad is rare.
    labels = ["good" if label == "bad" and index % 3 else label for index, label in enumerate(labels)]
    corpus = write_texts(texts, tmp_path / "texts.parquet", held_out=1, mood=labels)
    found = [
        predict(
            run(
                settings,
                corpus,
                tmp_path / str(weights),
                class_weights=weights,
                max_training_texts=399,
                selection_share=0.0,
            )[1],
            texts,
        ).count("bad")
        for weights in (True, False)
    ]
    assert found[1] < 0.5 * with_the_word < found[0]


def test_a_finished_classifier_is_put_back_and_a_changed_corpus_is_not_taken_for_it(settings, tmp_path):
    texts, labels = sentences(40)
    corpus = write_texts(texts, tmp_path / "texts.parquet", held_out=10, mood=labels)
    _, out = run(settings, corpus, tmp_path, epochs=1.0)
    before = contents(out)
    (out / "model.safetensors").unlink()
    said, out = run(settings, corpus, tmp_path, epochs=1.0)
    assert said.endswith("as trained before") and contents(out) == before
    # Held-out texts are not learned from, so changing them changes nothing.
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


def test_the_best_weights_on_the_way_are_kept_and_patience_ends(settings, corpus, tmp_path, caplog):
    caplog.set_level("INFO")
    _, patient = run(settings, corpus, tmp_path / "patient", evaluations=10, epochs=12.0)
    found = [float(score) for score in re.findall(r"macro-F1 ([\d.]+)", caplog.text)]
    best = found.index(max(found))
    assert len(found) == 10 and best < 7
    caplog.clear()
    _, hasty = run(settings, corpus, tmp_path / "hasty", evaluations=10, epochs=12.0, patience=2)
    assert [float(score) for score in re.findall(r"macro-F1 ([\d.]+)", caplog.text)] == found[: best + 3]
    assert "stopped after 2 evaluations" in caplog.text
    # Whoever goes on to the end publishes the same weights: those of the best evaluation.
    assert contents(patient)["model.safetensors"] == contents(hasty)["model.safetensors"]
    last = run(settings, corpus, tmp_path / "last", evaluations=1, epochs=12.0)[1]
    assert contents(last)["model.safetensors"] != contents(hasty)["model.safetensors"]


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [("weather", None, "it has: mood"), ("mood", ["good"] * 40, "1 different values")],
)
def test_what_can_not_be_learned_is_refused_in_words(settings, tmp_path, column, values, message):
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
