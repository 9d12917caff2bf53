"""The training loop of a classifier: steps, evaluations on the way, and the best weights in the end."""

import logging
import math
from dataclasses import dataclass

import numpy as np
import torch
from transformers import PreTrainedModel

from samizdat.base import stage
from samizdat.base.device import Device
from samizdat.base.errors import UserError
from samizdat.classifiers.examples import EncodedExamples
from samizdat.classifiers.step import FinetuningStep
from samizdat.measures import label_metrics
from samizdat.optimization.schedule import LearningRateSchedule

log = logging.getLogger("samizdat")


@dataclass(frozen=True)
class FinetuningSettings:
    """The keys of `finetuning` in the config, where each is explained."""

    checkpoint: str
    revision: str | None
    max_training_texts: int
    selection_share: float
    epochs: float
    min_steps: int
    batch_rows: int
    learning_rate: float
    warmup_share: float
    weight_decay: float
    dropout: float
    class_weights: bool
    evaluations: int
    patience: int | None
    precision: str


def fit(
    model: PreTrainedModel,
    examples: EncodedExamples,
    settings: FinetuningSettings,
    device: Device,
    name: str,
    seed: int,
) -> None:
    """Train in place, and load the weights that had the best macro-F1 on the texts to select on.

    Without such texts the last weights remain.

    Args:
        model: on its device.
        examples: the texts to train on and to select on.
        settings: the hyperparameters.
        device: where to compute.
        name: of the classifier, for the progress line.
        seed: of the order of the texts.

    Raises:
        UserError: the loss is no longer a number.
    """
    class_weights = _class_weights(examples).to(device.kind) if settings.class_weights else None
    dtype = device.number_format(settings.precision)
    step = FinetuningStep(model, device, dtype, class_weights, settings.learning_rate, settings.weight_decay)
    steps = max(settings.min_steps, round(settings.epochs * len(examples.trained_on) / settings.batch_rows))
    evaluated = {round(steps * mark / settings.evaluations) - 1 for mark in range(1, settings.evaluations + 1)}
    schedule = LearningRateSchedule("linear", steps, settings.warmup_share)
    batches = examples.training_batches(settings.batch_rows, seed)
    best = _BestWeights()
    model.train()
    for number in (bar := stage.progress(f"classifier {name}", steps, "steps", items=range(steps))):
        loss = step.learn(next(batches), settings.learning_rate * schedule.scale(number))
        if number % 20 == 0 or number == steps - 1:
            log.info("step %d of %d: loss %.4f", number + 1, steps, loss.item())
            if not math.isfinite(loss.item()):
                raise UserError(
                    f"the loss of the classifier {name!r} is no longer a number at step {number + 1}",
                    remedy="lower finetuning.learning_rate in the config, or that of this classifier",
                )
            bar.set_postfix_str(f"loss {loss.item():.3f}")
        if examples.selected_on and number in evaluated:
            score = _selection_f1(model, step, examples, settings.batch_rows)
            texts = len(examples.selected_on)
            log.info("step %d of %d: macro-F1 %.4f on %d texts to select on", number + 1, steps, score, texts)
            best.offer(model, score)
            if best.worse_since == settings.patience:
                log.info("stopped after %d evaluations without a better one", best.worse_since)
                break
    best.load_into(model)


def _class_weights(examples: EncodedExamples) -> torch.Tensor:
    """Weigh labels in the loss by the inverse of their frequency among the texts to train on, `[labels]`."""
    counts = torch.bincount(examples.targets[examples.trained_on], minlength=examples.labels).float()
    return len(examples.trained_on) / (examples.labels * counts)


def _selection_f1(model: PreTrainedModel, step: FinetuningStep, examples: EncodedExamples, batch_rows: int) -> float:
    """Measure macro-F1 on the texts to select on, over the labels that they have.

    A label that only the classifier gives has no F1 of its own, so all evaluations are means over the same labels.
    """
    model.eval()
    with torch.inference_mode():
        predicted = [step.logits(batch).argmax(dim=1).cpu() for batch in examples.selection_batches(batch_rows)]
    model.train()
    confusion = np.zeros((examples.labels, examples.labels), int)
    np.add.at(confusion, (examples.targets[examples.selected_on].numpy(), torch.cat(predicted).numpy()), 1)
    return float(label_metrics.label_scores(label_metrics.margins(confusion))["f1"][confusion.any(axis=1)].mean())


class _BestWeights:
    """A copy of the weights that had the best score so far.

    Attributes:
        worse_since: how many scores since then were not better.
    """

    def __init__(self) -> None:
        self._score = -1.0
        self._weights: dict[str, torch.Tensor] | None = None
        self.worse_since = 0

    def offer(self, model: PreTrainedModel, score: float) -> None:
        """Copy the weights of the model if its score is the best so far."""
        if score > self._score:
            self._score, self.worse_since = score, 0
            self._weights = {key: value.detach().clone() for key, value in model.state_dict().items()}
        else:
            self.worse_since += 1

    def load_into(self, model: PreTrainedModel) -> None:
        """Load the copy into the model; without any score the model stays as it is."""
        if self._weights is not None:
            model.load_state_dict(self._weights)
