"""Windows end to end: none is lost, and each is computed as if it were alone."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from samizdat.unpadded import TOKENS_PER_PLACE, _attention, rows
from samizdat.windows import Window


@given(
    lengths=st.lists(st.integers(1, 24), max_size=200),
    batch_tokens=st.sampled_from([24, 40, 96]),
    first_position=st.sampled_from([0, 2]),
)
def test_every_window_stands_once_and_whole_in_a_row(lengths, batch_tokens, first_position):
    windows = [Window(text, 1, [1 + (text + place) % 90 for place in range(n)]) for text, n in enumerate(lengths)]
    found = []
    for batch in rows(windows, batch_tokens=batch_tokens, first_position=first_position):
        row, positions = batch.inputs["input_ids"], batch.inputs["position_ids"]
        assert row.shape == positions.shape == (1, batch_tokens)
        assert len(batch.inputs["starts"]) == batch_tokens // TOKENS_PER_PLACE
        lengths_said = [length for _, count, length in batch.inputs["groups"] for _ in range(count)]
        assert lengths_said == [len(window.tokens) for window in batch.windows]
        for window, start in zip(batch.windows, batch.inputs["starts"].tolist(), strict=False):
            end = start + len(window.tokens)
            assert row[0, start:end].tolist() == window.tokens
            assert positions[0, start:end].tolist() == [first_position + place for place in range(end - start)]
        found += batch.windows
    assert sorted(window.text for window in found) == list(range(len(lengths)))


def test_rows_are_full_while_there_are_windows_to_fill_them():
    windows = [Window(text, 1, [5] * (3 + text * 7 % 40)) for text in range(3000)]
    used = [
        sum(len(window.tokens) for window in batch.windows)
        for batch in rows(windows, batch_tokens=512, first_position=0)
    ]
    assert min(used[:-10]) >= 0.98 * 512
    assert len(used) <= 1.02 * sum(len(window.tokens) for window in windows) / 512 + 1


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("heads", "size"), [(12, 32), (12, 64), (4, 12)])
def test_attention_of_a_window_has_the_same_bits_beside_others_of_its_length(dtype, heads, size):
    """What the row's groups rest on, on the machine at hand, for small windows too, which have kernels of their own."""
    numbers = torch.Generator().manual_seed(1)
    for length in (*range(1, 34), 63, 64, 65, 127, 128):
        for count in (2, 3, 7):
            parts = torch.randn((3, 1, count * length + 5, heads, size), generator=numbers).to(dtype).transpose(2, 3)
            with torch.inference_mode():
                together, _ = _attention(None, *parts, None, groups=[[0, count, length]])
                apart, _ = _attention(None, *parts, None, groups=[[i * length, 1, length] for i in range(count)])
            assert torch.equal(together, apart), (length, count)
            assert not together[0, count * length :].any()
