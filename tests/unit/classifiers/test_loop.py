"""The training loop: class weights, the best weights on the way, and patience."""

import re

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
