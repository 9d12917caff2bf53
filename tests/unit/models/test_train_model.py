"""Training: a checkpoint that transformers reads, and the same bytes each time."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer, GPT2LMHeadModel

from samizdat.base.errors import UserError
from samizdat.base.files import checksum_file, write_text
from samizdat.base.reuse import store_result
from samizdat.models.head_loss import NO_TARGET
from samizdat.models.row_loss import RowLoss
from samizdat.models.rows import evaluation_batches
from samizdat.records.io import read_document, read_table, write_document
from samizdat.records.models import TEST_LOSSES, TRAIN_LOG_COLUMNS, ModelSummary, TokenizerSummary
from support.small_training import contents, log_of, run


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


@pytest.mark.parametrize("split", ["validation", "test"])
def test_bits_per_byte_are_those_of_an_independent_count(trained, tokenizer, split):
    summary = vars(read_document(ModelSummary, trained / "summary.json"))
    vocabulary = read_document(TokenizerSummary, tokenizer / "summary.json")
    model = GPT2LMHeadModel.from_pretrained(trained).eval()
    tokens = np.fromfile(tokenizer / "tokens" / f"{split}.bin", "<u2")
    rows = torch.from_numpy(
        np.concatenate([*evaluation_batches(tokens, boundary=vocabulary.boundary_token_id, context_tokens=16, rows=1)])
    )
    with torch.no_grad():
        logits = model(rows[:, :-1].clamp(min=0)).logits
    nats = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), rows[:, 1:].flatten(), ignore_index=NO_TARGET, reduction="sum"
    ).item()
    held_out = sum(
        len(text.encode()) for text in AutoTokenizer.from_pretrained(tokenizer).decode(tokens).split("<|endoftext|>")
    )
    assert vocabulary.utf8_bytes[split] == held_out
    assert summary[f"{split}_bits_per_byte"] == pytest.approx(nats / np.log(2) / held_out, rel=1e-4)
    assert summary[f"{split}_loss"] == pytest.approx(nats / len(tokens), rel=1e-4)
    assert summary[f"{split}_perplexity"] == pytest.approx(np.exp(nats / len(tokens)), rel=1e-3)


def test_the_loss_of_each_test_text_is_that_of_its_tokens_and_of_its_end(trained, tokenizer):
    boundary = read_document(TokenizerSummary, tokenizer / "summary.json").boundary_token_id
    tokens = np.fromfile(tokenizer / "tokens" / "test.bin", "<u2").astype(int)
    stream = np.append(tokens, boundary)
    model = GPT2LMHeadModel.from_pretrained(trained).eval()
    wanted, each, place = [], [], 0
    for text in np.split(tokens, np.flatnonzero(tokens == boundary)[1:]):
        total = 0.0
        for number in range(place, place + len(text)):
            begin = number // 16 * 16  # as the stream is cut into rows
            with torch.no_grad():
                logits = model(torch.from_numpy(stream[None, begin : number + 1])).logits[0, -1]
            each.append(-torch.log_softmax(logits, 0)[stream[number + 1]].item())
            total += each[-1]
        wanted.append((total, len(text)))
        place += len(text)
    found = read_table(trained / "test_losses.parquet", TEST_LOSSES)
    assert found["tokens"].tolist() == [length for _, length in wanted] and len(found) == 10
    assert found["nats"].to_numpy() == pytest.approx([total for total, _ in wanted], rel=1e-4)
    assert found["token_nats"].map(len).tolist() == [length for _, length in wanted]
    assert np.concatenate(found["token_nats"].tolist()) == pytest.approx(each, rel=1e-3)


def test_what_the_test_split_holds_changes_no_weight_and_no_choice(trained, tokenizer, tmp_path):
    other = shutil.copytree(tokenizer, tmp_path / "own")
    tokens = np.fromfile(other / "tokens" / "test.bin", "<u2")
    tokens[tokens != tokens[0]] = 5
    (other / "tokens" / "test.bin").write_bytes(tokens.tobytes())
    checksum_file(other / "tokens" / "test.bin").unlink()
    _, out = run(other, tmp_path)
    first, second = contents(trained), contents(out)
    differ = {name for name in first if first[name] != second[name]}
    assert differ == {"summary.json", "test_losses.parquet"}
    summaries = [vars(read_document(ModelSummary, folder / "summary.json")) for folder in (trained, out)]
    assert {key for key in summaries[0] if summaries[0][key] != summaries[1][key]} == {
        "test_loss", "test_perplexity", "test_bits_per_byte"}  # fmt: skip


def test_a_model_without_checkpoints_on_the_way_is_the_same_model(trained, tokenizer, tmp_path):
    _, out = run(tokenizer, tmp_path, keep_percents=(100,))
    assert contents(out).keys() == {name for name in contents(trained) if not name.startswith("steps/")}
    assert contents(out)["model.safetensors"] == contents(trained)["model.safetensors"]


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


def test_a_prompt_that_fills_the_context_is_refused_before_the_training_and_changes_no_weight(
    trained, tokenizer, tmp_path
):
    with pytest.raises(
        UserError, match=r"the prompt '(word ){12}' has \d+ tokens; the model 'm' can continue at most 14"
    ):
        run(tokenizer, tmp_path, prompts=("", "word " * 40))
    assert not (tmp_path / "out").exists() and not list((tmp_path / "work").glob("*state*"))
    _, again = run(tokenizer, tmp_path, prompts=("", "the old model"))
    assert contents(again) == contents(trained)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_a_device_that_is_not_there_is_refused(tokenizer, tmp_path):
    with pytest.raises(UserError, match=r"device: cuda is asked for, but torch .* finds none"):
        run(tokenizer, tmp_path, device="cuda")


def test_the_same_run_makes_the_same_bytes_and_another_seed_does_not(trained, tokenizer, tmp_path):
    _, again = run(tokenizer, tmp_path / "again")
    assert contents(again) == contents(trained)
    _, other = run(tokenizer, tmp_path / "other", seed=2)
    assert contents(other)["model.safetensors"] != contents(trained)["model.safetensors"]


def test_a_disk_that_is_too_small_is_refused_before_training(trained, tokenizer, tmp_path, monkeypatch):
    free = 200_000
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=free))
    with pytest.raises(UserError, match=r"training takes up to \d+\.\d MB in .*work, where 0\.\d MB are free"):
        run(tokenizer, tmp_path)
    assert not (tmp_path / "out").exists() and not (tmp_path / "work" / "best").exists()


def test_training_that_runs_out_of_memory_names_the_key(tokenizer, tmp_path, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(RowLoss, "forward", full)
    with pytest.raises(
        UserError, match=r"too little memory for 2 sequences at once(?s:.*)training.micro_batch_sequences"
    ):
        run(tokenizer, tmp_path)


def test_a_finished_model_is_put_back_in_a_moment(trained, tokenizer, tmp_path):
    others = [tmp_path / "out" / name for name in ("inside/tokens.parquet", "eight_bits/100.safetensors")]
    for path in others:
        write_text(path, "of a step that follows, after an earlier training")
    first, out = run(tokenizer, tmp_path)
    assert "after" in first
    (out / "model.safetensors").unlink()
    for path in others:  # as Snakemake does before it makes them anew
        path.unlink()
    second, out = run(tokenizer, tmp_path)
    assert second.endswith("as trained before") and contents(out) == contents(trained)
    damaged = tmp_path / "work" / "finished" / "model.safetensors"
    damaged.unlink()
    damaged.write_bytes(b"damaged")
    third, out = run(tokenizer, tmp_path)
    assert "after" in third and contents(out) == contents(trained)


def test_what_a_kill_left_of_a_finished_training_is_deleted_and_another_trainings_state_is_not(
    tokenizer, tmp_path, monkeypatch
):
    def killed(*arguments):
        raise KeyboardInterrupt

    def stored_and_killed(*arguments):
        store_result(*arguments)
        raise KeyboardInterrupt

    def states():
        return sorted(path.name for path in (tmp_path / "work").iterdir() if path.name in ("state.safetensors", "best"))

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("samizdat.models.train_model.store_result", stored_and_killed)
        run(tokenizer, tmp_path, resume_every_seconds=0)
    assert states() == ["best", "state.safetensors"]
    assert run(tokenizer, tmp_path)[0].endswith("as trained before") and states() == []
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("samizdat.models.train_model.write_model", killed)
        run(tokenizer, tmp_path, resume_every_seconds=0, learning_rate=0.02)
    assert run(tokenizer, tmp_path)[0].endswith("as trained before")
    assert states() == ["best", "state.safetensors"]


def test_what_the_tokenizer_is_called_and_counts_today_is_what_the_summary_says(tokenizer, tmp_path):
    _, out = run(tokenizer, tmp_path)
    first = read_document(ModelSummary, out / "summary.json")
    vocabulary = read_document(TokenizerSummary, tokenizer / "summary.json")
    other = shutil.copytree(tokenizer, tmp_path / "other")
    write_document(replace(vocabulary, name="other"), other / "summary.json")
    said, _ = run(other, tmp_path)
    assert said.endswith("as trained before")
    assert read_document(ModelSummary, out / "summary.json") == replace(first, tokenizer="other")
    # The same tokens of other texts, as a tokenizer gives them that writes capital letters as small ones.
    sizes = {split: 2 * size for split, size in vocabulary.utf8_bytes.items()}
    write_document(replace(vocabulary, utf8_bytes=sizes), other / "summary.json")
    run(other, tmp_path)
    found = read_document(ModelSummary, out / "summary.json")
    assert found.test_bits_per_byte == pytest.approx(first.test_bits_per_byte / 2)
    assert found.validation_bits_per_byte == pytest.approx(first.validation_bits_per_byte / 2)
