"""The recipe of a training run, and what follows from it: steps, number formats, whether to compile."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch

from samizdat.base.device import Device


@dataclass(frozen=True)
class TrainingSettings:
    """The keys of `training` in the config, where each is explained."""

    recipe: tuple[str, ...] | None  # the keys that a recipe decides (`recipe.decided_by_recipe`)
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


@dataclass(frozen=True)
class StepPlan:
    """How many optimiser steps a training has, and after which of them something is due."""

    steps: int
    rows_per_step: int
    kept: dict[int, int]  # percent of training below 100 → step of its checkpoint
    evaluations: frozenset[int]  # steps after which the model is evaluated, those of the checkpoints included

    @classmethod
    def of(cls, settings: TrainingSettings, *, context_tokens: int, rows_per_epoch: int) -> "StepPlan":
        """Compute the plan.

        Args:
            settings: the recipe.
            context_tokens: of a row, which is the model's context.
            rows_per_epoch: rows of the train split.
        """
        rows_per_step = settings.batch_tokens // context_tokens
        steps = max(1, round(settings.epochs * rows_per_epoch / rows_per_step))
        kept = {percent: round(steps * percent / 100) for percent in settings.keep_percents[:-1]}
        marks = range(settings.evaluations + 1)
        evaluations = {round(steps * mark / settings.evaluations) for mark in marks}
        return cls(steps, rows_per_step, kept, frozenset(evaluations.union(kept.values())))


# A training of fewer steps is told of: 409 poems in steps of 8,192 tokens reached 3.59 bits per byte, in smaller steps
# 3.21.
FEWEST_STEPS = 100


def enough_steps(
    settings: TrainingSettings, *, context_tokens: int, rows_per_epoch: int, processes: int
) -> dict[str, float]:
    """Return the keys of `training` to change for FEWEST_STEPS steps.

    Where a part of an epoch has so many, this part; else smaller steps, and only then more epochs.

    Args:
        settings: a recipe with fewer steps.
        context_tokens: of a row.
        rows_per_epoch: rows of the train split.
        processes: that share a batch evenly.
    """
    part = FEWEST_STEPS * settings.batch_tokens / context_tokens / rows_per_epoch
    if part <= 1:
        scale = 10 ** (1 - math.floor(math.log10(part)))  # two digits that count
        return {"epochs": (math.floor(part * scale) + 1) / scale}
    share = max(1, int(settings.epochs * rows_per_epoch) // FEWEST_STEPS // processes)
    sequences = settings.micro_batch_sequences
    wanted: dict[str, float] = {}
    if sequences != "auto" and share < sequences:
        wanted["micro_batch_sequences"] = share
    elif sequences != "auto":
        share = share // sequences * sequences
    rows = share * processes
    if rows * context_tokens < settings.batch_tokens:
        wanted["batch_tokens"] = rows * context_tokens
    if settings.epochs * rows_per_epoch < FEWEST_STEPS * rows:
        wanted["epochs"] = math.ceil(FEWEST_STEPS * rows / rows_per_epoch)
    return wanted


# Compiling takes a GPU's host half a minute. A training of fewer operations than this ends sooner without: a recorded
# step (`GradientSum`) already has no gaps. Compiled, an H200 computes this many operations in about a minute.
COMPILED_FROM_OPERATIONS = 2e16


def decided(settings: TrainingSettings, device: Device, *, parameters: int, tokens: int) -> TrainingSettings:
    """Decide `compile: auto`: compile on a CPU, and on a GPU if the training is long enough.

    Args:
        settings: the recipe.
        device: where the model is trained.
        parameters: of the model.
        tokens: of the train split.
    """
    if settings.compile != "auto":
        return settings
    operations = 6 * parameters * tokens * settings.epochs
    return replace(settings, compile=device.kind == "cpu" or operations >= COMPILED_FROM_OPERATIONS)


def number_formats(settings: TrainingSettings, device: Device) -> tuple[bool, torch.dtype]:
    """Return whether products with weights are computed in eight-bit integers, and the float format of the others."""
    if settings.precision == "int8":
        return True, device.number_format("auto")
    # Uncompiled, scaling takes longer than integers save. A trained model can have a few weights so large that the
    # others would be rounded to 0.
    faster = device.int8 and settings.compile and settings.checkpoint is None
    return settings.precision == "auto" and faster, device.number_format(settings.precision)
