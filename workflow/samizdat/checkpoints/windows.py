"""Texts as windows of tokens, in padded batches whose shape does not depend on the other texts."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import BatchEncoding, PreTrainedTokenizerFast

from samizdat.checkpoints.encoding import few_at_once
from samizdat.checkpoints.reading import Padding

# Windows are padded to the next of these lengths. On a CPU the steps are small where most texts are and large where few
# are; smaller steps would save no time, because the last batch of each length is filled up. On a GPU a batch costs the
# launches of its kernels, 25 ms for twelve layers, and padding costs almost nothing: so there are few lengths, and few
# batches.
LENGTHS = {
    "cpu": (*range(4, 64, 2), *range(64, 128, 8), *range(128, 256, 16), *range(256, 513, 64)),
    "cuda": (16, 32, 48, 64, 96, 128, 192, 256, 384, 512),
}
LENGTHS["mps"] = LENGTHS["cuda"]
# Longer windows are few, and each is costly: a length is at most a quarter longer than the one before, and a batch has
# at most this many tokens, which keep a GPU busy and waste little where a batch is filled up.
LONG_STEPS = 4  # lengths between a power of two and the next
LONG_BATCH_TOKENS = 8192
TEXTS_AT_ONCE = 512


@dataclass(frozen=True)
class Window:
    """A part of a text that a model reads at once."""

    text: int  # number of the text
    windows_of_text: int  # number of windows that the text has
    tokens: list[int]  # with special tokens
    types: list[int] | None = None  # segment of each token, where the model is told it
    part: int = 0  # which of the text's windows


@dataclass(frozen=True)
class Batch:
    """Windows as tensors of a fixed shape."""

    windows: list[Window]
    inputs: dict[str, Any]  # arguments of the model; results after those of the windows have no meaning


def numbered(texts: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Take TEXTS_AT_ONCE texts after the other, fewer of long ones; give the number of the first and these texts."""
    start = 0
    for some in few_at_once(texts, TEXTS_AT_ONCE):
        yield start, some
        start += len(some)


def split_into_windows(
    tokenizer: PreTrainedTokenizerFast, texts: Iterable[str], max_length_tokens: int, overlap_tokens: int
) -> Iterator[Window]:
    """Split all texts into windows, text by text; a short text is one window, and a text without a token has none.

    Args:
        tokenizer: the model's tokenizer.
        texts: the texts.
        max_length_tokens: length of a window, with special tokens.
        overlap_tokens: tokens that neighbouring windows share.
    """
    special = tokenizer.num_special_tokens_to_add()
    for start, some in numbered(texts):
        encoded = tokenizer(
            some,
            truncation=True,
            max_length=max_length_tokens,
            stride=overlap_tokens,
            return_overflowing_tokens=True,
            return_attention_mask=False,
            split_special_tokens=True,
        )
        parts: dict[int, list[tuple[list[int], list[int] | None]]] = defaultdict(list)
        for tokens, types, text in zip(
            encoded["input_ids"], segments(encoded), encoded["overflow_to_sample_mapping"], strict=True
        ):
            if len(tokens) > special:
                parts[start + text].append((tokens, types))
        for text, windows in parts.items():
            yield from (Window(text, len(windows), *window, part) for part, window in enumerate(windows))


def segments(encoded: BatchEncoding) -> list[list[int] | None]:
    """Return the segments of encoded texts; None for a text that is all in segment 0, which every model assumes."""
    return [types if any(types) else None for types in encoded.get("token_type_ids", [[]] * len(encoded["input_ids"]))]


def padded_batches(
    windows: Iterable[Window], *, batch_tokens: int, padding: Padding, kind: str, longest: int
) -> Iterator[Batch]:
    """Put windows of similar length into batches; yield each when it is full, and at the end those that are not full.

    A batch of length L always has the same number of rows; the last one of a length is filled up with copies of its
    first window, which every model can read. Matrix products divide their work by shape, so with a fixed shape a text
    gets the same bits whatever else is in the batch. Windows of the longest length have batches of their own, without
    padding; in all others each row has padding. Because without any, transformers omits the mask, and other kernels
    would compute attention.

    Args:
        windows: windows of any lengths.
        batch_tokens: tokens of a batch, at most.
        padding: what fills a row up.
        kind: kind of the device, which decides the lengths.
        longest: length of the longest window; no row is longer.

    Yields:
        Batches with `input_ids` and `attention_mask`, `[rows, L]`, and `token_type_ids` for a model that is told them.
    """
    waiting: dict[tuple[int, bool], list[Window]] = defaultdict(list)
    for window in windows:
        length = row_length(len(window.tokens), kind, longest)
        bucket = (length, len(window.tokens) == length)
        waiting[bucket].append(window)
        if len(waiting[bucket]) == _rows(batch_tokens, length):
            yield _batch(waiting.pop(bucket), length, batch_tokens, padding)
    for length, full in sorted(waiting, reverse=True):
        yield _batch(waiting[length, full], length, batch_tokens, padding)


def row_length(tokens: int, kind: str, longest: int) -> int:
    """Return the length of the rows for a window of so many tokens, on this kind of device.

    Only the longest windows have as many tokens as their row.
    """
    if tokens >= longest:
        return longest
    lengths = LENGTHS[kind]
    step = 2 ** (tokens.bit_length() - 1) // LONG_STEPS
    padded = next((length for length in lengths if length > tokens), (tokens // step + 1) * step if step else 1)
    return min(padded, longest)


def _rows(batch_tokens: int, length: int) -> int:
    most = batch_tokens if length <= LENGTHS["cpu"][-1] else min(batch_tokens, LONG_BATCH_TOKENS)
    return max(1, most // length)


def _batch(windows: list[Window], length: int, batch_tokens: int, padding: Padding) -> Batch:
    filled = windows + windows[:1] * (_rows(batch_tokens, length) - len(windows))
    return Batch(windows, padded(filled, length, padding))


def padded(windows: Sequence[Window], length: int, padding: Padding) -> dict[str, Any]:
    """Make the tensors of a batch: a row of `length` tokens for each window."""
    shape = (len(windows), length)
    arrays = {"input_ids": np.full(shape, padding.token), "attention_mask": np.zeros(shape, np.int64)}
    if any(window.types is not None for window in windows):
        arrays["token_type_ids"] = np.zeros(shape, np.int64)
    for row, window in enumerate(windows):
        size = len(window.tokens)
        here = (row, slice(length - size, length) if padding.left else slice(size))
        arrays["input_ids"][here] = window.tokens
        arrays["attention_mask"][here] = 1
        if window.types is not None:
            arrays["token_type_ids"][here] = window.types
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
