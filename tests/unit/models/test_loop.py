"""The training loop: it never waits for a GPU, stops early, and ends in good order when it is asked to."""

import json
import re
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import GPT2LMHeadModel

from samizdat.models.head_loss import NO_TARGET, head_loss
from samizdat.models.row_loss import RowLoss
from samizdat.models.rows import evaluation_batches
from samizdat.records.io import read_document
from samizdat.records.models import ModelSummary
from support.small_training import LONG, SETTINGS, contents, log_of, run, run_program, state_of, words

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import gpu_steps

KINDS = [("muon", "bfloat16"), ("muon", "float16"), ("adamw", "bfloat16"), ("adamw", "float16")]


def reads_of_steps(tokenizer, folder, optimizer, precision) -> int:
    settings = replace(SETTINGS, optimizer=optimizer, precision=precision)
    return gpu_steps.look_into(settings, tokenizer, folder, "cpu", gpu_steps.reads)


@pytest.mark.parametrize(("optimizer", "precision"), KINDS)
def test_a_step_reads_no_number_from_a_tensor(tokenizer, tmp_path, optimizer, precision):
    assert reads_of_steps(tokenizer, tmp_path, optimizer, precision) == 0


def test_what_transformers_own_forward_reads_is_counted(tokenizer, tmp_path, monkeypatch):
    """Why the blocks are called one by one, and that the tests above would notice."""

    def forward(self, rows):
        inputs = rows[:, :-1].clamp(min=0)
        hidden = self.model.transformer(inputs, use_cache=False).last_hidden_state
        return head_loss(hidden.flatten(0, 1), self.model.lm_head.weight, rows[:, 1:].flatten())

    monkeypatch.setattr(RowLoss, "forward", forward)
    assert reads_of_steps(tokenizer, tmp_path, "muon", "float32") > 0


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
    # What is measured on the test split are the published weights, not the last ones.
    tokens = np.fromfile(tokenizer / "tokens" / "test.bin", "<u2")
    rows = torch.from_numpy(
        np.concatenate([*evaluation_batches(tokens, boundary=int(tokens[0]), context_tokens=16, rows=1)])
    )
    with torch.no_grad():
        logits = GPT2LMHeadModel.from_pretrained(out).eval()(rows[:, :-1].clamp(min=0)).logits
    loss = cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten(), ignore_index=NO_TARGET)
    assert summary.test_loss == pytest.approx(loss.item(), rel=1e-4)


def test_who_is_asked_to_end_saves_first_and_goes_on_later(trained, tokenizer, tmp_path):
    options = words(tokenizer, tmp_path, dropout=0.1, resume_every_seconds=LONG)
    done = run_program("support.stopped_training", *options, STOP_AT="5", STOP_BY="term")
    assert done.returncode == 1, done.stderr
    steps = round(log_of(trained)[-1]["step"])
    assert (
        f"✗ model m: asked to end (SIGTERM, as before a time limit) at step 5 of {steps}, which is saved" in done.stderr
    )
    assert "What to do: run the same command again to go on from there" in done.stderr
    assert "Traceback" not in done.stderr and not (tmp_path / "out").exists()
    assert state_of(tmp_path)["position"]["step"] == 5
    again = run_program("samizdat.models.train_model", *options)
    assert again.returncode == 0, again.stderr
    assert f"resumed at step 5 of {steps}" in (tmp_path / "logs" / "train.log").read_text(encoding="utf-8")
    assert contents(tmp_path / "out") == contents(trained)


def test_where_python_allows_no_handler_training_runs_without_one(trained, tokenizer, tmp_path):
    found = []
    thread = threading.Thread(target=lambda: found.append(run(tokenizer, tmp_path)[1]))
    thread.start()
    thread.join()
    assert contents(found[0]) == contents(trained)


def test_speeds_stay_out_of_the_declared_outputs(trained):
    text = "".join(path.read_text(encoding="utf-8") for path in trained.glob("*.json") if "tokenizer" not in path.name)
    assert not re.search("seconds|per_second|20[0-9]{2}-", text)
    assert json.loads((trained.parent / "work" / "speed.json").read_text(encoding="utf-8"))["tokens_per_second"] > 0
