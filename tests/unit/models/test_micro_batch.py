"""How many sequences are computed at once: as many as fit, found without a trace, and found only once."""

import json
from dataclasses import replace

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from samizdat.base.device import Device
from samizdat.base.errors import UserError
from samizdat.base.files import write_text
from samizdat.models import micro_batch
from samizdat.models.row_loss import RowLoss
from samizdat.models.workers import Workers
from samizdat.records.io import read_document
from samizdat.records.models import ModelSummary
from support.small_training import SETTINGS, contents, run

CPU = Device("cpu", "processor", fastest="float32", int8=False)


@pytest.fixture
def holds(monkeypatch):
    """Give the device memory for a number of sequences; return the numbers that are tried."""

    def hold(most: int) -> list[int]:
        tried = []
        forward = RowLoss.forward

        def limited(self, rows):
            tried.append(len(rows))
            if len(rows) > most:
                raise torch.OutOfMemoryError("out of memory")
            return forward(self, rows)

        monkeypatch.setattr(RowLoss, "forward", limited)
        return tried

    return hold


def sequences_of(out) -> int:
    return read_document(ModelSummary, out / "summary.json").micro_batch_sequences


@pytest.mark.parametrize(
    ("batch_tokens", "most_tokens", "expected"),
    [(64, 8192, 4), (64, 63, 2), (64, 64, 4), (64, 15, 1), (96, 80, 3), (112, 96, 1)],
)
def test_the_largest_divisor_of_a_batch_is_taken(
    tokenizer, tmp_path, monkeypatch, capsys, batch_tokens, most_tokens, expected
):
    monkeypatch.setitem(micro_batch.MOST_TOKENS, "cpu", most_tokens)
    _, out = run(tokenizer, tmp_path, micro_batch_sequences="auto", batch_tokens=batch_tokens, epochs=0.2)
    assert sequences_of(out) == expected
    said = "only 1 of the 7 sequences of a batch at once, since 7 has few divisors"
    told = capsys.readouterr().err
    assert ("few divisors" in told) == (batch_tokens == 112)
    assert batch_tokens != 112 or (said in told and "such as to 128" in told)


def test_where_memory_runs_out_the_next_smaller_is_taken(tokenizer, tmp_path, holds):
    tried = holds(3)
    _, out = run(tokenizer, tmp_path, micro_batch_sequences="auto", batch_tokens=192, epochs=0.2)
    assert tried[:4] == [12, 6, 4, 3] and sequences_of(out) == 3 and max(tried[4:]) == 3


def test_not_even_one_sequence_is_an_error_for_people(tokenizer, tmp_path, holds):
    tried = holds(0)
    with pytest.raises(UserError, match=r"too little memory for 1 sequence of 16 tokens") as error:
        run(tokenizer, tmp_path, micro_batch_sequences="auto")
    assert "lower training.context_tokens in the config" in str(error.value) and tried == [4, 2, 1]
    assert not (tmp_path / "work" / "micro_batch.json").exists()


def test_the_search_leaves_no_trace_in_the_model(tokenizer, tmp_path, holds):
    """With dropout, whose random stream a search that fails and one that succeeds draw from."""
    holds(2)
    _, found = run(tokenizer, tmp_path / "found", micro_batch_sequences="auto", dropout=0.2)
    _, given = run(tokenizer, tmp_path / "given", micro_batch_sequences=2, dropout=0.2)
    assert contents(found) == contents(given)


def test_the_search_changes_neither_weights_nor_gradients_nor_random_numbers(tmp_path, holds):
    holds(2)
    settings = replace(SETTINGS, micro_batch_sequences="auto")
    model = GPT2LMHeadModel(GPT2Config(vocab_size=300, n_positions=16, n_embd=16, n_layer=1, n_head=2))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(5)
    stream = torch.get_rng_state()
    record = tmp_path / "micro_batch.json"
    assert micro_batch.micro_batch_sequences(settings, model, CPU, Workers(0, 1, "cpu"), record, "mark") == 2
    assert torch.equal(torch.get_rng_state(), stream)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_what_was_found_is_taken_again(tokenizer, tmp_path, monkeypatch):
    changes = {"micro_batch_sequences": "auto", "epochs": 0.2}
    run(tokenizer, tmp_path, **changes)
    record = tmp_path / "work" / "micro_batch.json"
    found = json.loads(record.read_text(encoding="utf-8"))
    assert found["sequences"] == 4
    for leftover in (tmp_path / "work" / "finished").rglob("*"):
        leftover.unlink() if leftover.is_file() else None
    write_text(record, json.dumps(found | {"sequences": 2}))
    with monkeypatch.context() as patch:
        patch.setattr(micro_batch, "_dry_step", None)  # nothing is tried
        _, out = run(tokenizer, tmp_path, **changes)
    assert sequences_of(out) == 2
    # Of another recipe it says nothing, nor when it is damaged.
    _, out = run(tokenizer, tmp_path, **changes, learning_rate=0.02)
    assert sequences_of(out) == 4
    record.write_text("{", encoding="utf-8")
    _, out = run(tokenizer, tmp_path, **changes, learning_rate=0.03)
    assert sequences_of(out) == 4


@pytest.mark.parametrize(
    ("rank", "count", "batch_tokens", "said"),
    [
        (
            0,
            1,
            72,
            r"batch_tokens 72 can't be shared evenly by 1 process in sequences of 16 .*multiple of 16 in",
        ),
        (
            1,
            3,
            64,
            r"batch_tokens 64 can't be shared evenly by 3 processes in sequences of 16 .*multiple of 48 in",
        ),
    ],
)
def test_a_batch_that_cant_be_shared_is_refused(tmp_path, rank, count, batch_tokens, said):
    settings = replace(SETTINGS, batch_tokens=batch_tokens, processes="auto")
    with pytest.raises(UserError, match=f"(?s){said}"):
        micro_batch.micro_batch_sequences(settings, None, CPU, Workers(rank, count, "cpu"), tmp_path / "record", "mark")


def test_what_the_first_process_has_recorded_is_taken_by_the_others(tmp_path, monkeypatch):
    """They read no record of their own, and try nothing."""
    said = iter([True, 3])  # whether there is a record, and its number
    monkeypatch.setattr(Workers, "agree", lambda self, value: int(value) * 0 + next(said))
    monkeypatch.setattr(micro_batch, "_dry_step", None)
    settings = replace(SETTINGS, batch_tokens=192, micro_batch_sequences="auto", processes=2)
    second = Workers(1, 2, "cpu")
    assert micro_batch.micro_batch_sequences(settings, None, CPU, second, tmp_path / "record", "mark") == 3
