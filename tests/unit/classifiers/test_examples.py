"""Batches of fine-tuning: each epoch has every text once, of like lengths, padded to few shapes."""

import pandas as pd
import torch

from samizdat.checkpoints.reading import Padding
from samizdat.classifiers.examples import LENGTH_STEP, EncodedExamples
from support.small_classifier import make_tokenizer

TEXTS = [" ".join(["rain"] * words) for words in (1, 30, 4, 2, 9, 1, 3, 12)]


def examples() -> EncodedExamples:
    frame = pd.DataFrame({"text": TEXTS, "label": [0, 1] * 4, "selects": [False] * 5 + [True] * 3})
    return EncodedExamples(make_tokenizer(), frame, max_length_tokens=24, labels=2, padding=Padding(0, left=False))


def lengths(batch: dict[str, torch.Tensor]) -> list[int]:
    return batch["attention_mask"].sum(dim=1).tolist()


def test_each_epoch_has_every_text_to_train_on_once_and_the_next_has_another_order():
    batches = examples().training_batches(2, seed=1)
    epochs = [[next(batches) for _ in range(3)] for _ in range(4)]
    for epoch in epochs:
        # Between the special tokens of each text are its words, at most 22 of them.
        assert sorted(length for batch in epoch for length in lengths(batch)) == [3, 4, 6, 11, 24]
    assert len({tuple(length for batch in epoch for length in lengths(batch)) for epoch in epochs}) > 1


def test_rows_are_padded_to_a_multiple_and_the_mask_knows():
    for batch in examples().selection_batches(2):
        width = batch["input_ids"].shape[1]
        assert width % LENGTH_STEP == 0 and width - max(lengths(batch)) < LENGTH_STEP
        assert torch.equal(batch["attention_mask"], (batch["input_ids"] != 0).long())


def test_the_longest_text_to_select_on_is_read_first():
    batches = list(examples().selection_batches(2))
    assert [lengths(batch) for batch in batches] == [[14, 5], [3]]
    assert torch.equal(torch.cat([batch["targets"] for batch in batches]), torch.tensor([1, 0, 1]))
