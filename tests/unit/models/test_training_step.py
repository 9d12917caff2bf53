"""Between evaluations a training step asks no tensor for a number: on a GPU each such question would be a wait."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from samizdat.models.head_loss import head_loss
from samizdat.models.row_loss import RowLoss
from support.small_training import SETTINGS

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
