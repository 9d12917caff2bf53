"""What the report says of training: how it ended, and on which device it ran."""

import pytest

from samizdat.reporting import Run, training
from support.reading import plain
from support.run_fixture import make_run


def test_training_is_told_with_its_end(run):
    model = run.models["gpt2-tiny"]
    vars(model).update(best_step=60, steps_planned=200)
    try:
        said = plain(training.opening(run).markdown)
    finally:
        vars(model).update(best_step=100, steps_planned=100)
    assert (
        "137 thousand parameters" in said and "On the held-out texts (3,000 bytes) it needs 2.380 bits per byte" in said
    )
    assert "training brought it from 4.000 to 2.330 bits per byte." in said
    assert "The lowest loss was reached at step 60;" in said
    assert "Training stopped before the planned 200 steps," in said


def test_a_tokenizer_that_loses_characters_is_told_where_bits_per_byte_are(tmp_path):
    found = Run(make_run(tmp_path / "run"))
    told = "Its tokenizer loses or changes characters in 7 of these texts. They are counted as bytes but not predicted"
    assert "loses or changes" not in plain(training.opening(found).markdown)
    found.tokenizers["own"].changed["test"] = 7
    assert told in plain(training.opening(found).markdown)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "It was trained on a CPU, in float32, 2 sequences at once."),
        (
            {"device_kind": "cuda", "compute_dtype": "bfloat16", "micro_batch_sequences": 1, "processes": 4},
            "It was trained on a GPU (cuda), in bfloat16, 1 sequence at once by each of 4 processes.",
        ),
    ],
)
def test_the_device_that_trained_is_named(tmp_path, changes, said):
    found = Run(make_run(tmp_path / "run"))
    vars(found.models["gpt2-tiny"]).update(changes)
    assert said in plain(training.opening(found).markdown)


def test_what_a_recipe_decided_is_shown_with_its_numbers(run, monkeypatch):
    model = run.models["gpt2-tiny"]
    recipe = {"layers": 7, "width": 96, "context_tokens": 33, "epochs": 12.0}
    monkeypatch.setitem(vars(model), "recipe", recipe)
    for key in recipe:
        monkeypatch.setitem(run.config["training"], key, "auto")
    decided = "The recipe for corpora of this size gave layers 7, width 96, context_tokens 33, epochs 12."
    assert decided in str(training.opening(run)).replace("`", "")
    table = str(training.models(run))
    assert "7 × 96" in table and "| 33 |" in table and "auto" not in table
