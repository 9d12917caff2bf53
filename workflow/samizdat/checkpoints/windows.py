"""Texts as windows of tokens, in batches whose shapes never depend on who else is there."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast

# Windows are padded to the next of these lengths. On a CPU they are fine where most texts are and coarse where few are;
# finer still would save no time, since the last batch of each length is filled up with padding rows. On a GPU a batch
# costs its launches, 25 ms of them for twelve layers, and padding next to nothing: few lengths, few batches.
LENGTHS = {
    "cpu": (*range(4, 64, 2), *range(64, 128, 8), *range(128, 256, 16), *range(256, 513, 64)),
    "cuda": (16, 32, 48, 64, 96, 128, 192, 256, 384, 512),
}
LENGTHS["mps"] = LENGTHS["cuda"]
TEXTS_AT_ONCE = 512


@dataclass(frozen=True)
class Window:
    """A part of a text that the classifier reads at once."""

    text: int  # the text's number
    of: int  # how many windows the text has
    tokens: list[int]  # special tokens included


@dataclass(frozen=True)
class Batch:
    """Windows as tensors of one of a few fixed shapes."""

    windows: list[Window]
    inputs: dict[str, Any]  # what the model is called with; results behind the windows' own mean nothing


def cut(
    tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], max_length_tokens: int, overlap_tokens: int
) -> Iterator[Window]:
    """The windows of all texts, text by text; a short text is one window, a text without a token none."""
    special = tokenizer.num_special_tokens_to_add()
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        encoded = tokenizer(
            list(texts[start : start + TEXTS_AT_ONCE]),
            truncation=True,
            max_length=max_length_tokens,
            stride=overlap_tokens,
            return_overflowing_tokens=True,
            return_attention_mask=False,
            return_token_type_ids=False,
            split_special_tokens=True,
        )
        parts: dict[int, list[list[int]]] = defaultdict(list)
        for tokens, text in zip(encoded["input_ids"], encoded["overflow_to_sample_mapping"], strict=True):
            if len(tokens) > special:
                parts[start + text].append(tokens)
        for text, windows in parts.items():
            yield from (Window(text, len(windows), tokens) for tokens in windows)


def batches(windows: Iterable[Window], *, batch_tokens: int, padding_id: int, kind: str) -> Iterator[Batch]:
    """Batches of windows of like length, each as soon as it is full, and what is left in the end.

    A batch of length L always has `batch_tokens // L` rows, filled up with padding: matrix products split their work by
    shape, so a fixed shape gives a text the same bits whatever else is in the batch. One more row never has a window:
    where nothing is padded, transformers leaves the mask out, and other kernels would compute attention. The tensors
    are `input_ids` and `attention_mask`, `[rows + 1, L]`.

    Args:
        windows: of any lengths.
        batch_tokens: in a batch's rows that hold windows.
        padding_id: the token that rows are filled up with.
        kind: of the device, which has lengths of its own.
    """
    waiting: dict[int, list[Window]] = defaultdict(list)
    for window in windows:
        length = bucket_length(len(window.tokens), kind)
        waiting[length].append(window)
        if len(waiting[length]) == _rows(batch_tokens, length):
            yield _batch(waiting.pop(length), length, batch_tokens, padding_id)
    for length in sorted(waiting, reverse=True):
        yield _batch(waiting[length], length, batch_tokens, padding_id)


def bucket_length(tokens: int, kind: str) -> int:
    """The length that a window of so many tokens is padded to on that kind of device."""
    return next((length for length in LENGTHS[kind] if length >= tokens), tokens)


def _rows(batch_tokens: int, length: int) -> int:
    return max(1, batch_tokens // length)


def _batch(windows: list[Window], length: int, batch_tokens: int, padding_id: int) -> Batch:
    rows = _rows(batch_tokens, length) + 1
    input_ids = np.full((rows, length), padding_id)
    attention_mask = np.zeros((rows, length), np.int64)
    for row, window in enumerate(windows):
        input_ids[row, : len(window.tokens)] = window.tokens
        attention_mask[row, : len(window.tokens)] = 1
    # A row of padding alone would have no token to attend to.
    attention_mask[len(windows) :, 0] = 1
    inputs = {"input_ids": torch.from_numpy(input_ids), "attention_mask": torch.from_numpy(attention_mask)}
    return Batch(windows, inputs)
