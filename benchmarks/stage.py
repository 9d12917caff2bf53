"""Run our training stage as the workflow does, and read the times from its log."""

import json
import math
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from samizdat.base import configuration
from samizdat.base.hardware import LIBRARY_SETTINGS
from samizdat.base.seeds import derive_seed

ROOT = Path(__file__).parents[1]
LINE = re.compile(r"^(\S+ \S+) samizdat INFO step (\d+) of \d+: ([0-9.]+) bits per byte$", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """One training run, from the start of its process to the end."""

    seconds: float  # of the whole program
    curve: list[tuple[float, int, float]]  # seconds since the start, step, validation bits per byte
    summary: dict[str, Any]
    warm_tokens_per_second: float  # between evaluations, compilation left out

    def seconds_to(self, bits_per_byte: float) -> float:
        """Return the seconds until a logged validation was first that good; infinite where none was."""
        return next((seconds for seconds, _, bits in self.curve if bits <= bits_per_byte), math.inf)

    @property
    def warm_up_seconds(self) -> float:
        """Return the seconds from the start to the first logged validation, before the first step."""
        return self.curve[0][0]


def settings_of(*overlays: str, **changes: Any) -> dict[str, Any]:
    """Return the first model's settings of config/config.yaml, with overlays and changes of keys."""
    config: dict[str, Any] = {}
    for name in ("config.yaml", *overlays):
        overlay = yaml.safe_load((ROOT / "config" / name).read_text(encoding="utf-8"))
        for key, value in overlay.items():
            config[key] = {**config[key], **value} if isinstance(config.get(key), dict) else value
    name = config["models"][0]["name"]
    return configuration.training_options(config, name) | configuration.state_options(config, name) | changes


def train(
    settings: dict[str, Any],
    tokenizer: Path,
    folder: Path,
    *,
    device: str,
    threads: int,
    seed: int,
    compiled: Path | None = None,
) -> Run:
    """Train from nothing in a new folder, of which only the log is kept; time starts with the process, as a peer's.

    Nothing is compiled before, unless `compiled` has kernels of other runs.
    """
    shutil.rmtree(folder, ignore_errors=True)
    started = time.time()
    words = command(settings, tokenizer, folder, device=device, threads=threads, seed=seed)
    done = subprocess.run(words, env=environment(compiled or folder / "compiled"))
    seconds = time.time() - started
    if done.returncode:
        raise SystemExit(f"the stage failed; its log: {folder / 'train.log'}")
    curve = [
        (datetime.strptime(when, "%Y-%m-%d %H:%M:%S,%f").timestamp() - started, int(step), float(bits))
        for when, step, bits in LINE.findall((folder / "train.log").read_text(encoding="utf-8"))
    ]
    summary = json.loads((folder / "out" / "summary.json").read_text(encoding="utf-8"))
    speed = json.loads((folder / "work" / "speed.json").read_text(encoding="utf-8"))
    shutil.rmtree(folder / "work")
    shutil.rmtree(folder / "compiled", ignore_errors=True)
    return Run(seconds, curve, summary, speed["warm_tokens_per_second"])


def environment(compiled: Path) -> dict[str, str]:
    """Return the environment of stages and peers, as the rules set it; compiled kernels go to `compiled`."""
    return os.environ | {
        **LIBRARY_SETTINGS,
        "PYTHONPATH": f"{ROOT / 'workflow'}:{os.environ.get('PYTHONPATH', '')}",
        "PYTHONHASHSEED": "0",
        "TORCHINDUCTOR_CACHE_DIR": str(compiled.absolute()),
    }


def command(
    settings: dict[str, Any], tokenizer: Path, folder: Path, *, device: str, threads: int, seed: int
) -> list[str]:
    """Return the command line of the stage, as the rule writes it."""
    values = settings | {
        "name": "benchmark", "prompts": [], "tokenizer": tokenizer, "out": folder / "out", "work": folder / "work",
        "device": device, "threads": threads, "seed": derive_seed(seed, "training", "benchmark"),
        "log": folder / "train.log", "title": "benchmark",
    }  # fmt: skip
    words = [
        f"--{key.replace('_', '-')}={value if isinstance(value, str | Path) else json.dumps(value)}"
        for key, value in values.items()
    ]
    processes = settings["processes"]
    program = (
        ["samizdat.models.train_model"]
        if processes == 1
        else ["samizdat.models.launch", str(processes), "samizdat.models.train_model"]
    )
    return [sys.executable, "-m", *program, *words]
