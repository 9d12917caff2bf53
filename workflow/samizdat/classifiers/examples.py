"""The texts that a classifier is fine-tuned on, as token ids, and the batches that they are read in."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from transformers import PreTrainedTokenizerFast

from samizdat.base.seeds import derive_seed

# Batches are cut from pools of this many batches, each sorted by length: little padding, and still shuffled.
POOL_BATCHES = 16
# Rows are padded to a multiple of this, which keeps the number of shapes small.
LENGTH_STEP = 8


class EncodedExamples:
    """Texts with labels: some are trained on, on the others the best weights are selected.

    Attributes:
        labels: the number of different labels.
        targets: the label of each text as a number, `[texts]`.
        trained_on: the numbers of the texts to train on.
        selected_on: the numbers of the others, the longest first, so that too little memory shows at once.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerFast, examples: pd.DataFrame, max_length_tokens: int, labels: int):
        """Encode the texts.

        Args:
            tokenizer: the encoder's.
            examples: `text`, `label` as a number, and `selects`: whether the text is only selected on.
            max_length_tokens: texts are cut at this length.
            labels: the number of different labels.
        """
        self._token_ids: list[list[int]] = tokenizer(
            examples["text"].tolist(), truncation=True, max_length=max_length_tokens, split_special_tokens=True
        )["input_ids"]
        self._padding_id = tokenizer.pad_token_id
        self.labels = labels
        self.targets = torch.tensor(examples["label"].to_numpy())
        selects = examples["selects"].to_numpy(bool)
        self.trained_on: list[int] = np.flatnonzero(~selects).tolist()
        self.selected_on: list[int] = sorted(np.flatnonzero(selects).tolist(), key=lambda row: -self._length(row))

    def training_batches(self, batch_rows: int, seed: int) -> Iterator[dict[str, torch.Tensor]]:
        """Make batches of the texts to train on without end, in a new order in each epoch."""
        for places in _shuffled([self._length(row) for row in self.trained_on], batch_rows, seed):
            yield self._batch([self.trained_on[place] for place in places])

    def selection_batches(self, batch_rows: int) -> Iterator[dict[str, torch.Tensor]]:
        """Make batches of the texts to select on, once each in the order of `selected_on`."""
        for start in range(0, len(self.selected_on), batch_rows):
            yield self._batch(self.selected_on[start : start + batch_rows])

    def _length(self, row: int) -> int:
        return len(self._token_ids[row])

    def _batch(self, rows: list[int]) -> dict[str, torch.Tensor]:
        """Make `input_ids` and `attention_mask` `[rows, padded length]`, and `targets` `[rows]`."""
        longest = max(self._length(row) for row in rows)
        input_ids = np.full((len(rows), -(-longest // LENGTH_STEP) * LENGTH_STEP), self._padding_id)
        attention_mask = np.zeros_like(input_ids)
        for place, row in enumerate(rows):
            input_ids[place, : self._length(row)] = self._token_ids[row]
            attention_mask[place, : self._length(row)] = 1
        arrays = {"input_ids": input_ids, "attention_mask": attention_mask, "targets": self.targets[rows].numpy()}
        return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _shuffled(lengths: list[int], batch_rows: int, seed: int) -> Iterator[list[int]]:
    """Cut row numbers into batches of like length without end; each epoch has every row once, in a new order."""
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
