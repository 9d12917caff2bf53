"""The loss as one function: compiled, uncompiled and in integers it teaches the same."""

import sys
from pathlib import Path

import pytest

from samizdat.records.io import read_document
from samizdat.records.models import ModelSummary
from support.machine import needs_compiler
from support.small_training import log_of, run, run_program, words


@pytest.mark.long
@needs_compiler
def test_a_compiled_model_learns_what_an_uncompiled_one_does(trained, tokenizer, tmp_path):
    _, out = run(tokenizer, tmp_path, compile=True, dropout=0.0)
    _, plain = run(tokenizer, tmp_path / "plain", dropout=0.0)
    assert read_document(ModelSummary, out / "summary.json").compiled
    for row, expected in zip(log_of(out), log_of(plain), strict=True):
        assert row["validation_loss"] == pytest.approx(expected["validation_loss"], abs=2e-3)


@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=pytest.mark.long)])
def test_products_in_integers_teach_what_those_in_floats_do(trained, tokenizer, tmp_path, compiled):
    _, out = run(tokenizer, tmp_path, precision="int8", compile=compiled, dropout=0.0)
    _, plain = run(tokenizer, tmp_path / "plain", dropout=0.0)
    assert read_document(ModelSummary, out / "summary.json").compute_dtype == "int8"
    last, expected = log_of(out)[-1], log_of(plain)[-1]
    assert last["train_loss"] != expected["train_loss"]
    assert last["validation_loss"] == pytest.approx(expected["validation_loss"], rel=0.03)


def test_without_a_compiler_training_goes_on_uncompiled(tokenizer, tmp_path):
    _, plain = run(tokenizer, tmp_path / "plain", dropout=0.0)
    compiled = words(tokenizer, tmp_path, compile=True)
    done = run_program("samizdat.models.train_model", *compiled, PATH=str(Path(sys.executable).parent))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("! training is not compiled, and slower, because this machine can't compile; ") == 1
    assert "PyTorch can't compile here: " in (tmp_path / "logs" / "train.log").read_text(encoding="utf-8")
    assert not read_document(ModelSummary, tmp_path / "out" / "summary.json").compiled
    for row, expected in zip(log_of(tmp_path / "out"), log_of(plain), strict=True):
        assert row["validation_loss"] == pytest.approx(expected["validation_loss"], abs=2e-3)
