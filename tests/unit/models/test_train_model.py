"""Training: a checkpoint that transformers reads, the same bits each time, killed or not."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, GPT2LMHeadModel

from samizdat.base.device import Device
from samizdat.base.errors import UserError
from samizdat.models import train_model
from samizdat.models.head_loss import NO_TARGET
from samizdat.models.make_tokenizer import TokenizerSettings, make_tokenizer
from samizdat.models.row_loss import RowLoss
from samizdat.models.rows import evaluation_rows
from samizdat.optimization.optimizers import learning_rate_scale
from samizdat.records.io import read_document
from samizdat.records.models import TRAIN_LOG_COLUMNS, ModelSummary, TokenizerSummary
from support.small_corpus import write_texts
from support.small_training import WORDS, contents, log_of, run, run_program, words


def test_the_model_is_a_hugging_face_checkpoint_with_its_steps_and_log(trained, tokenizer):
    summary = read_document(ModelSummary, trained / "summary.json")
    model = GPT2LMHeadModel.from_pretrained(trained)
    assert sum(parameter.numel() for parameter in model.parameters()) == summary.parameters
    assert (model.config.n_layer, model.config.n_embd, model.config.n_positions) == (1, 16, 16)
    assert AutoTokenizer.from_pretrained(trained).eos_token_id == model.config.eos_token_id
    GPT2LMHeadModel.from_pretrained(trained / "steps" / "25")
    rows = log_of(trained)
    assert tuple(rows[0]) == TRAIN_LOG_COLUMNS
    steps = [row["step"] for row in rows]
    assert steps[0] == 0 and steps[-1] == summary.steps_planned == summary.steps_done
    assert steps == [round(summary.steps_planned * mark / 4) for mark in range(5)]
    assert summary.checkpoints["25"] == steps[1]
    best = min(rows, key=lambda row: row["validation_loss"])
    assert summary.best_step == best["step"] and summary.validation_loss == pytest.approx(
        best["validation_loss"], abs=1e-6
    )
    assert rows[-1]["validation_loss"] < 0.8 * rows[0]["validation_loss"]


def test_bits_per_byte_are_those_of_an_independent_count(trained, tokenizer):
    summary = read_document(ModelSummary, trained / "summary.json")
    vocabulary = read_document(TokenizerSummary, tokenizer / "summary.json")
    model = GPT2LMHeadModel.from_pretrained(trained).eval()
    tokens = np.fromfile(tokenizer / "tokens" / "validation.bin", "<u2")
    rows = torch.from_numpy(evaluation_rows(tokens, boundary=vocabulary.boundary_token_id, context_tokens=16, rows=1))
    with torch.no_grad():
        logits = model(rows[:, :-1].clamp(min=0)).logits
    nats = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), rows[:, 1:].flatten(), ignore_index=NO_TARGET, reduction="sum"
    ).item()
    held_out = sum(
        len(text.encode()) for text in AutoTokenizer.from_pretrained(tokenizer).decode(tokens).split("<|endoftext|>")
    )
    assert vocabulary.utf8_bytes["validation"] == held_out
    assert summary.validation_bits_per_byte == pytest.approx(nats / np.log(2) / held_out, rel=1e-4)
    assert summary.validation_loss == pytest.approx(nats / len(tokens), rel=1e-4)
    assert summary.validation_perplexity == pytest.approx(np.exp(nats / len(tokens)), rel=1e-3)


def test_two_processes_learn_what_one_does(tokenizer, tmp_path, monkeypatch):
    """The tolerance covers another order of float32 sums; each process computes half of every batch."""
    _, alone = run(tokenizer, tmp_path / "alone", dropout=0.0)
    done = run_program(
        "samizdat.models.workers", "2", "samizdat.models.train_model", *words(tokenizer, tmp_path, processes=2)
    )
    assert done.returncode == 0 and done.stderr.count("✓ model m") == 1, done.stderr
    together, expected = log_of(tmp_path / "out"), log_of(alone)
    assert [row["step"] for row in together] == [row["step"] for row in expected]
    for row, other in zip(together, expected, strict=True):
        for column in ("train_loss", "validation_loss", "gradient_norm"):
            assert row[column] == pytest.approx(other[column], rel=1e-3, nan_ok=True), (column, row["step"])
    GPT2LMHeadModel.from_pretrained(tmp_path / "out")
    # What the benchmarks read from a log is what stands in it.
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "benchmarks"))
    from stage import LINE

    logged = LINE.findall((tmp_path / "logs" / "train.log").read_text(encoding="utf-8"))
    assert [(int(step), float(bits)) for _, step, bits in logged] == [
        (row["step"], pytest.approx(row["validation_bits_per_byte"], abs=1e-4)) for row in together
    ]


def test_another_number_of_processes_than_the_configs_is_refused(tokenizer, tmp_path):
    with pytest.raises(UserError, match=r"training.processes is 2, but 1 were started"):
        run(tokenizer, tmp_path, processes=2)


def test_a_model_without_checkpoints_on_the_way_is_the_same_model(trained, tokenizer, tmp_path):
    _, out = run(tokenizer, tmp_path, keep_percents=(100,))
    assert contents(out).keys() == {name for name in contents(trained) if not name.startswith("steps/")}
    assert contents(out)["model.safetensors"] == contents(trained)["model.safetensors"]


def test_training_stops_early_and_keeps_the_best(tokenizer, tmp_path):
    # A rate at which the loss soon gets worse.
    _, out = run(tokenizer, tmp_path, epochs=20.0, evaluations=20, patience=2, learning_rate=0.05, optimizer="adamw")
    summary = read_document(ModelSummary, out / "summary.json")
    losses = {row["step"]: row["validation_loss"] for row in log_of(out)}
    assert summary.steps_done < summary.steps_planned
    assert losses[summary.best_step] == min(losses.values())
    assert list(losses)[-1] == summary.steps_done and list(losses)[-3] == summary.best_step
    assert summary.checkpoints["100"] == summary.best_step
    assert (out / "steps" / "25" / "model.safetensors").is_file()


def test_a_compiled_model_learns_what_an_uncompiled_one_does(trained, tokenizer, tmp_path):
    _, out = run(tokenizer, tmp_path, compile=True, dropout=0.0)
    _, plain = run(tokenizer, tmp_path / "plain", dropout=0.0)
    assert read_document(ModelSummary, out / "summary.json").compiled
    for row, expected in zip(log_of(out), log_of(plain), strict=True):
        assert row["validation_loss"] == pytest.approx(expected["validation_loss"], abs=2e-3)


@pytest.mark.parametrize("compiled", [False, True])
def test_products_in_integers_teach_what_those_in_floats_do(trained, tokenizer, tmp_path, compiled):
    _, out = run(tokenizer, tmp_path, precision="int8", compile=compiled, dropout=0.0)
    _, plain = run(tokenizer, tmp_path / "plain", dropout=0.0)
    assert read_document(ModelSummary, out / "summary.json").compute_dtype == "int8"
    last, expected = log_of(out)[-1], log_of(plain)[-1]
    assert last["train_loss"] != expected["train_loss"]
    assert last["validation_loss"] == pytest.approx(expected["validation_loss"], rel=0.03)


@pytest.mark.parametrize(
    ("int8", "fastest", "changes", "expected"),
    [
        (True, "bfloat16", {"compile": True}, "int8"),
        (True, "bfloat16", {"compile": False}, "bfloat16"),
        (True, "bfloat16", {"compile": True, "checkpoint": "trained"}, "bfloat16"),
        (False, "bfloat16", {"compile": True}, "bfloat16"),
        (False, "float16", {"compile": True}, "float16"),
        (False, "float32", {"compile": True}, "float32"),
    ],
)
def test_the_fastest_format_is_chosen(trained, tokenizer, tmp_path, monkeypatch, int8, fastest, changes, expected):
    found = Device("cpu", "a processor", fastest=fastest, int8=int8)
    monkeypatch.setattr(train_model, "prepare", lambda *_, **__: found)
    monkeypatch.setattr(RowLoss, "compile_with", lambda *_: True)
    changes = {key: str(trained) if value == "trained" else value for key, value in changes.items()}
    _, out = run(tokenizer, tmp_path, precision="auto", epochs=0.1, **changes)
    assert read_document(ModelSummary, out / "summary.json").compute_dtype == expected


def test_integers_are_refused_on_a_gpu(tokenizer, tmp_path, monkeypatch):
    gpu = Device("cuda", "a GPU", fastest="bfloat16", int8=False)
    monkeypatch.setattr(train_model, "prepare", lambda *_, **__: gpu)
    with pytest.raises(UserError, match="int8 is for training on a CPU, and the device is cuda"):
        run(tokenizer, tmp_path, precision="int8")


def test_without_a_compiler_training_goes_on_uncompiled(tokenizer, tmp_path):
    _, plain = run(tokenizer, tmp_path / "plain", dropout=0.0)
    compiled = words(tokenizer, tmp_path, compile=True)
    done = run_program("samizdat.models.train_model", *compiled, CXX="/no/such/compiler")
    assert done.returncode == 0, done.stderr
    assert "runs uncompiled and slower" in (tmp_path / "logs" / "train.log").read_text(encoding="utf-8")
    assert not read_document(ModelSummary, tmp_path / "out" / "summary.json").compiled
    for row, expected in zip(log_of(tmp_path / "out"), log_of(plain), strict=True):
        assert row["validation_loss"] == pytest.approx(expected["validation_loss"], abs=2e-3)


def test_small_micro_batches_add_up_to_the_same_step(tokenizer, tmp_path):
    _, one = run(tokenizer, tmp_path / "one", dropout=0.0, micro_batch_sequences=1)
    _, four = run(tokenizer, tmp_path / "four", dropout=0.0, micro_batch_sequences=4)
    for left, right in zip(log_of(one), log_of(four), strict=True):
        assert left["validation_loss"] == pytest.approx(right["validation_loss"], abs=1e-3)


def test_a_checkpoint_is_continued(trained, tokenizer, tmp_path):
    _, out = run(tokenizer, tmp_path, checkpoint=str(trained))
    summary = read_document(ModelSummary, out / "summary.json")
    best = read_document(ModelSummary, trained / "summary.json").validation_loss
    assert log_of(out)[0]["validation_loss"] == pytest.approx(best, abs=1e-5)
    assert summary.start == str(trained) and summary.validation_loss <= best


def test_a_checkpoint_of_another_vocabulary_is_refused(trained, tokenizer, tmp_path):
    texts = write_texts([*(" ".join(WORDS[number:]) for number in range(9)), "held out"], tmp_path / "t.parquet")
    make_tokenizer(TokenizerSettings("small", "train", 260, None, None), texts, None, tmp_path / "small")
    with pytest.raises(UserError, match=r"has 300 tokens in its vocabulary, the tokenizer 'small' has 260"):
        run(tmp_path / "small", tmp_path, checkpoint=str(trained))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"context_tokens": 4096, "batch_tokens": 4096}, r"tokens, fewer than one row of 4096 \(context_tokens\)"),
        ({"learning_rate": 1e30, "matrix_learning_rate": 1e30, "gradient_clip": 1e30}, "no longer a number at step"),
    ],
)
def test_what_cant_be_trained_is_refused(tokenizer, tmp_path, changes, said):
    with pytest.raises(UserError, match=said):
        run(tokenizer, tmp_path, **changes)
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_a_device_that_is_not_there_is_refused(tokenizer, tmp_path):
    with pytest.raises(UserError, match=r"device: cuda is asked for, but torch .* finds none"):
        run(tokenizer, tmp_path, device="cuda")


def test_speeds_stay_out_of_the_declared_outputs(trained):
    text = "".join(path.read_text(encoding="utf-8") for path in trained.glob("*.json") if "tokenizer" not in path.name)
    assert not re.search("seconds|per_second|20[0-9]{2}-", text)
    assert json.loads((trained.parent / "work" / "speed.json").read_text(encoding="utf-8"))["tokens_per_second"] > 0


@pytest.mark.parametrize(
    ("step", "schedule", "scale"),
    [
        (0, "warmup-stable-decay", 1 / 11), (9, "warmup-stable-decay", 10 / 11), (10, "warmup-stable-decay", 1),
        (60, "warmup-stable-decay", 1), (80, "warmup-stable-decay", 0.5), (99, "warmup-stable-decay", 0.025),
        (0, "cosine", 1 / 11), (10, "cosine", 1), (55, "cosine", 0.55), (100, "cosine", 0.1),
    ],
)  # fmt: skip
def test_the_learning_rate_rises_stays_and_falls(step, schedule, scale):
    found = learning_rate_scale(step, 100, schedule=schedule, warmup_share=0.1, decay_share=0.4)
    assert found == pytest.approx(scale)
