"""Windows in padded batches: lengths that suit the device, and the same bits in a full batch and in an empty one."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samizdat.checkpoints import unpadded
from samizdat.checkpoints.windows import LENGTHS, Window, batches, bucket_length
from samizdat.classifiers import close_calls
from samizdat.classifiers.score_texts import BATCH_TOKENS
from support.small_classifier import WORDS
from support.small_scoring import probabilities, rows, run, sentences


@pytest.mark.parametrize(
    ("tokens", "kind", "length"),
    [
        (1, "cpu", 4), (17, "cpu", 18), (65, "cpu", 72), (129, "cpu", 144), (257, "cpu", 320), (513, "cpu", 513),
        (1, "cuda", 16), (17, "cuda", 32), (65, "cuda", 96), (129, "cuda", 192), (257, "cuda", 384), (512, "cuda", 512),
        (513, "cuda", 513), (17, "mps", 32),
    ],
)  # fmt: skip
def test_a_window_is_padded_to_the_next_length_of_its_device(tokens, kind, length):
    assert bucket_length(tokens, kind) == length


def test_a_gpu_has_few_lengths_and_its_units_fit_all_of_them():
    assert len(LENGTHS["cuda"]) <= 12 and not any(length % 16 for length in LENGTHS["cuda"])
    assert len(LENGTHS["cpu"]) > 2 * len(LENGTHS["cuda"])
    assert all(list(lengths) == sorted(set(lengths)) for lengths in LENGTHS.values())


@given(
    lengths=st.lists(st.integers(1, 70), max_size=100),
    batch_tokens=st.sampled_from([64, 100, 400]),
    kind=st.sampled_from(["cpu", "cuda"]),
)
def test_every_window_stands_once_in_a_batch_with_a_row_to_spare(lengths, batch_tokens, kind):
    windows = [Window(text, 1, [1 + (text + place) % 90 for place in range(n)]) for text, n in enumerate(lengths)]
    found, shapes = [], {}
    for batch in batches(windows, batch_tokens=batch_tokens, padding_id=0, kind=kind):
        ids, mask = batch.inputs["input_ids"], batch.inputs["attention_mask"]
        shapes.setdefault(ids.shape[1], set()).add((tuple(ids.shape), tuple(mask.shape)))
        for window, row, there in zip(batch.windows, ids.tolist(), mask.tolist(), strict=False):
            size = len(window.tokens)
            assert row == window.tokens + [0] * (len(row) - size) and there == [1] * size + [0] * (len(row) - size)
        assert len(batch.windows) < len(ids)
        assert not mask[len(batch.windows) :, 1:].any() and not ids[len(batch.windows) :].any()
        found += batch.windows
    assert sorted(window.text for window in found) == list(range(len(lengths)))
    for length, seen in shapes.items():
        rows_there = max(1, batch_tokens // length) + 1
        assert seen == {((rows_there, length), (rows_there, length))}


@pytest.fixture
def padded(monkeypatch):
    """BERT's windows as on a GPU: padded to one length, not laid end to end."""
    monkeypatch.setattr(unpadded, "can_read_end_to_end", lambda config: False)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_batch_that_is_full_to_its_last_token_has_no_bits_of_its_own(classifier, tmp_path, padded, precision):
    """Nothing is padded there; transformers then leaves the mask out, and attention has other kernels without one."""
    full = [" ".join(np.random.default_rng(seed).choice(WORDS, 22)) for seed in range(4)]
    short = " ".join(full[0].split()[:-1])  # pads a row of the same batch
    beside = full[0] + " rain"  # as long as a window but for its second, which is short
    options = {"batch_tokens": 96, "precision": precision}
    together = probabilities(run(classifier, [*full, "rain"], tmp_path / "together", **options)[1])
    assert len(together) == 5
    for name, company in {"alone": [full[0]], "padded": [full[0], short], "three": [*full[:3], beside]}.items():
        for key, bits in probabilities(run(classifier, company, tmp_path / name, **options)[1]).items():
            assert bits == together.get(key, bits), name


