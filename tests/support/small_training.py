"""Train a model in about a second."""

import csv
import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from samizdat.base.files import is_checksum
from samizdat.models.make_tokenizer import TokenizerSettings, make_tokenizer
from samizdat.models.settings import TrainingSettings
from samizdat.models.state import StateWriter
from samizdat.models.train_model import train_model
from support import warm_python
from support.small_corpus import write_texts

SETTINGS = TrainingSettings(
    recipe=None, checkpoint=None, revision=None, layers=1, heads=2, width=16, context_tokens=16, dropout=0.1,
    epochs=2.0, batch_tokens=64, micro_batch_sequences=2, optimizer="muon", matrix_learning_rate=0.02,
    learning_rate=0.01, weight_decay=0.1, schedule="warmup-stable-decay", warmup_share=0.1, decay_share=0.4,
    gradient_clip=1.0,
    precision="float32", compile=False, processes=1, evaluations=4, patience=None, resume_every_seconds=0.0,
    keep_percents=(25, 100),
)  # fmt: skip
LONG = 1e9  # seconds
WORDS = ["the", "old", "model", "reads", "letters", "and", "writes", "new", "poems", "about", "rain"]


def write_tokenizer(folder: Path) -> Path:
    """Write a tokenizer's folder with seventy sentences of few words: ten to select on, ten to measure on."""
    random = np.random.default_rng(5)
    texts = [f"{' '.join(random.choice(WORDS, 8))} {number}" for number in range(70)]
    settings = TokenizerSettings("own", "train", 300, None, None)
    corpus = write_texts(texts, folder / "texts.parquet", held_out=10, validation=10)
    make_tokenizer(settings, corpus, None, folder / "own")
    return folder / "own"


def run(tokenizer, folder, seed=1, device="cpu", prompts=(), **changes):
    """Train into `folder/out` with the state in `folder/work`; return the stage's line and the model's folder."""
    said = train_model(
        replace(SETTINGS, **changes), "m", prompts, tokenizer, folder / "out", folder / "work", device, threads=1,
        seed=seed,
    )  # fmt: skip
    return said, folder / "out"


def words(tokenizer: Path, folder: Path, **changes) -> list[str]:
    """Return the options of the training program, by default without dropout."""
    options = asdict(replace(SETTINGS, **{"dropout": 0.0, **changes})) | {
        "name": "m", "prompts": (), "tokenizer": tokenizer, "out": folder / "out", "work": folder / "work",
        "device": "cpu", "threads": 1, "seed": 1, "log": folder / "logs" / "train.log", "title": "model m",
    }  # fmt: skip
    return [
        f"--{key.replace('_', '-')}={value if isinstance(value, str | Path) else json.dumps(value)}"
        for key, value in options.items()
    ]


def run_program(*line: str, **environment: str) -> subprocess.CompletedProcess:
    """Run `python -m` to its end; the modules in tests/ can be run too. It starts warm."""
    used = warm_python.programs_environment() | environment
    return subprocess.run([sys.executable, "-m", *line], capture_output=True, text=True, env=used)


def stop_after_a_state(monkeypatch, tokenizer: Path, folder: Path, **changes) -> None:
    """Train until the first state is written, then stop."""

    class Stop(Exception):
        pass

    def save_and_stop(self, *arguments):
        save(self, *arguments)
        self.wait()
        raise Stop

    save = StateWriter.save
    with monkeypatch.context() as patch:
        patch.setattr(StateWriter, "save", save_and_stop)
        with pytest.raises(Stop):
            run(tokenizer, folder, **changes)


def log_of(out) -> list[dict[str, float]]:
    with (out / "train_log.csv").open(encoding="utf-8") as file:
        return [{key: float(value or "nan") for key, value in row.items()} for row in csv.DictReader(file)]


def state_of(folder: Path) -> dict:
    """What the saved state in a folder says about itself."""
    with safe_open(folder / "work" / "state.safetensors", "pt") as file:
        metadata = file.metadata()
        return {**metadata, "position": json.loads(metadata["position"]), "names": set(file.keys())}


def contents(folder) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and not is_checksum(path)]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
