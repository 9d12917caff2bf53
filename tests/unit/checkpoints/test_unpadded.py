"""Packed windows: none is lost, and each is computed as if it were alone."""

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    DebertaV2Config,
    DistilBertConfig,
    MPNetConfig,
    PreTrainedConfig,
)

from samizdat.checkpoints import unpadded
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


def test_a_window_longer_than_a_row_is_refused():
    with pytest.raises(ValueError, match="a window of 25 tokens does not fit into a row of 24"):
        next(packed_rows([Window(0, 1, [5] * 25)], batch_tokens=24, first_position=0))


def test_a_row_has_windows_of_few_lengths():
    # Each length costs a row some small products of its own.
    windows = [Window(text, 1, [5] * (3 + text * 7 % 40)) for text in range(30_000)]
    rows = list(packed_rows(windows, batch_tokens=1024, first_position=0))
    assert sum(len(row.inputs["groups"]) for row in rows) < 2.5 * len(rows)


def test_a_window_of_a_rare_length_does_not_wait_for_the_end(monkeypatch):
    monkeypatch.setattr(unpadded, "MOST_ROWS_WAITED", 100)
    lengths = [3 + text * 7 % 40 for text in range(60_000)]
    rare = range(0, 60_000, 500)
    for place, text in enumerate(rare):
        lengths[text] = 50 + place
    windows = [Window(text, 1, [5] * length) for text, length in enumerate(lengths)]
    came, waited, rows = {}, {}, list[int]()

    def coming() -> Iterator[Window]:
        for window in windows:
            came[window.text] = len(rows)
            yield window

    for batch in packed_rows(coming(), batch_tokens=1024, first_position=0):
        waited |= {window.text: len(rows) - came[window.text] for window in batch.windows}
        rows.append(sum(len(window.tokens) for window in batch.windows))
    assert len(waited) == len(windows) and len(rows) > 1000
    assert max(waited.values()) < 200
    assert sum(rows[:-10]) >= 0.99 * 1024 * len(rows[:-10])


def test_only_encoders_with_two_way_attention_support_packing():
    assert supports_packing(BertConfig())
    assert not supports_packing(BertConfig(is_decoder=True))
    assert not supports_packing(MPNetConfig())


def test_a_deberta_without_relative_positions_or_with_a_convolution_is_padded():
    assert supports_packing(DebertaV2Config(relative_attention=True))
    assert not supports_packing(DebertaV2Config(relative_attention=False))
    assert not supports_packing(DebertaV2Config(relative_attention=True, conv_kernel_size=3))


def deberta(width: int = 48, **changes: object) -> DebertaV2Config:
    """Describe a small DeBERTa that knows eight distances in each direction, or what `changes` say."""
    shape = {"hidden_size": width, "num_hidden_layers": 2, "intermediate_size": 2 * width, "vocab_size": 100}
    relative = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 8}
    heads = {"num_attention_heads": max(4, width // 64), "max_position_embeddings": 128, "num_labels": 3}
    return DebertaV2Config(**shape | relative | heads | changes)


def bert(width: int) -> BertConfig:
    shape = {"hidden_size": width, "num_hidden_layers": 1, "intermediate_size": 4 * width, "vocab_size": 100}
    return BertConfig(**shape, num_labels=3)


def distilbert(width: int) -> DistilBertConfig:
    return DistilBertConfig(dim=width, n_layers=1, hidden_dim=4 * width, n_heads=12, vocab_size=100, num_labels=3)


def logits(model: torch.nn.Module, windows: list[Window], batch_tokens: int = 256) -> dict[int, torch.Tensor]:
    """Compute the logits of packed windows, by their numbers."""
    found = {}
    with torch.inference_mode():
        for batch in packed_rows(windows, batch_tokens=batch_tokens, first_position=0):
            said = model(**batch.inputs).logits
            found |= {window.text: values for window, values in zip(batch.windows, said, strict=False)}
    return found


def made(config: PreTrainedConfig) -> torch.nn.Module:
    """Make a model whose answers differ clearly from text to text."""
    torch.manual_seed(1)
    model = AutoModelForSequenceClassification.from_config(config, attn_implementation="eager").eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(4)
    return model


def random_windows(lengths: list[int]) -> list[Window]:
    random = torch.Generator().manual_seed(1)
    return [
        Window(text, 1, torch.randint(1, 100, (length,), generator=random).tolist())
        for text, length in enumerate(lengths)
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"share_att_key": True, "norm_rel_ebd": "layer_norm"},
        {"pos_att_type": ["c2p"]},
        {"pos_att_type": ["p2c"], "position_buckets": -1, "max_relative_positions": 5},
        {"pos_att_type": [], "position_biased_input": False, "type_vocab_size": 2},
    ],
    ids=str,
)
def test_a_packed_deberta_says_what_transformers_says(changes):
    """The windows are shorter and longer than the distances that the model tells apart."""
    windows = random_windows([1, 2, 3, 7, 8, 9, 17, 40, 40, 90])
    model = made(deberta(**changes))
    with torch.inference_mode():
        expected = [model(input_ids=torch.tensor([window.tokens])).logits[0] for window in windows]
    assert torch.stack(expected).std(dim=0).min() > 0.05
    enable_packing(model)
    found = logits(model, windows)
    for window, values in zip(windows, expected, strict=True):
        torch.testing.assert_close(found[window.text], values, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(
    "config", [bert(384), bert(768), distilbert(384), deberta(768, num_hidden_layers=1)], ids=lambda c: c.model_type
)
def test_a_window_has_the_same_bits_alone_and_next_to_others_of_its_length(config, dtype):
    """At the widths of real encoders, for small windows too, whose products may have kernels of their own."""
    model = made(config).to(dtype)
    enable_packing(model)
    windows = random_windows([length for length in (*range(1, 34), 63, 64, 65, 127, 128) for _ in range(3)])
    together = logits(model, windows)
    assert len(together) == len(windows)
    for window in windows[::3]:
        assert torch.equal(together[window.text], logits(model, [window])[window.text]), len(window.tokens)