def test_padded_windows_have_the_scores_of_those_end_to_end(classifier, tmp_path, monkeypatch):
    texts = sentences(60, longest=40)
    end_to_end = rows(run(classifier, texts, tmp_path / "rows")[1])
    monkeypatch.setattr(unpadded, "can_read_end_to_end", lambda config: False)
    for row, other in zip(rows(run(classifier, texts, tmp_path / "padded")[1]), end_to_end, strict=True):
        np.testing.assert_allclose(row["probabilities"], other["probabilities"], atol=2e-5)
        assert row["windows"] == other["windows"]


def test_as_many_tokens_as_suit_a_cpu_are_its_own_number(classifier, tmp_path):
    texts = sentences(30)
    _, path = run(classifier, texts, tmp_path, batch_tokens="auto")
    expected = path.read_bytes()
    said, path = run(classifier, texts, tmp_path, batch_tokens=BATCH_TOKENS["cpu"])
    assert said == "30 texts, 0 of them new" and path.read_bytes() == expected


def parts_of_a_long_text() -> tuple[str, list[str]]:
    """A text of three windows, and each window as a text of its own."""
    words = np.random.default_rng(1).choice(WORDS, 50)
    return " ".join(words), [" ".join(words[start : start + 22]) for start in (0, 16, 32)]


def test_a_text_with_one_close_window_is_the_mean_of_both_formats(classifier, tmp_path, monkeypatch):
    whole, parts = parts_of_a_long_text()

    def found(texts: list[str], name: str, precision: str, steps: float) -> np.ndarray:
        monkeypatch.setattr(close_calls, "CLOSE_STEPS", steps)
        path = run(classifier, texts, tmp_path / name, precision=precision)[1]
        return np.array([row["probabilities"] for row in rows(path)], np.float64)

    exact, half = found(parts, "exact", "float32", 0), found(parts, "half", "bfloat16", 0)
    for steps in np.geomspace(0.5, 500, 40):
        mixed = found(parts, f"mixed {steps}", "bfloat16", steps)
        again = (mixed == exact).all(axis=1)
        if again.sum() == 1:
            break
    assert again.sum() == 1 and (mixed[~again] == half[~again]).all() and (mixed != half).any()
    (scored,) = found([whole], "whole", "bfloat16", steps)
    np.testing.assert_allclose(scored, np.average(mixed, axis=0, weights=[24, 24, 20]), atol=1e-7)
    for other in (exact, half):
        assert not np.allclose(scored, np.average(other, axis=0, weights=[24, 24, 20]), atol=1e-7)


KILLED = """
import os, signal
from pathlib import Path
import torch
from samizdat.classifiers.scoring_model import ScoringModel
from support.small_scoring import run, sentences
load = ScoringModel._load
def load_or_die(self, folder, dtype):
    if dtype is torch.float32:
        os.kill(os.getpid(), signal.SIGKILL)
    return load(self, folder, dtype)
ScoringModel._load = load_or_die
run(Path({classifier!r}), sentences(200), Path({folder!r}), precision="bfloat16")
"""


def test_a_kill_between_the_passes_costs_the_close_calls_alone(classifier, tmp_path):
    texts = sentences(200)
    _, half = run(classifier, texts, tmp_path / "half", precision="bfloat16")
    _, exact = run(classifier, texts, tmp_path / "exact")
    close = sum(bits == probabilities(exact)[key] for key, bits in probabilities(half).items())
    assert 0 < close < 180
    program = KILLED.format(classifier=str(classifier), folder=str(tmp_path / "killed"))
    environment = os.environ | {"PYTHONPATH": f"{Path(__file__).parents[2]}:{os.environ.get('PYTHONPATH', '')}"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    said, path = run(classifier, texts, tmp_path / "killed", precision="bfloat16")
    assert said == f"200 texts, {close} of them new"
    assert path.read_bytes() == half.read_bytes()
