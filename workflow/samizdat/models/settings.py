"""The recipe of a training run, how far it is, and the number formats that it computes in."""

import math
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch

from samizdat.base.device import Device


@dataclass(frozen=True)
class TrainingSettings:
    """The keys of `training` in the config, where each is explained."""

    checkpoint: str | None
    revision: str | None
    layers: int
    heads: int
    width: int
    context_tokens: int
    dropout: float
    epochs: float
    batch_tokens: int
    micro_batch_sequences: int | Literal["auto"]
    optimizer: str
    matrix_learning_rate: float
    learning_rate: float
    weight_decay: float
    schedule: str
    warmup_share: float
    decay_share: float
    gradient_clip: float
    precision: str
    compile: bool | Literal["auto"]
    processes: int | Literal["auto"]
    evaluations: int
    patience: int | None
    resume_every_seconds: float
    keep_percents: tuple[int, ...]


@dataclass
class Position:
    """How far a training run is; with weights, optimiser state and random streams, all that a resumed run must know."""

    step: int = 0
    best_step: int = 0
    best_loss: float = math.inf
    stale_evaluations: int = 0
    loss_steps: int = 0  # steps since the last evaluation
    kept: dict[str, int] = field(default_factory=dict)  # percent: step of the checkpoint that was kept
    log: list[dict[str, Any]] = field(default_factory=list)  # rows of train_log.csv
    loss_scale: dict[str, Any] | None = None  # the state of float16's gradient scaler


# Compiling takes a GPU's host half a minute, and a training of fewer operations than this is over sooner without: a
# recorded step (`GradientSum`) already has no gaps. An H200, compiled, computes so many in about a minute.
COMPILED_FROM_OPERATIONS = 2e16


def decided(settings: TrainingSettings, device: Device, *, parameters: int, tokens: int) -> TrainingSettings:
    """The settings with `compile: auto` decided: yes on a CPU, and on a GPU for a training that is long enough.

    Args:
        settings: the recipe.
        device: where it is followed.
        parameters: of the model.
        tokens: of the train split.
    """
    if settings.compile != "auto":
        return settings
    operations = 6 * parameters * tokens * settings.epochs
    return replace(settings, compile=device.kind == "cpu" or operations >= COMPILED_FROM_OPERATIONS)


def number_formats(settings: TrainingSettings, device: Device) -> tuple[bool, torch.dtype]:
    """Whether products with weights are computed in eight-bit integers, and the float format of the others."""
    if settings.precision == "int8":
        return True, device.number_format("auto")
    # Uncompiled, scaling costs more than it brings; a trained model can have a few numbers so large that the
    # others round to 0.
    worth_it = device.int8 and settings.compile and settings.checkpoint is None
    return settings.precision == "auto" and worth_it, device.number_format(settings.precision)
