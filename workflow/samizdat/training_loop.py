"""The training loop: read from top to bottom, killed anywhere, resumed with the same bits."""

import json
import logging
import math
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import GPT2LMHeadModel

from samizdat import program
from samizdat.checkpoint import StateWriter, load_state
from samizdat.device import Device
from samizdat.errors import UserError
from samizdat.files import replacing_folder, write_text
from samizdat.forward import RowLoss
from samizdat.loss import NO_TARGET
from samizdat.optimizer import learning_rate_scale, make_optimizers, set_learning_rates
from samizdat.pace import Pace
from samizdat.packing import TrainingRows
from samizdat.workers import Workers

log = logging.getLogger("samizdat")


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
    micro_batch_sequences: int
    optimizer: str
    matrix_learning_rate: float
    learning_rate: float
    weight_decay: float
    schedule: str
    warmup_share: float
    decay_share: float
    gradient_clip: float
    precision: str
    compile: bool
    processes: int
    evaluations: int
    patience: int | None
    resume_every_steps: int
    keep_percents: tuple[int, ...]


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
        auto = settings.precision == "auto"
        # Uncompiled, scaling costs more than it brings; a trained model can have a few numbers so large that what
        # stands beside them rounds to 0.
        worth_it = device.int8 and settings.compile and settings.checkpoint is None
        self.int8 = worth_it if auto else settings.precision == "int8"
        half = device.bfloat16 if auto or self.int8 else settings.precision == "bfloat16"
        self.dtype = torch.bfloat16 if half else torch.float32
        self.loss = RowLoss(model, kind=device.kind, dtype=self.dtype, int8=self.int8)
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
        # What a resumed run must know besides the weights; JSON.
        self.position: dict[str, Any] = {
            "step": 0, "best_step": 0, "best_loss": math.inf, "stale_evaluations": 0, "loss_sum": 0.0,
            "loss_steps": 0, "kept": {}, "log": [],
        }  # fmt: skip

    def go(self, name: str) -> None:
        """Train to the end, from the saved state where there is one."""
        settings, model, position, workers = self.settings, self.model, self.position, self.workers
        optimizers, kind = self.optimizers, self.device.kind
        state = self.work / "state.safetensors"
        writer = StateWriter(state, self.fingerprint, workers)
        if settings.compile:
            example = self.held_out[: settings.micro_batch_sequences].to(kind)
            self.compiled = self.loss.compile_with(example)
        # After compiling, which may draw random numbers.
        saved = load_state(state, self.fingerprint, model, optimizers, workers)
        loss_of = workers.wrap(self.loss)
        if saved is None:
            if workers.first:
                for leftover in ("best", "kept"):
                    shutil.rmtree(self.work / leftover, ignore_errors=True)
            self._evaluate(scale=0.0, gradient_norm=None)
        else:
            position.update(saved)
            log.info("resumed at step %d of %d", position["step"], self.steps)
        model.train()
        # Summed on the device, so that no step waits for a number to reach the host.
        loss_sum = torch.tensor(position["loss_sum"] if workers.first else 0.0, device=kind)
        started, first_step, pace = time.monotonic(), position["step"], Pace()
        bar = program.progress(f"model {name}", self.steps * settings.batch_tokens, "tokens")
        bar.update(first_step * settings.batch_tokens)
        while position["step"] < self.steps:
            step = position["step"]
            scale = learning_rate_scale(
                step,
                self.steps,
                schedule=settings.schedule,
                warmup_share=settings.warmup_share,
                decay_share=settings.decay_share,
            )
            set_learning_rates(optimizers, scale)
            parts = self._batch(step)
            for part in parts:
                with workers.accumulating(loss_of, last=part is parts[-1]):
                    loss = loss_of(part) / settings.batch_tokens
                    # Gradients are averaged over the processes, and the batch's is their sum.
                    (loss * workers.count).backward()
                loss_sum += loss.detach()
            gradient_norm = torch.nn.utils.clip_grad_norm_(model.parameters(), settings.gradient_clip)
            for optimizer in optimizers:
                optimizer.step()
                optimizer.zero_grad()
            step += 1
            position["step"] = step
            position["loss_steps"] += 1
            bar.update(settings.batch_tokens)
            evaluate = step in self.evaluation_steps or step in self.keep_steps.values()
            save = step % settings.resume_every_steps == 0
            if evaluate or save:
                position["loss_sum"] = workers.sum(loss_sum)
                loss_sum.fill_(position["loss_sum"] if workers.first else 0.0)
            if evaluate:
                pace.pause(step * settings.batch_tokens)
                row = self._evaluate(scale=scale, gradient_norm=gradient_norm.item())
                pace.resume(step * settings.batch_tokens)
                loss_sum.zero_()
                bar.set_postfix_str(
                    f"loss {row['train_loss']:.3f}, {row['validation_bits_per_byte']:.3f} bits per byte"
                )
                if settings.patience is not None and position["stale_evaluations"] >= settings.patience:
                    log.info("stopped early at step %d; step %d was best", step, position["best_step"])
                    break
            if save:
                writer.save(model, optimizers, position)
        bar.close()
        writer.wait()
        for percent in self.keep_steps:
            if str(percent) not in position["kept"]:
                self._keep(percent)  # stopped before: its last weights
        seconds = time.monotonic() - started
        speed = (position["step"] - first_step) * settings.batch_tokens / max(seconds, 1e-9)
        record = {
            "tokens_per_second": round(speed, 1),
            "warm_tokens_per_second": pace.tokens_per_second,  # compilation and evaluations left out
            "device": self.device.name,
        }
        if workers.first:
            write_text(self.work / "speed.json", json.dumps(record) + "\n")

    def _batch(self, step: int) -> tuple[torch.Tensor, ...]:
        """This process's share of a step's rows, on the device, as micro-batches."""
        share = self.rows_per_step // self.workers.count
        rows = torch.from_numpy(self.rows.batch(step * self.rows_per_step + self.workers.rank * share, share))
        if self.device.kind == "cuda":
            rows = rows.pin_memory()  # without it the copy waits for the device
        return rows.to(self.device.kind, non_blocking=True).split(self.settings.micro_batch_sequences)

    def _evaluate(self, *, scale: float, gradient_norm: float | None) -> dict[str, Any]:
        """Add a row to the log; keep the weights when they are the best so far, or are to be sampled from."""
        position, step = self.position, self.position["step"]
        self.model.eval()
        parts = self.held_out.split(self.settings.micro_batch_sequences)[self.workers.rank :: self.workers.count]
        total = torch.zeros((), dtype=torch.float64, device=self.device.kind)
        with torch.no_grad():
            for part in parts:
                total += self.loss(part.to(self.device.kind))
        total = self.workers.sum(total)
        self.model.train()
        targets = int((self.held_out[:, 1:] != NO_TARGET).sum())
        loss = total / targets
        row = {
            "step": step,
            "tokens": step * self.settings.batch_tokens,
            "epoch": step * self.rows_per_step / self.rows.rows_per_epoch,
            "learning_rate": scale * self.settings.learning_rate,
            "gradient_norm": gradient_norm,
            "train_loss": position["loss_sum"] / position["loss_steps"] if position["loss_steps"] else None,
            "validation_loss": loss,
            "validation_perplexity": math.exp(min(loss, 700)),
            "validation_bits_per_byte": total / math.log(2) / self.held_out_bytes,
        }
        if not math.isfinite(loss):
            raise UserError(
                f"the loss is no longer a number at step {step}",
                remedy="lower training.learning_rate and training.matrix_learning_rate in the config",
            )
        position["log"].append(row)
        log.info("step %d of %d: %.4f bits per byte", step, self.steps, row["validation_bits_per_byte"])
        position["loss_sum"], position["loss_steps"] = 0.0, 0
        if loss < position["best_loss"]:
            position["best_loss"], position["best_step"], position["stale_evaluations"] = loss, step, 0
            self._save_weights(self.work / "best")
        else:
            position["stale_evaluations"] += 1
        for percent, keep_step in self.keep_steps.items():
            if keep_step == step:
                self._keep(percent)
        return row

    def _keep(self, percent: int) -> None:
        """Keep the weights as they are as the checkpoint at `percent` of training."""
        self._save_weights(self.work / "kept" / str(percent))
        self.position["kept"][str(percent)] = self.position["step"]

    def _save_weights(self, folder: Path) -> None:
        if not self.workers.first:
            return
        with replacing_folder(folder) as temporary:
            self.model.save_pretrained(temporary)
