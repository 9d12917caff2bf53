"""The texts that a classifier is fine-tuned on, as token ids, and the batches that they are read in."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch
from transformers import PreTrainedTokenizerFast

from samizdat.base.seeds import derive_seed
from samizdat.checkpoints.reading import Padding
from samizdat.checkpoints.windows import Window, padded, segments

# Batches are cut from pools of this many batches, each sorted by length: little padding, and still shuffled.
POOL_BATCHES = 16
# Rows are padded to a multiple of this, which keeps the number of shapes small.
LENGTH_STEP = 8


class EncodedExamples:
    """Texts with labels: some are trained on, on the others the best weights are selected.

    Attributes:
        cut: how many texts were longer than what is read of them.
        labels: the number of different labels.
        targets: the label of each text as a number, `[texts]`.
        trained_on: the numbers of the texts to train on.
        selected_on: the numbers of the others, the longest first, so that too little memory shows at once.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerFast,
        examples: pd.DataFrame,
        max_length_tokens: int,
        labels: int,
        padding: Padding,
    ):
        """Encode the texts.

        Args:
            tokenizer: the encoder's.
            examples: `text`, `label` as a number, and `selects`: whether the text is only selected on.
            max_length_tokens: texts are cut at this length.
            labels: the number of different labels.
            padding: what fills the rows of a batch up.
        """
        encoded = tokenizer(
            examples["text"].tolist(), truncation=True, max_length=max_length_tokens, split_special_tokens=True
        )
        self._windows = [
            Window(row, 1, *window)
            for row, window in enumerate(zip(encoded["input_ids"], segments(encoded), strict=True))
        ]
        self.cut = sum(bool(one.overflowing) for one in encoded.encodings or ())
        self._padding, self._longest = padding, max_length_tokens
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
        return len(self._windows[row].tokens)

    def _batch(self, rows: list[int]) -> dict[str, torch.Tensor]:
        """Make the tensors that the model reads, `[rows, padded length]`, and `targets` `[rows]`."""
        longest = max(self._length(row) for row in rows)
        length = min(-(-longest // LENGTH_STEP) * LENGTH_STEP, self._longest)
        inputs = padded([self._windows[row] for row in rows], length, self._padding)
        return inputs | {"targets": self.targets[rows]}


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
