"""Attention inside each window of a row, in products whose shape is that of one window."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import NamedTuple

import torch
from torch import Tensor

# With this many tokens or more, PyTorch's softmax is faster in float32 than in bfloat16, by half to two thirds; with
# fewer it is slower.
FLOAT32_SOFTMAX_TOKENS = 16
# PyTorch hands products in bfloat16 to oneDNN from so many multiplications on, over all windows of a product; smaller
# ones it computes by code of its own, which gives other bits now and then.
ONEDNN_MULTIPLICATIONS = 16**3 + 1


class Row(NamedTuple):
    """Where the windows of a row are."""

    starts: Tensor  # [places]: where the window of each place begins
    groups: list[list[int]]  # runs of windows with one length: start, number of windows, length


# The row that this thread computes. Some models hand none of their arguments on to their layers.
row: ContextVar[Row] = ContextVar("row")


def attend(query: Tensor, key: Tensor, value: Tensor, more: Callable[[Tensor, Tensor], Tensor] | None = None) -> Tensor:
    """Compute attention inside each window of this thread's row.

    Args:
        query: scaled, `[heads, tokens, size]`; or `[heads, places, size]` if only the first token of each window asks.
        key: `[heads, tokens, size]`.
        value: in the shape of the keys.
        more: makes what is added to the products of queries and keys, `[heads, windows, length, length]`, of the
            queries and keys of windows of one length, `[heads, windows, length, size]`.

    Returns:
        `[tokens, heads, size]`, or `[places, heads, size]`.
    """
    found = torch.zeros_like(query)
    first_only = query.shape[1] < key.shape[1]
    place = 0
    for start, count, length in row.get().groups:
        here = slice(start, start + count * length)
        asking = slice(place, place + count) if first_only else here
        mine, keys, values = (
            part[:, tokens].reshape(len(part), count, -1, part.shape[-1]).contiguous()
            for part, tokens in ((query, asking), (key, here), (value, here))
        )
        place += count
        # So a few short windows are computed several times: one alone must get the bits that it gets among many.
        times = -(-ONEDNN_MULTIPLICATIONS // (mine.numel() * length))
        if times > 1:
            mine, keys, values = (part.repeat(1, times, 1, 1) for part in (mine, keys, values))
        scores = mine @ keys.mT
        if more is not None:
            scores = scores + more(mine, keys)
        dtype = torch.float32 if length >= FLOAT32_SOFTMAX_TOKENS else None
        shares = scores.softmax(dim=-1, dtype=dtype).to(scores.dtype)
        found[:, asking] = (shares @ values)[:, :count].flatten(1, 2)
    return found.transpose(0, 1).contiguous()
