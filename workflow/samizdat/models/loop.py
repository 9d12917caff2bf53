"""The training loop: steps, evaluations and states to resume from, to the last step."""

import json
import logging
import math
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import torch

from samizdat.base import stage
from samizdat.base.errors import UserError
from samizdat.base.files import write_text
from samizdat.base.wording import duration
from samizdat.models.learner import Learner
from samizdat.models.pace import Pace
from samizdat.models.position import Position
from samizdat.models.rows import TrainingData, evaluation_batches
from samizdat.models.saved_weights import SavedWeights
from samizdat.models.settings import StepPlan, TrainingSettings
from samizdat.models.state import StateWriter, load_state
from samizdat.models.workers import Workers
from samizdat.optimization.schedule import LearningRateSchedule
from samizdat.records.models import LogRow

log = logging.getLogger("samizdat")

STATE_FILE = "state.safetensors"


class TrainingLoop:
    """One training run. Killed after any step and started again, it ends with the same bits as if never killed."""

    def __init__(
        self,
        settings: TrainingSettings,
        learner: Learner,
        data: TrainingData,
        workers: Workers,
        micro_batch_sequences: int,
        work: Path,
        fingerprint: str,
    ):
        """Plan the steps; nothing is computed yet.

        Args:
            settings: the recipe.
            learner: the model to train.
            data: what it learns from and is evaluated on.
            workers: the processes that share each batch.
            micro_batch_sequences: sequences that a process computes at once.
            work: folder for state, best weights and kept checkpoints.
            fingerprint: of all that the weights depend on.
        """
        self.settings, self.learner, self.data, self.workers = settings, learner, data, workers
        self.micro_batch_sequences, self.work, self.fingerprint = micro_batch_sequences, work, fingerprint
        context = learner.model.config.n_positions
        self.plan = StepPlan.of(settings, context_tokens=context, rows_per_epoch=data.rows.rows_per_epoch)
        self.schedule = LearningRateSchedule(
            settings.schedule, self.plan.steps, settings.warmup_share, settings.decay_share
        )
        self.weights = SavedWeights(work, writes=workers.first)
        self.position = Position()

    def go(self, name: str) -> None:
        """Train to the end, from the saved state if there is one.

        Args:
            name: of the model, for the progress line.

        Raises:
            UserError: the loss is no longer a number; or the process was asked to end (SIGTERM), which it does after a
                last state.
        """
        settings, workers = self.settings, self.workers
        writer = StateWriter(self.work / STATE_FILE, self.fingerprint, workers, settings.resume_every_seconds)
        self.set_up()
        self._resume_or_begin()  # after the set-up, which may draw random numbers
        position, pace = self.position, Pace(self._tokens)
        bar = stage.progress(f"model {name}", self.plan.steps * settings.batch_tokens, "tokens")
        bar.update(self._tokens)
        with _asked_to_end() as ending:
            while position.step < self.plan.steps:
                scale, norm = self._learn()
                bar.update(settings.batch_tokens)
                left = pace.seconds_left(self._tokens, self.plan.steps * settings.batch_tokens)
                if left is not None:
                    stage.announce(f"model {name}: about {duration(left)} more, at this machine's speed")
                if position.step in self.plan.evaluations:
                    gradient_norm = float(norm.item())  # waits until the device has done the step
                    with pace.paused(self._tokens):
                        row = self._evaluate(scale, gradient_norm)
                    bar.set_postfix_str(f"loss {row.train_loss:.3f}, {row.validation_bits_per_byte:.3f} bits per byte")
                    if settings.patience is not None and position.stale_evaluations >= settings.patience:
                        log.info("stopped early at step %d; step %d was best", position.step, position.best_step)
                        break
                self._save_state(writer, asked_to_end=ending.is_set())
        bar.close()
        writer.wait()
        for percent in self.plan.kept:
            if str(percent) not in position.kept:
                self._keep(percent)  # training stopped before it: its last weights
        self._write_speed(pace)

    def set_up(self) -> None:
        """Compile and record what each step computes, if the settings and the device allow it."""
        self.learner.set_up(self._batch(0)[0])

    def _resume_or_begin(self) -> None:
        saved = load_state(self.work / STATE_FILE, self.fingerprint, self.learner, self.workers, self.weights)
        if saved is not None:
            self.position = saved
            log.info("resumed at step %d of %d", saved.step, self.plan.steps)
        else:
            self.workers.sum(torch.zeros(()))  # all processes have looked at the state
            if self.workers.first:
                # Before its weights: with those of this training, its own training would resume from both.
                (self.work / STATE_FILE).unlink(missing_ok=True)
            self.weights.delete()
            self._evaluate(0.0, None)

    @property
    def _tokens(self) -> int:
        """The tokens that the model was trained on so far."""
        return self.position.step * self.settings.batch_tokens

    def _learn(self) -> tuple[float, torch.Tensor]:
        """Take the next step; return the share of the peak learning rate, and the gradients' norm on the device."""
        position = self.position
        scale = self.schedule.scale(position.step)
        norm = self.learner.step(self._batch(position.step), scale)
        position.step += 1
        position.loss_steps += 1
        return scale, norm

    def _batch(self, step: int) -> tuple[torch.Tensor, ...]:
        """Return this process's share of a step's rows, on the device, as micro-batches."""
        share = self.plan.rows_per_step // self.workers.count
        first = step * self.plan.rows_per_step + self.workers.rank * share
        rows = torch.from_numpy(self.data.rows.batch(first, share))
        kind = self.learner.device.kind
        if kind == "cuda":
            rows = rows.pin_memory()  # without it the copy waits for the device
        return torch.split(rows.to(kind, non_blocking=True), self.micro_batch_sequences)

    def _evaluate(self, scale: float, gradient_norm: float | None) -> LogRow:
        """Add a row to the log; save the weights if they are the best so far or a checkpoint is due.

        Raises:
            UserError: the validation loss is no longer a number.
        """
        position, row = self.position, self._measure(scale, gradient_norm)
        if not math.isfinite(row.validation_loss):
            if not row.step and self.settings.checkpoint is not None:
                raise UserError(
                    f"the loss of {self.settings.checkpoint} is no number before the first step",
                    remedy="its weights are damaged: fetch or copy it again, or name another checkpoint",
                )
            raise UserError(
                f"the loss is no longer a number at step {row.step}",
                remedy="lower training.learning_rate and training.matrix_learning_rate in the config",
            )
        log.info("step %d of %d: %.4f bits per byte", row.step, self.plan.steps, row.validation_bits_per_byte)
        position.log.append(row)
        position.loss_steps = 0
        if row.validation_loss < position.best_loss:
            position.best_loss, position.best_step, position.stale_evaluations = row.validation_loss, row.step, 0
            self.weights.save_best(self.learner.model)
        else:
            position.stale_evaluations += 1
        for percent, step in self.plan.kept.items():
            if step == row.step:
                self._keep(percent)
        return row

    def _measure(self, scale: float, gradient_norm: float | None) -> LogRow:
        """Compute the losses of the model as it is, on the validation split and since the last evaluation."""
        position, data, workers = self.position, self.data, self.workers
        batches = evaluation_batches(
            data.validation, boundary=data.boundary, context_tokens=self.learner.model.config.n_positions,
            rows=self.micro_batch_sequences,
        )  # fmt: skip
        mine = map(torch.from_numpy, islice(batches, workers.rank, None, workers.count))
        nats = workers.sum(self.learner.evaluate(mine))
        train_nats = self.learner.take_loss_sum()
        loss = nats / len(data.validation)
        return LogRow(
            step=position.step,
            tokens=self._tokens,
            epoch=position.step * self.plan.rows_per_step / data.rows.rows_per_epoch,
            learning_rate=scale * self.settings.learning_rate,
            gradient_norm=gradient_norm,
            train_loss=train_nats / position.loss_steps if position.loss_steps else None,
            validation_loss=loss,
            validation_perplexity=math.exp(min(loss, 700)),
            validation_bits_per_byte=nats / math.log(2) / data.validation_bytes,
        )

    def _keep(self, percent: int) -> None:
        """Keep the weights as they are now as the checkpoint at `percent` of training."""
        self.weights.save_at(percent, self.learner.model)
        self.position.kept[str(percent)] = self.position.step

    def _save_state(self, writer: StateWriter, *, asked_to_end: bool) -> None:
        """Save a state if one is due, or a last one if the process was asked to end.

        Raises:
            UserError: the process was asked to end.
        """
        end = self.workers.agree(asked_to_end)
        if end or writer.due:
            writer.save(self.learner, self.position)
        if end:
            writer.wait()
            raise UserError(
                f"asked to end (SIGTERM, as before a time limit) at step {self.position.step} of {self.plan.steps}, "
                "which is saved",
                remedy="run the same command again to go on from there",
            )

    def _write_speed(self, pace: Pace) -> None:
        record = {
            "tokens_per_second": pace.tokens_per_second(self._tokens),
            "warm_tokens_per_second": pace.warm_tokens_per_second,
            "device": self.learner.device.name,
        }
        if self.workers.first:
            write_text(self.work / "speed.json", json.dumps(record) + "\n")


@contextmanager
def _asked_to_end() -> Iterator[threading.Event]:
    """Yield an event that SIGTERM sets; batch systems send it some seconds before they kill a process."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event  # Python allows signal handlers only in the main thread
        return
    before = signal.signal(signal.SIGTERM, lambda *_: event.set())
    try:
        yield event
    finally:
        signal.signal(signal.SIGTERM, before)
