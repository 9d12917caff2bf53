"""Scores of texts in windows: the same bits in any batch, padded or packed, and close ones computed in float32."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from samizdat.base.device import Device
from samizdat.base.errors import UserError
from samizdat.checkpoints import unpadded
from samizdat.classifiers import outputs
from samizdat.classifiers.text_scores import BATCH_TOKENS, ClassificationSettings, Reading
from support import warm_python
from support.small_classifier import WORDS
from support.small_scoring import probabilities, rows, run, sentences


@pytest.fixture
def padded(monkeypatch):
    """BERT's windows as on a GPU: padded to one length, not packed."""
    monkeypatch.setattr(unpadded, "supports_packing", lambda config: False)


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


def test_padded_windows_have_the_scores_of_packed_ones(classifier, tmp_path, monkeypatch):
    texts = sentences(60, longest=40)
    packed = rows(run(classifier, texts, tmp_path / "rows")[1])
    monkeypatch.setattr(unpadded, "supports_packing", lambda config: False)
    for row, other in zip(rows(run(classifier, texts, tmp_path / "padded")[1]), packed, strict=True):
        np.testing.assert_allclose(row["probabilities"], other["probabilities"], atol=2e-5)
        assert row["windows"] == other["windows"]


def test_as_many_tokens_as_suit_a_cpu_are_its_own_number(classifier, tmp_path):
    texts = sentences(30)
    _, path = run(classifier, texts, tmp_path, batch_tokens="auto")
    expected = path.read_bytes()
    said, path = run(classifier, texts, tmp_path, batch_tokens=BATCH_TOKENS["cpu"])
    assert said == "30 texts, 0 of them new" and path.read_bytes() == expected


def test_a_window_longer_than_the_batch_that_suits_a_cpu_is_read(classifier, tmp_path, monkeypatch):
    monkeypatch.setitem(BATCH_TOKENS, "cpu", 16)
    whole, _ = parts_of_a_long_text()
    (scored,) = rows(run(classifier, [whole], tmp_path, batch_tokens="auto")[1])
    assert scored["windows"] == 3


@pytest.mark.parametrize(
    ("kind", "max_length", "batch_tokens", "few_shot", "computed", "advice"),
    [
        ("cuda", 256, "auto", False, "65536 tokens at once", "batch_tokens to 32768 in the config"),
        ("cuda", 256, "auto", True, "8192 tokens at once", "batch_tokens to 4096 in the config"),
        ("cuda", 256, 4096, True, "4096 tokens at once", "batch_tokens to 2048 in the config"),
        ("cuda", 600, "auto", False, "65536 tokens at once (8192 of long texts)", "batch_tokens to 4096 in the config"),
        ("cpu", 256, 65536, True, "65536 tokens at once", "batch_tokens to 32768 in the config"),
        ("cpu", 512, 768, False, "768 tokens at once",
         "batch_tokens to 384 in the config, and classification.max_length_tokens no higher"),
    ],
)  # fmt: skip
def test_short_memory_names_what_was_computed_and_a_number_that_halves_it(
    kind, max_length, batch_tokens, few_shot, computed, advice
):
    device = Device(kind, "device", fastest="float32", int8=False)
    reading = Reading.of(ClassificationSettings(max_length, 0, batch_tokens, "auto", 0.0), device, threads=1)
    with pytest.raises(UserError) as error, reading.enough_memory(device, few_shot=few_shot):
        raise torch.OutOfMemoryError
    said = str(error.value).splitlines()
    assert (
        said[0].endswith(f"too little memory for {computed}.") and error.value.remedy == f"set classification.{advice}"
    )


def parts_of_a_long_text() -> tuple[str, list[str]]:
    """A text of three windows, and each window as a text of its own."""
    words = np.random.default_rng(1).choice(WORDS, 50)
    return " ".join(words), [" ".join(words[start : start + 22]) for start in (0, 16, 32)]


def test_a_text_with_one_close_window_is_the_mean_of_both_formats(classifier, tmp_path, monkeypatch):
    whole, parts = parts_of_a_long_text()

    def found(texts: list[str], name: str, precision: str, steps: float) -> np.ndarray:
        monkeypatch.setattr(outputs, "CLOSE_STEPS", steps)
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
from samizdat.classifiers import score_store
from samizdat.classifiers.scoring_model import ScoringModel
from support.small_scoring import run, sentences
score_store.SEGMENT_SECONDS = 0
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
    environment = warm_python.programs_environment()
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    said, path = run(classifier, texts, tmp_path / "killed", precision="bfloat16")
    assert said == f"200 texts, {close} of them new"
    assert path.read_bytes() == half.read_bytes()
