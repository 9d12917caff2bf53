"""What follows from the recipe: steps, number formats, whether to compile."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samizdat.base.device import Device
from samizdat.base.errors import UserError
from samizdat.models import train_model
from samizdat.models.beforehand import untrained_checkpoints
from samizdat.models.row_loss import CannotCompileError, RowLoss
from samizdat.models.settings import COMPILED_FROM_OPERATIONS, FEWEST_STEPS, StepPlan, decided, enough_steps
from samizdat.records.io import read_document
from samizdat.records.models import ModelSummary
from support.small_training import SETTINGS, run

CPU = Device("cpu", "processor", fastest="float32", int8=False)


def test_a_checkpoint_on_the_way_is_evaluated_too():
    settings = replace(SETTINGS, epochs=2.0, evaluations=3, keep_percents=(10, 33, 100))
    plan = StepPlan.of(settings, context_tokens=16, rows_per_epoch=200)
    assert plan == StepPlan(
        steps=100, rows_per_step=4, kept={10: 10, 33: 33}, evaluations=frozenset({0, 10, 33, 67, 100})
    )


@given(
    rows=st.integers(1, 3000),
    epochs=st.floats(0.1, 20),
    sequences=st.one_of(st.just("auto"), st.integers(1, 64)),
    micro_batches=st.integers(1, 4),
    processes=st.integers(1, 4),
)
def test_the_settings_that_are_named_give_enough_steps(rows, epochs, sequences, micro_batches, processes):
    batch_tokens = 16 * processes * micro_batches * (64 if sequences == "auto" else sequences)
    few = replace(SETTINGS, epochs=epochs, micro_batch_sequences=sequences, batch_tokens=batch_tokens)
    if StepPlan.of(few, context_tokens=16, rows_per_epoch=rows).steps >= FEWEST_STEPS:
        return
    wanted = enough_steps(few, context_tokens=16, rows_per_epoch=rows, processes=processes)
    enough = replace(few, **wanted)
    assert StepPlan.of(enough, context_tokens=16, rows_per_epoch=rows).steps >= FEWEST_STEPS
    assert enough.batch_tokens <= batch_tokens and enough.epochs >= epochs
    at_once = 1 if sequences == "auto" else enough.micro_batch_sequences
    assert enough.batch_tokens % (16 * processes * at_once) == 0


def test_few_steps_are_told_of_before_training(tokenizer, tmp_path, capsys):
    run(tokenizer, tmp_path)
    said = r"! model m: only \d+ steps to learn in, since the corpus is small; for 100, set in the config, below `train"
    assert re.search(said, capsys.readouterr().err)


def test_of_a_large_corpus_a_part_is_named_that_has_enough_steps():
    few = replace(SETTINGS, epochs=0.0004, micro_batch_sequences=4, batch_tokens=64)
    assert enough_steps(few, context_tokens=16, rows_per_epoch=300_000, processes=1) == {"epochs": 0.0014}


@pytest.mark.parametrize(
    ("steps", "kept", "said"),
    [
        (100, {1: 1, 25: 25}, "of 100 steps the checkpoint at 1 % (step 1) will have learned next to nothing"),
        (6, {1: 0, 10: 1, 50: 3}, "the checkpoints at 1 % (step 0), 10 % (step 1) will"),
        (8, {25: 2, 50: 4}, None),
        (1, {}, None),
    ],
)
def test_checkpoints_before_there_was_anything_to_learn_are_named(steps, kept, said):
    told = untrained_checkpoints(StepPlan(steps, 1, kept, frozenset()))
    assert said in told and "training.keep_percents" in told if said else not told


def test_untrained_checkpoints_are_told_of_before_training(tokenizer, tmp_path, capsys):
    run(tokenizer, tmp_path, keep_percents=(1, 100))
    assert re.search(r"! model m: of \d+ steps the checkpoint at 1 % \(step [01]\) will", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("wanted", "kind", "epochs", "expected"),
    [
        ("auto", "cpu", 0.001, True), ("auto", "cuda", 9.99, False), ("auto", "cuda", 10.01, True),
        ("auto", "mps", 1.0, False), (False, "cpu", 1.0, False), (True, "cuda", 0.001, True),
    ],
)  # fmt: skip
def test_compilation_is_decided_by_device_and_length(wanted, kind, epochs, expected):
    """At ten epochs this training has as many operations as compiling starts at."""
    settings = replace(SETTINGS, compile=wanted, epochs=epochs)
    tokens = 10**6
    parameters = round(COMPILED_FROM_OPERATIONS / 6 / tokens / 10)
    found = decided(settings, replace(CPU, kind=kind), parameters=parameters, tokens=tokens)
    assert found == replace(settings, compile=expected)


def test_on_a_cpu_training_compiles_where_nothing_else_is_said(tokenizer, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(RowLoss, "compile_with", lambda self, example: asked.append(len(example)))
    _, out = run(tokenizer, tmp_path, compile="auto", epochs=0.2)
    assert asked == [2] and read_document(ModelSummary, out / "summary.json").compiled


def cannot(loss, example):
    raise CannotCompileError("no compiler")


@pytest.mark.parametrize(
    ("int8", "fastest", "changes", "expected"),
    [
        (True, "bfloat16", {"compile": True}, "int8"),
        (True, "bfloat16", {"compile": False}, "bfloat16"),
        (True, "bfloat16", {"compile": "where nothing compiles"}, "bfloat16"),
        (True, "bfloat16", {"compile": True, "checkpoint": "trained"}, "bfloat16"),
        (False, "bfloat16", {"compile": True}, "bfloat16"),
        (False, "float16", {"compile": True}, "float16"),
        (False, "float32", {"compile": True}, "float32"),
    ],
)
def test_the_fastest_format_is_chosen(trained, tokenizer, tmp_path, monkeypatch, int8, fastest, changes, expected):
    found = Device("cpu", "a processor", fastest=fastest, int8=int8)
    monkeypatch.setattr(train_model, "prepare", lambda *_, **__: found)
    monkeypatch.setattr(RowLoss, "compile_with", lambda *_: None)
    if changes["compile"] == "where nothing compiles":
        monkeypatch.setattr(RowLoss, "compile_with", cannot)
        changes = {"compile": True}
    changes = {key: str(trained) if value == "trained" else value for key, value in changes.items()}
    _, out = run(tokenizer, tmp_path, precision="auto", epochs=0.1, **changes)
    assert read_document(ModelSummary, out / "summary.json").compute_dtype == expected


def test_integers_are_refused_on_a_gpu(tokenizer, tmp_path, monkeypatch):
    gpu = Device("cuda", "a GPU", fastest="bfloat16", int8=False)
    monkeypatch.setattr(train_model, "prepare", lambda *_, **__: gpu)
    with pytest.raises(UserError, match="int8 is for training on a CPU, and the device is cuda"):
        run(tokenizer, tmp_path, precision="int8")
