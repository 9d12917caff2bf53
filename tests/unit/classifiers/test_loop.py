"""The training loop: class weights, the best weights on the way, and patience."""

import re

import pandas as pd
import pytest
from sklearn.metrics import f1_score

from samizdat.base.errors import UserError
from samizdat.classifiers.drawn_examples import draw_examples
from samizdat.records.corpus import TEXTS
from samizdat.records.io import write_table
from support.small_corpus import write_texts
from support.small_finetuning import contents, predict, run, sentences


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
    # Without patience the same weights are published: those of the best evaluation.
    assert contents(patient)["model.safetensors"] == contents(hasty)["model.safetensors"]
    last = run(settings, corpus, tmp_path / "last", evaluations=1, epochs=12.0)[1]
    assert contents(last)["model.safetensors"] != contents(hasty)["model.safetensors"]


def test_selection_is_by_the_labels_that_the_texts_to_select_on_have(settings, tmp_path, caplog):
    caplog.set_level("INFO")
    texts, labels = sentences(200)
    # One document has all texts of the third label, so they are trained on. They read like “good” ones, so the
    # classifier calls some texts to select on “odd”, though people called none of them so.
    odd = [number for number, label in enumerate(labels[:199]) if label == "good"][::2]
    corpus = pd.read_parquet(write_texts(texts, tmp_path / "texts.parquet", held_out=1, mood=labels))
    corpus.loc[odd, ["document", "label_mood"]] = ["one", "odd"]
    write_table(corpus, TEXTS, tmp_path / "texts.parquet")
    _, out = run(settings, tmp_path / "texts.parquet", tmp_path, evaluations=1, max_training_texts=199)
    drawn = draw_examples(corpus, "mood", 199, settings.selection_share, seed=1)
    assert drawn.labels == ["bad", "good", "odd"] and drawn.unselected == {"odd": len(odd)}
    select = drawn.texts[drawn.texts["selects"]]
    human, predicted = select["label_mood"].tolist(), predict(out, select["text"].tolist())
    assert "odd" in predicted and set(human) == {"bad", "good"}
    expected = f1_score(human, predicted, labels=["bad", "good"], average="macro")
    (score,) = re.findall(r"macro-F1 ([\d.]+)", caplog.text)
    assert float(score) == pytest.approx(expected, abs=1e-4)


def test_eight_texts_of_each_label_are_learned_from_with_enough_steps(settings, tmp_path, capsys):
    texts, labels = sentences(300)
    few = [number for label in ("good", "bad") for number in [n for n, one in enumerate(labels) if one == label][:8]]
    corpus = write_texts(
        [*(texts[number] for number in few), "held out"], tmp_path / "texts.parquet",
        mood=[*(labels[number] for number in few), None],
    )  # fmt: skip
    others = [number for number in range(len(texts)) if number not in few]
    right = {}
    for steps in (1, 60):
        said, out = run(settings, corpus, tmp_path / str(steps), epochs=1.0, min_steps=steps)
        assert said == "2 labels learned from 16 texts, selected on 0"
        found = predict(out, [texts[number] for number in others])
        right[steps] = sum(one == labels[number] for one, number in zip(found, others, strict=True)) / len(others)
    assert right[1] < 0.65 < 0.75 < right[60]
    assert "fewer than 20 texts of two labels would be left to select on" in capsys.readouterr().err


def test_weights_that_are_no_numbers_are_not_published(settings, corpus, tmp_path):
    with pytest.raises(UserError, match=r"loss of the classifier 'mood' is no longer a number at step \d+") as error:
        run(settings, corpus, tmp_path, learning_rate=1000.0)
    assert "finetuning.learning_rate" in error.value.remedy
    assert not (tmp_path / "out").exists()
