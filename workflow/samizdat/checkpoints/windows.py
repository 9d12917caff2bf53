"""Texts as windows of tokens, in padded batches whose shape does not depend on the other texts."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast

# Windows are padded to the next of these lengths. On a CPU the steps are small where most texts are and large where few
# are; smaller steps would save no time, because the last batch of each length is filled up with rows of padding. On a
# GPU a batch costs the launches of its kernels, 25 ms for twelve layers, and padding costs almost nothing: so there are
# few lengths, and few batches.
LENGTHS = {
    "cpu": (*range(4, 64, 2), *range(64, 128, 8), *range(128, 256, 16), *range(256, 513, 64)),
    "cuda": (16, 32, 48, 64, 96, 128, 192, 256, 384, 512),
}
LENGTHS["mps"] = LENGTHS["cuda"]
TEXTS_AT_ONCE = 512


@dataclass(frozen=True)
class Window:
    """A part of a text that a model reads at once."""

    text: int  # number of the text
    windows_of_text: int  # number of windows that the text has
    tokens: list[int]  # with special tokens


@dataclass(frozen=True)
class Batch:
    """Windows as tensors of a fixed shape."""

    windows: list[Window]
    inputs: dict[str, Any]  # arguments of the model; results after those of the windows have no meaning


def split_into_windows(
    tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], max_length_tokens: int, overlap_tokens: int
) -> Iterator[Window]:
    """Split all texts into windows, text by text; a short text is one window, and a text without a token has none.

    Args:
        tokenizer: the model's tokenizer.
        texts: the texts.
        max_length_tokens: length of a window, with special tokens.
        overlap_tokens: tokens that neighbouring windows share.
    """
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


def padded_batches(windows: Iterable[Window], *, batch_tokens: int, padding_id: int, kind: str) -> Iterator[Batch]:
    """Put windows of similar length into batches; yield each when it is full, and at the end those that are not full.

    A batch of length L always has `batch_tokens // L` rows for windows, filled up with padding. Matrix products divide
    their work by shape, so with a fixed shape a text gets the same bits whatever else is in the batch. One more row
    never has a window: without any padding, transformers omits the mask, and other kernels would compute attention. The
    tensors are `input_ids` and `attention_mask`, `[rows + 1, L]`.

    Args:
        windows: windows of any lengths.
        batch_tokens: tokens in the rows for windows.
        padding_id: id of the padding token.
        kind: kind of the device, which decides the lengths.
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
    """Return the length to which a window of so many tokens is padded on this kind of device."""
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
    # A row with only padding would have no token to attend to.
    attention_mask[len(windows) :, 0] = 1
    inputs = {"input_ids": torch.from_numpy(input_ids), "attention_mask": torch.from_numpy(attention_mask)}
    return Batch(windows, inputs)
