"""The training loop of a classifier: batches of like length, evaluations, and the best weights on the way."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from samizdat.base import stage
from samizdat.base.device import Device
from samizdat.base.seeds import derive_seed
from samizdat.classifiers.step import FinetuningStep
from samizdat.measures import label_metrics
from samizdat.optimization.schedule import LearningRateSchedule

log = logging.getLogger("samizdat")

# Batches are cut from pools of this many that are sorted by length: little padding, and still shuffled.
POOL_BATCHES = 16
# Rows are padded to a multiple of this, which keeps the number of shapes small.
LENGTH_STEP = 8


@dataclass(frozen=True)
class FinetuningSettings:
    """The keys of `finetuning` in the config, where each is explained."""

    checkpoint: str
    revision: str | None
    max_training_texts: int
    selection_share: float
    epochs: float
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
    tokenizer: PreTrainedTokenizerFast,
    examples: pd.DataFrame,
    settings: FinetuningSettings,
    max_length_tokens: int,
    device: Device,
    name: str,
    seed: int,
) -> None:
    """Train in place, and leave the weights with the best macro-F1 on the examples to select on.

    Args:
        model: on its device.
        tokenizer: the encoder's.
        examples: `text`, `label` as a number, and `selects`: not to be learned from.
        settings: the recipe.
        max_length_tokens: texts are cut at this length.
        device: where to compute.
        name: of the classifier, for the progress line.
        seed: of the order of the texts.
    """
    encoded = tokenizer(
        examples["text"].tolist(), truncation=True, max_length=max_length_tokens, split_special_tokens=True
    )["input_ids"]
    selects = examples["selects"].to_numpy(bool)
    learned, selected = np.flatnonzero(~selects).tolist(), np.flatnonzero(selects).tolist()
    targets = torch.tensor(examples["label"].to_numpy())
    counts = torch.bincount(targets[learned], minlength=model.config.num_labels).float()
    balanced = len(learned) / (len(counts) * counts.clamp(min=1))
    weights = balanced.to(device.kind) if settings.class_weights else None
    step = FinetuningStep(
        model, device, device.number_format(settings.precision), weights, settings.learning_rate, settings.weight_decay
    )

    def batch_of(rows: list[int]) -> dict[str, torch.Tensor]:
        """Token ids and mask `[rows, longest]`, padded to a multiple of LENGTH_STEP, and targets `[rows]`."""
        longest = max(len(encoded[row]) for row in rows)
        input_ids = np.full((len(rows), -(-longest // LENGTH_STEP) * LENGTH_STEP), tokenizer.pad_token_id)
        attention_mask = np.zeros_like(input_ids)
        for place, row in enumerate(rows):
            input_ids[place, : len(encoded[row])] = encoded[row]
            attention_mask[place, : len(encoded[row])] = 1
        arrays = {"input_ids": input_ids, "attention_mask": attention_mask, "targets": targets[rows].numpy()}
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def selection_f1() -> float:
        model.eval()
        with torch.inference_mode():
            # Longest first, so that short memory shows at once.
            order = sorted(selected, key=lambda row: -len(encoded[row]))
            parts = [order[start : start + settings.batch_rows] for start in range(0, len(order), settings.batch_rows)]
            said = torch.cat([step.logits(batch_of(rows)).argmax(dim=1).cpu() for rows in parts])
        model.train()
        confusion = np.zeros((len(counts), len(counts)), int)
        np.add.at(confusion, (targets[order].numpy(), said.numpy()), 1)
        return float(label_metrics.macro_f1(confusion))

    steps = max(1, round(settings.epochs * len(learned) / settings.batch_rows))
    evaluated = {round(steps * mark / settings.evaluations) - 1 for mark in range(1, settings.evaluations + 1)}
    schedule = LearningRateSchedule("linear", steps, settings.warmup_share)
    batches = _batches([len(encoded[row]) for row in learned], settings.batch_rows, seed)
    best, best_weights, worse = -1.0, None, 0
    model.train()
    for number in (bar := stage.progress(f"classifier {name}", steps, "steps", items=range(steps))):
        rate = settings.learning_rate * schedule.scale(number)
        loss = step.learn(batch_of([learned[place] for place in next(batches)]), rate)
        if number % 20 == 0 or number == steps - 1:
            log.info("step %d of %d: loss %.4f", number + 1, steps, loss.item())
            bar.set_postfix_str(f"loss {loss.item():.3f}")
        if selected and number in evaluated:
            score = selection_f1()
            log.info("step %d of %d: macro-F1 %.4f on %d texts to select on", number + 1, steps, score, len(selected))
            if score > best:
                best, worse = score, 0
                best_weights = {key: value.detach().clone() for key, value in model.state_dict().items()}
            elif (worse := worse + 1) == settings.patience:
                log.info("stopped after %d evaluations without a better one", worse)
                break
    if best_weights:
        model.load_state_dict(best_weights)


def _batches(lengths: list[int], batch_rows: int, seed: int) -> Iterator[list[int]]:
    """Batches of row numbers without end; each epoch has every row once, in an order of its own."""
    epoch = 0
    while True:
        random = np.random.default_rng(derive_seed(seed, "epoch", epoch))
        order = random.permutation(len(lengths))
        batches: list[list[int]] = []
        for start in range(0, len(order), batch_rows * POOL_BATCHES):
            pool = sorted(order[start : start + batch_rows * POOL_BATCHES].tolist(), key=lambda row: lengths[row])
            batches += [pool[first : first + batch_rows] for first in range(0, len(pool), batch_rows)]
        for number in random.permutation(len(batches)):
            yield batches[number]
        epoch += 1
