"""Measure the training of GPT-2 124M on a GPU, compared with the Trainer notebook and the GPU's peak rate."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from rates import matrix_rate, operations_per_token
from record import Figure, middle
from stage import environment, settings_of

from samizdat.models.settings import TrainingSettings
from samizdat.models.train_model import train_model
from samizdat.records.io import read_document
from samizdat.records.models import TokenizerSummary

PEERS = Path(__file__).parent / "peers"


@dataclass(frozen=True)
class Sizes:
    """How much of everything is measured."""

    model: dict[str, Any]  # changes of the training settings that ship
    steps: int  # of our training
    peer: dict[str, int]  # the Trainer notebook's shape, context and batch
    peer_steps: int
    matrices: tuple[int, ...]
    samples: int
    piped: int  # of them, prompt by prompt
    new_tokens: int
    batch: int  # of `model.generate`
    slots: int
    scored: int  # texts to classify
    learned: int  # texts to fine-tune on
    repeats: int


FULL = Sizes(
    model={}, steps=40, peer={"layers": 12, "heads": 12, "width": 768, "context": 512, "batch": 16}, peer_steps=24,
    matrices=(8192, 16384), samples=512, piped=6, new_tokens=100, batch=64, slots=256, scored=5000, learned=3200,
    repeats=3,
)  # fmt: skip
QUICK = Sizes(
    model={"layers": 1, "heads": 2, "width": 32, "context_tokens": 32, "batch_tokens": 1024, "compile": False},
    steps=8, peer={"layers": 1, "heads": 2, "width": 32, "context": 32, "batch": 4}, peer_steps=8, matrices=(256,),
    samples=12, piped=2, new_tokens=8, batch=4, slots=4, scored=60, learned=96, repeats=2,
)  # fmt: skip


def settings_for(overlay: str, tokenizer: Path, sizes: Sizes, **changes: Any) -> TrainingSettings:
    """Return the training settings of one of our overlays, for a given number of steps."""
    # In a long training, `compile: auto` compiles; these few steps are measured in its place.
    values = settings_of(overlay) | {"checkpoint": None, "revision": None, "compile": True} | sizes.model | changes
    values |= {"evaluations": 2, "keep_percents": (100,), "patience": None}
    tokens = read_document(TokenizerSummary, tokenizer / "summary.json").tokens["train"]
    values["epochs"] = sizes.steps * values["batch_tokens"] / tokens
    return TrainingSettings(**values)


def our_training(settings: TrainingSettings, tokenizer: Path, folder: Path, device: str) -> dict[str, Any]:
    """Train once; return tokens per second after warm-up, the summary, and the peak memory of tensors."""
    shutil.rmtree(folder, ignore_errors=True)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    train_model(settings, "m", (), tokenizer, folder / "out", folder / "work", device, threads=2, seed=1)
    speed = json.loads((folder / "work" / "speed.json").read_text(encoding="utf-8"))
    summary = json.loads((folder / "out" / "summary.json").read_text(encoding="utf-8"))
    peak = torch.cuda.max_memory_allocated() / 1e9 if device == "cuda" else 0.0
    shutil.rmtree(folder)
    return {"tokens_per_second": speed["warm_tokens_per_second"], "peak_gigabytes": peak, **summary}


def speeds(tokenizer: Path, folder: Path, device: str, sizes: Sizes) -> dict[str, Figure]:
    """Measure GPT-2 124M with the settings of gpt2-small.yaml, compared with the GPU's rate and the notebook."""
    rate = matrix_rate(device, 2, sizes.matrices)
    settings = settings_for("gpt2-small.yaml", tokenizer, sizes, precision="bfloat16")
    ours = [our_training(settings, tokenizer, folder / "ours", device) for _ in range(sizes.repeats)]
    half = our_training(replace(settings, precision="float16"), tokenizer, folder / "ours", device)
    vocabulary = read_document(TokenizerSummary, tokenizer / "summary.json").vocabulary_size
    operations = operations_per_token(
        layers=settings.layers, width=settings.width, context=settings.context_tokens, vocabulary=vocabulary
    )
    found = [each["tokens_per_second"] for each in ours]
    figures = {
        "matrix_rate": middle("the GPU's rate in large bfloat16 products, in trillion operations a second",
                              [each / 1e12 for each in rate]),
        "tokens_per_second": middle("tokens a second of GPT-2 124M from scratch, warm", found),
        "rate_share": middle("share of that rate in a training step",
                             [speed * operations / median(rate) for speed in found], 0.5),
        "best_rate_share": middle("share of the best of the five measurements of that rate, before the GPU throttles",
                                  [speed * operations / max(rate) for speed in found]),
        "peak_gigabytes": Figure("memory of that training, GB at most", ours[0]["peak_gigabytes"]),
        "sequences": Figure("sequences that it computes at once", ours[0]["micro_batch_sequences"]),
        "float16_speed": Figure("float16 with the scaler, times bfloat16's speed",
                                half["tokens_per_second"] / median(found), 0.9),
        "float16_percent": Figure("its validation loss against bfloat16's, difference in percent",
                                  100 * abs(half["validation_loss"] / ours[0]["validation_loss"] - 1), 1.0,
                                  less_is_better=True),
    }  # fmt: skip
    continued = our_training(settings_for("gpu.yaml", tokenizer, sizes), tokenizer, folder / "ours", device)
    figures["continued_tokens_per_second"] = Figure("tokens a second with the settings of gpu.yaml",
                                                    continued["tokens_per_second"])  # fmt: skip
    return figures


def against_trainer(
    ours: Figure, tokenizer: Path, corpus: Path, folder: Path, device: str, sizes: Sizes
) -> dict[str, Figure]:
    """Compare with the Trainer notebook at GPT-2 124M: float32, contexts of 512 tokens, batches of 16."""
    folder.mkdir(exist_ok=True)
    options = {"texts": corpus, "tokenizer": tokenizer, **sizes.peer, "steps": sizes.peer_steps, "evaluations": 0,
               "device": device, "threads": 2}  # fmt: skip
    theirs = peer("trainer_notebook.py", options, folder)
    ends = theirs["step_ends"][sizes.peer_steps // 3 :]
    trainer = theirs["tokens_per_step"] / median(float(step) for step in np.diff(ends))
    return {
        "trainer_tokens_per_second": Figure("tokens a second of the Trainer notebook", trainer),
        "against_trainer": middle(
            "characters a second, times those of the Trainer notebook",
            [speed / trainer for speed in (*(ours.spread or ()), ours.value)], 5,
        ),
    }  # fmt: skip


def peer(script: str, options: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run a peer as a program of its own; return its measurements."""
    out = folder / f"{script}.json"
    words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    subprocess.run([sys.executable, PEERS / script, *words, "--out", out], check=True, env=environment(folder / "peer"))
    return json.loads(out.read_text(encoding="utf-8"))
