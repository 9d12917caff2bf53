"""Packed windows: none is lost, and each is computed as if it were alone."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertConfig, BertForSequenceClassification, MPNetConfig

from samizdat.checkpoints.unpadded import TOKENS_PER_PLACE, enable_packing, packed_rows, supports_packing
from samizdat.checkpoints.windows import Window


@given(
    lengths=st.lists(st.integers(1, 24), max_size=200),
    batch_tokens=st.sampled_from([24, 40, 96]),
    first_position=st.sampled_from([0, 2]),
)
def test_every_window_is_once_and_whole_in_a_row(lengths, batch_tokens, first_position):
    windows = [Window(text, 1, [1 + (text + place) % 90 for place in range(n)]) for text, n in enumerate(lengths)]
    found = []
    for batch in packed_rows(windows, batch_tokens=batch_tokens, first_position=first_position):
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
        for batch in packed_rows(windows, batch_tokens=512, first_position=0)
    ]
    assert min(used[:-10]) >= 0.98 * 512
    assert len(used) <= 1.02 * sum(len(window.tokens) for window in windows) / 512 + 1


def test_only_encoders_with_two_way_attention_support_packing():
    assert supports_packing(BertConfig())
    assert not supports_packing(BertConfig(is_decoder=True))
    assert not supports_packing(MPNetConfig())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("width", [384, 768])
def test_a_window_has_the_same_bits_alone_and_next_to_others_of_its_length(dtype, width):
    """At the widths of real encoders, for small windows too, whose products may have kernels of their own."""
    torch.manual_seed(1)
    shape = {"hidden_size": width, "num_hidden_layers": 1, "intermediate_size": 4 * width, "vocab_size": 100}
    model = BertForSequenceClassification(BertConfig(**shape, num_labels=3)).to(dtype).eval()
    enable_packing(model)
    random = torch.Generator().manual_seed(1)
    lengths = [length for length in (*range(1, 34), 63, 64, 65, 127, 128) for _ in range(3)]
    windows = [
        Window(text, 1, torch.randint(100, (length,), generator=random).tolist()) for text, length in enumerate(lengths)
    ]

    def logits(some: list[Window]) -> dict[int, torch.Tensor]:
        found = {}
        with torch.inference_mode():
            for batch in packed_rows(some, batch_tokens=256, first_position=0):
                said = model(**batch.inputs).logits
                found |= {window.text: values for window, values in zip(batch.windows, said, strict=False)}
        return found

    together = logits(windows)
    assert len(together) == len(windows)
    for window in windows[::3]:
        assert torch.equal(together[window.text], logits([window])[window.text]), len(window.tokens)
