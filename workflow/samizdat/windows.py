"""Texts as windows of tokens, in batches whose shapes never depend on who else is there."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerFast

# Windows are padded to the next of these lengths: fine where most texts are, coarse where few are.
LENGTHS = (*range(8, 64, 8), *range(64, 128, 16), *range(128, 256, 32), *range(256, 513, 64))
TEXTS_AT_ONCE = 1024


@dataclass(frozen=True)
class Window:
    """A part of a text that the classifier reads at once."""

    text: int  # the text's number
    tokens: list[int]  # special tokens included


@dataclass(frozen=True)
class Batch:
    """Windows as tensors of one of a few fixed shapes; rows behind the windows are padding."""

    windows: list[Window]
    input_ids: torch.Tensor  # [rows, length]
    attention_mask: torch.Tensor  # [rows, length]


def cut(
    tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], max_length_tokens: int, overlap_tokens: int
) -> Iterator[Window]:
    """The windows of all texts; a text no longer than a window is one, a text without a token none."""
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
        for tokens, text in zip(encoded["input_ids"], encoded["overflow_to_sample_mapping"], strict=True):
            if len(tokens) > special:
                yield Window(start + text, tokens)


def batches(windows: Sequence[Window], *, batch_tokens: int, padding_id: int) -> Iterator[Batch]:
    """Batches of windows of like length, the longest first, so that short memory shows at once.

    A batch of length L always has `batch_tokens // L` rows, filled up with padding: matrix products split
    their work by shape, so a fixed shape gives a text the same bits whatever stands beside it.
    """
    buckets: dict[int, list[Window]] = defaultdict(list)
    for window in windows:
        buckets[bucket_length(len(window.tokens))].append(window)
    for length in sorted(buckets, reverse=True):
        rows = max(1, batch_tokens // length)
        for start in range(0, len(buckets[length]), rows):
            part = buckets[length][start : start + rows]
            input_ids = torch.full((rows, length), padding_id)
            attention_mask = torch.zeros((rows, length), dtype=torch.long)
            for row, window in enumerate(part):
                input_ids[row, : len(window.tokens)] = torch.tensor(window.tokens)
                attention_mask[row, : len(window.tokens)] = 1
            # A row of padding alone would have no token to attend to.
            attention_mask[len(part) :, 0] = 1
            yield Batch(part, input_ids, attention_mask)


def bucket_length(tokens: int) -> int:
    """The length that a window of so many tokens is padded to."""
    return next((length for length in LENGTHS if length >= tokens), tokens)
