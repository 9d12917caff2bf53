"""The training loop: read from top to bottom, killed anywhere, resumed with the same bits."""

import json
import logging
import math
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import GPT2LMHeadModel

from samizdat.base import stage
from samizdat.base.device import Device
from samizdat.base.errors import UserError
from samizdat.base.files import replacing_folder, write_text
from samizdat.models.gradient_sum import GradientSum
from samizdat.models.head_loss import NO_TARGET
from samizdat.models.pace import Pace
from samizdat.models.row_loss import RowLoss
from samizdat.models.rows import TrainingRows
from samizdat.models.settings import Position, TrainingSettings, number_formats
from samizdat.models.state import StateWriter, load_state
from samizdat.models.workers import Workers
from samizdat.optimization.gradients import make_scaler, take_step
from samizdat.optimization.optimizers import learning_rate_scale, make_optimizers, set_learning_rates

log = logging.getLogger("samizdat")


class TrainingLoop:
    """One training run: what it learns from, where it stands, and how it goes on."""

    def __init__(
        self,
        settings: TrainingSettings,
        model: GPT2LMHeadModel,
        device: Device,
        workers: Workers,
        rows: TrainingRows,
        held_out: np.ndarray,
        held_out_bytes: int,
        micro_batch_sequences: int,
        work: Path,
        fingerprint: str,
    ):
        """Bind data and recipe; nothing is computed yet.

        Args:
            settings: the recipe.
            model: on the device already.
            device: as `device.prepare` gave it.
            workers: the processes that share the work.
            rows: the training data.
            held_out: the validation split, as `evaluation_rows` gives it.
            held_out_bytes: UTF-8 bytes of the validation texts, for bits per byte.
            micro_batch_sequences: sequences that are computed at once.
            work: where state, best weights and kept checkpoints go.
            fingerprint: of all that the weights depend on.
        """
        self.settings = settings
        self.model = model
        self.device = device
        self.workers = workers
        self.rows = rows
        self.held_out = torch.from_numpy(held_out)
        self.held_out_bytes = held_out_bytes
        self.work = work
        self.fingerprint = fingerprint
        self.micro_batch_sequences = micro_batch_sequences
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
        self.rows_per_step = settings.batch_tokens // model.config.n_positions
        self.steps = max(1, round(settings.epochs * rows.rows_per_epoch / self.rows_per_step))
        marks = range(settings.evaluations + 1)
        self.evaluation_steps = {round(self.steps * mark / settings.evaluations) for mark in marks}
        self.keep_steps = {percent: round(self.steps * percent / 100) for percent in settings.keep_percents[:-1]}
        self.compiled = False
        self.position = Position()
        # Summed on the device, so that no step waits for a number to reach the host.
        self.loss_sum = torch.zeros((), device=device.kind)

    def go(self, name: str) -> None:
        """Train to the end, from the saved state where there is one.

        Raises:
            UserError: the loss is no longer a number, or the process was asked to end (SIGTERM), after a last state.
        """
        settings, model, position, workers = self.settings, self.model, self.position, self.workers
        state = self.work / "state.safetensors"
        writer = StateWriter(state, self.fingerprint, workers, settings.resume_every_seconds)
        self.set_up()
        # After what may draw random numbers.
        saved = load_state(state, self.fingerprint, model, self.optimizers, self.loss_sum, workers)
        if saved is None:
            if workers.first:
                for leftover in ("best", "kept"):
                    shutil.rmtree(self.work / leftover, ignore_errors=True)
            self._evaluate(scale=0.0, gradient_norm=None)
        else:
            position = self.position = Position(**saved)
            self.scaler.load_state_dict(position.loss_scale or {})
            log.info("resumed at step %d of %d", position.step, self.steps)
        model.train()
        started, first_step, pace = time.monotonic(), position.step, Pace()
        bar = stage.progress(f"model {name}", self.steps * settings.batch_tokens, "tokens")
        bar.update(first_step * settings.batch_tokens)
        with _asked_to_end() as ending:
            while position.step < self.steps:
                scale, gradient_norm = self._learn()
                bar.update(settings.batch_tokens)
                if position.step in self.evaluation_steps or position.step in self.keep_steps.values():
                    gradient_norm = gradient_norm.item()  # when the device has done the step
                    pace.pause(position.step * settings.batch_tokens)
                    row = self._evaluate(scale=scale, gradient_norm=gradient_norm)
                    pace.resume(position.step * settings.batch_tokens)
                    bar.set_postfix_str(
                        f"loss {row['train_loss']:.3f}, {row['validation_bits_per_byte']:.3f} bits per byte"
                    )
                    if settings.patience is not None and position.stale_evaluations >= settings.patience:
                        log.info("stopped early at step %d; step %d was best", position.step, position.best_step)
                        break
                end = workers.agree(ending.is_set())
                if end or writer.due:
                    position.loss_scale = self.scaler.state_dict() or None
                    writer.save(model, self.optimizers, self.loss_sum, asdict(position))
                if end:
                    writer.wait()
                    raise UserError(
                        f"asked to end (SIGTERM, as before a time limit) at step {position.step} of {self.steps}, "
                        "which is saved",
                        remedy="run the same command again to go on from there",
                    )
        bar.close()
        writer.wait()
        for percent in self.keep_steps:
            if str(percent) not in position.kept:
                self._keep(percent)  # stopped before: its last weights
        seconds = time.monotonic() - started
        speed = (position.step - first_step) * settings.batch_tokens / max(seconds, 1e-9)
        record = {
            "tokens_per_second": round(speed, 1),
            "warm_tokens_per_second": pace.tokens_per_second,  # compilation and evaluations left out
            "device": self.device.name,
        }
        if workers.first:
            write_text(self.work / "speed.json", json.dumps(record) + "\n")

    def set_up(self) -> None:
        """Compile and record what each step computes, where the settings and the device have it."""
        settings, workers = self.settings, self.workers
        if settings.compile:
            example = self.held_out[: self.micro_batch_sequences].to(self.device.kind)
            self.compiled = self.loss.compile_with(example)
        self.model.train()
        self.gradients = GradientSum(
            workers.wrap(self.loss), self.scaler, self.loss_sum, workers, self.device, settings.batch_tokens
        )
        self.gradients.record(self._batch(0)[0])

    def _learn(self) -> tuple[float, torch.Tensor]:
        """One optimiser step: the share of the peak learning rate, and the gradients' norm, on the device."""
        settings, position = self.settings, self.position
        scale = learning_rate_scale(
            position.step,
            self.steps,
            schedule=settings.schedule,
            warmup_share=settings.warmup_share,
            decay_share=settings.decay_share,
        )
        set_learning_rates(self.optimizers, scale)
        parts = self._batch(position.step)
        for part in parts:
            self.gradients.add(part, last=part is parts[-1])
        norm = take_step(self.parameters, self.optimizers, self.scaler, settings.gradient_clip)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=not self.gradients.records)
        position.step += 1
        position.loss_steps += 1
        return scale, norm

    def _batch(self, step: int) -> tuple[torch.Tensor, ...]:
        """This process's share of a step's rows, on the device, as micro-batches."""
        share = self.rows_per_step // self.workers.count
        rows = torch.from_numpy(self.rows.batch(step * self.rows_per_step + self.workers.rank * share, share))
        if self.device.kind == "cuda":
            rows = rows.pin_memory()  # without it the copy waits for the device
        return rows.to(self.device.kind, non_blocking=True).split(self.micro_batch_sequences)

    def _evaluate(self, *, scale: float, gradient_norm: float | None) -> dict[str, Any]:
        """Add a row to the log; keep the weights when they are the best so far, or are to be sampled from."""
        position = self.position
        step = position.step
        self.model.eval()
        parts = self.held_out.split(self.micro_batch_sequences)[self.workers.rank :: self.workers.count]
        # Apple's GPUs have no float64.
        exact = torch.float32 if self.device.kind == "mps" else torch.float64
        total = torch.zeros((), dtype=exact, device=self.device.kind)
        with torch.no_grad():
            for part in parts:
                total += self.loss(part.to(self.device.kind))
        total, loss_sum = self.workers.sum(total), self.workers.sum(self.loss_sum)
        self.loss_sum.zero_()
        self.model.train()
        targets = int((self.held_out[:, 1:] != NO_TARGET).sum())
        loss = total / targets
        row = {
            "step": step,
            "tokens": step * self.settings.batch_tokens,
            "epoch": step * self.rows_per_step / self.rows.rows_per_epoch,
            "learning_rate": scale * self.settings.learning_rate,
            "gradient_norm": gradient_norm,
            "train_loss": loss_sum / position.loss_steps if position.loss_steps else None,
            "validation_loss": loss,
            "validation_perplexity": math.exp(min(loss, 700)),
            "validation_bits_per_byte": total / math.log(2) / self.held_out_bytes,
        }
        if not math.isfinite(loss):
            raise UserError(
                f"the loss is no longer a number at step {step}",
                remedy="lower training.learning_rate and training.matrix_learning_rate in the config",
            )
        position.log.append(row)
        log.info("step %d of %d: %.4f bits per byte", step, self.steps, row["validation_bits_per_byte"])
        position.loss_steps = 0
        if loss < position.best_loss:
            position.best_loss, position.best_step, position.stale_evaluations = loss, step, 0
            self._save_weights(self.work / "best")
        else:
            position.stale_evaluations += 1
        for percent, keep_step in self.keep_steps.items():
            if keep_step == step:
                self._keep(percent)
        return row

    def _keep(self, percent: int) -> None:
        """Keep the weights as they are as the checkpoint at `percent` of training."""
        self._save_weights(self.work / "kept" / str(percent))
        self.position.kept[str(percent)] = self.position.step

    def _save_weights(self, folder: Path) -> None:
        if not self.workers.first:
            return
        with replacing_folder(folder) as temporary:
            self.model.save_pretrained(temporary)


@contextmanager
def _asked_to_end() -> Iterator[threading.Event]:
    """An event that SIGTERM sets, as batch systems send it some seconds before they kill."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event  # where Python allows no handler
        return
    before = signal.signal(signal.SIGTERM, lambda *_: event.set())
    try:
        yield event
    finally:
        signal.signal(signal.SIGTERM, before)
