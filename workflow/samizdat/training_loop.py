"""The training loop: read from top to bottom, killed anywhere, resumed with the same bits."""

import json
import logging
import math
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import GPT2LMHeadModel

from samizdat import program
from samizdat.checkpoint import load_state, save_state
from samizdat.device import Device
from samizdat.errors import UserError
from samizdat.files import replacing_folder, write_text
from samizdat.loss import NO_TARGET, head_loss
from samizdat.optimizer import learning_rate_scale, make_optimizers, set_learning_rates
from samizdat.packing import TrainingRows

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
            rows: the training data.
            held_out: the validation split, as `evaluation_rows` gives it.
            held_out_bytes: UTF-8 bytes of the validation texts, for bits per byte.
            work: where state, best weights and kept checkpoints go.
            fingerprint: of all that the weights depend on.
        """
        self.settings = settings
        self.model = model
        self.device = device
        self.rows = rows
        self.held_out = torch.from_numpy(held_out)
        self.held_out_bytes = held_out_bytes
        self.work = work
        self.fingerprint = fingerprint
        half = device.bfloat16 if settings.precision == "auto" else settings.precision == "bfloat16"
        self.dtype = torch.bfloat16 if half else torch.float32
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
        settings, model, position = self.settings, self.model, self.position
        optimizers = make_optimizers(
            model,
            optimizer=settings.optimizer,
            matrix_learning_rate=settings.matrix_learning_rate,
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
        )
        state = self.work / "state.safetensors"
        saved = load_state(state, self.fingerprint, model, optimizers)
        loss_of = self._loss_function()
        if saved is None:
            for leftover in ("best", "kept"):
                shutil.rmtree(self.work / leftover, ignore_errors=True)
            self._evaluate(loss_of, scale=0.0, gradient_norm=None)
        else:
            position.update(saved)
            log.info("resumed at step %d of %d", position["step"], self.steps)
        # Summed on the device, so that no step waits for a number to reach the host.
        loss_sum = torch.tensor(position["loss_sum"], device=self.device.kind)
        started, first_step = time.monotonic(), position["step"]
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
            batch = torch.from_numpy(self.rows.batch(step * self.rows_per_step, self.rows_per_step))
            for part in batch.to(self.device.kind, non_blocking=True).split(settings.micro_batch_sequences):
                loss = loss_of(part) / settings.batch_tokens
                loss.backward()
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
            if evaluate or step % settings.resume_every_steps == 0:
                position["loss_sum"] = loss_sum.item()
            if evaluate:
                row = self._evaluate(loss_of, scale=scale, gradient_norm=gradient_norm.item())
                loss_sum.zero_()
                bar.set_postfix_str(
                    f"loss {row['train_loss']:.3f}, {row['validation_bits_per_byte']:.3f} bits per byte"
                )
                if settings.patience is not None and position["stale_evaluations"] >= settings.patience:
                    log.info("stopped early at step %d; step %d was best", step, position["best_step"])
                    break
            if step % settings.resume_every_steps == 0:
                save_state(state, self.fingerprint, model, optimizers, position)
        bar.close()
        for percent in self.keep_steps:
            if str(percent) not in position["kept"]:
                self._keep(percent)  # stopped before: its last weights
        seconds = time.monotonic() - started
        speed = (position["step"] - first_step) * settings.batch_tokens / max(seconds, 1e-9)
        record = {"tokens_per_second": round(speed, 1), "device": self.device.name}
        write_text(self.work / "speed.json", json.dumps(record) + "\n")

    def _loss_function(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """A function from rows `[n, context + 1]` to the summed loss in nats, compiled where that works."""
        model, kind, dtype = self.model, self.device.kind, self.dtype

        def loss_of(rows: torch.Tensor) -> torch.Tensor:
            with torch.autocast(kind, dtype=torch.bfloat16, enabled=dtype is torch.bfloat16):
                inputs = rows[:, :-1].clamp(min=0)
                hidden = model.transformer(input_ids=inputs, use_cache=False).last_hidden_state
            return head_loss(hidden.flatten(0, 1).to(dtype), model.lm_head.weight, rows[:, 1:].flatten())

        if not self.settings.compile:
            return loss_of
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str((self.work / "compiled").absolute()))
        compiled = torch.compile(loss_of, dynamic=False)
        try:
            with torch.no_grad():
                compiled(self.held_out[: self.settings.micro_batch_sequences].to(kind))
        except Exception as error:
            # Any of a dozen exceptions where a machine lacks a C++ compiler or Python's headers.
            log.warning("can't compile here, so training runs uncompiled and slower: %s", error)
            return loss_of
        self.compiled = True
        return compiled

    def _evaluate(self, loss_of: Callable, *, scale: float, gradient_norm: float | None) -> dict[str, Any]:
        """Add a row to the log; keep the weights when they are the best so far, or are to be sampled from."""
        position, step = self.position, self.position["step"]
        self.model.eval()
        total = 0.0
        with torch.no_grad():
            for part in self.held_out.split(self.settings.micro_batch_sequences):
                total += loss_of(part.to(self.device.kind)).item()
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
        with replacing_folder(folder) as temporary:
            self.model.save_pretrained(temporary)
