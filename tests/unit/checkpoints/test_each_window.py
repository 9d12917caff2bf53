"""Attention inside windows: how many windows of a length are computed at once changes no bit."""

import pytest
import torch
from torch import Tensor

from samizdat.checkpoints.each_window import Row, attend, row


def attention(query: Tensor, key: Tensor, value: Tensor, length: int) -> Tensor:
    """Compute the attention of windows of one length, `[heads, tokens, size]`; or of their first tokens only."""
    count = key.shape[1] // length
    row.set(Row(torch.arange(count) * length, [[0, count, length]]))
    return attend(query, key, value)


@pytest.mark.parametrize("first_only", [True, False])
@pytest.mark.parametrize(("heads", "size"), [(12, 32), (4, 12)])
@torch.inference_mode()
def test_a_short_window_has_the_same_bits_alone_and_among_hundreds(heads, size, first_only):
    random = torch.Generator().manual_seed(1)
    for length in (1, 2, 4, 7, 9, 10, 47):
        tokens = 400 // length * length
        several = [torch.randn(heads, tokens, size, generator=random).bfloat16() for _ in range(3)]
        step = 1 if first_only else length
        query = several[0][:, ::length].contiguous() if first_only else several[0]
        together = attention(query, *several[1:], length)
        for place in range(tokens // length):
            here = slice(place * length, (place + 1) * length)
            asking = slice(place * step, (place + 1) * step)
            alone = attention(
                query[:, asking].contiguous(), *(part[:, here].contiguous() for part in several[1:]), length
            )
            assert torch.equal(alone, together[asking]), (length, place)
