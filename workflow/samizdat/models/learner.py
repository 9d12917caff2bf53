"""A model and all that changes its weights: the loss, its gradients, the optimisers."""

from collections.abc import Iterable, Sequence

import torch
from transformers import GPT2LMHeadModel

from samizdat.base.device import Device
from samizdat.models.gradient_sum import GradientSum
from samizdat.models.row_loss import RowLoss
from samizdat.models.settings import TrainingSettings, number_formats
from samizdat.models.workers import Workers
from samizdat.optimization.gradients import make_scaler, take_step
from samizdat.optimization.optimizers import make_optimizers, set_learning_rates


class Learner:
    """Takes optimiser steps with a model and computes its loss. What it holds is part of a state to resume from."""

    def __init__(self, settings: TrainingSettings, model: GPT2LMHeadModel, device: Device, workers: Workers):
        """Make the loss and the optimisers; nothing is computed yet.

        Args:
            settings: the recipe.
            model: already on the device.
            device: as `device.prepare` returned it.
            workers: the processes that share each batch.
        """
        self.model, self.device = model, device
        self._settings, self._workers = settings, workers
        self.int8, self.dtype = number_formats(settings, device)
        self.parameters = list(model.parameters())
        self.loss = RowLoss(model, kind=device.kind, dtype=self.dtype, int8=self.int8)
        self.scaler = make_scaler(device.kind, self.dtype)
        self.optimizers = make_optimizers(
            model,
            optimizer=settings.optimizer,
            matrix_learning_rate=settings.matrix_learning_rate,
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            dtype=self.dtype,
        )
        # The losses of this process since the last evaluation, summed on the device: no step waits for a number to
        # reach the host.
        self.loss_sum = torch.zeros((), device=device.kind)

    @property
    def compiled(self) -> bool:
        """Whether the loss is compiled."""
        return bool(self._settings.compile)

    @property
    def compute_dtype(self) -> str:
        """The number format of products with weights, by name: `int8`, `bfloat16`, …"""
        return "int8" if self.int8 else str(self.dtype).removeprefix("torch.")

    def set_up(self, example: torch.Tensor) -> None:
        """Compile and record what each step computes, if the settings and the device allow it.

        Args:
            example: a micro-batch, `[sequences, context + 1]`, on the device.
        """
        if self._settings.compile:
            self.loss.compile_with(example)
        self.model.train()
        self.gradients = GradientSum(
            self._workers.wrap(self.loss),
            self.scaler,
            self.loss_sum,
            self._workers,
            self.device,
            self._settings.batch_tokens,
        )
        self.gradients.record(example)

    def step(self, micro_batches: Sequence[torch.Tensor], scale: float) -> torch.Tensor:
        """Take one optimiser step. The host doesn't wait for a GPU.

        Args:
            micro_batches: this process's share of the batch; each is `[sequences, context + 1]`, on the device.
            scale: the share of the peak learning rate.

        Returns:
            The norm of all gradients before clipping, on the device.
        """
        set_learning_rates(self.optimizers, scale)
        for rows in micro_batches:
            self.gradients.add(rows, last=rows is micro_batches[-1])
        norm = take_step(self.parameters, self.optimizers, self.scaler, self._settings.gradient_clip)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=not self.gradients.records)
        return norm

    def evaluate(self, parts: Iterable[torch.Tensor]) -> torch.Tensor:
        """Sum the loss of rows without learning from them.

        Args:
            parts: rows `[sequences, context + 1]`, on any device.

        Returns:
            The sum in nats, one number on the device.
        """
        # Apple's GPUs have no float64.
        exact = torch.float32 if self.device.kind == "mps" else torch.float64
        total = torch.zeros((), dtype=exact, device=self.device.kind)
        self.model.eval()
        with torch.no_grad():
            for rows in parts:
                total += self.loss(rows.to(self.device.kind))
        self.model.train()
        return total

    def take_loss_sum(self) -> float:
        """Return the losses of all processes since the last call, summed, and begin a new sum."""
        total = self._workers.sum(self.loss_sum)
        self.loss_sum.zero_()
        return total
