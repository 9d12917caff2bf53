"""Windows in padded batches: lengths that suit the device, and fixed shapes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samizdat.checkpoints.windows import LENGTHS, Window, bucket_length, padded_batches


@pytest.mark.parametrize(
    ("tokens", "kind", "length"),
    [
        (1, "cpu", 4), (17, "cpu", 18), (65, "cpu", 72), (129, "cpu", 144), (257, "cpu", 320), (513, "cpu", 513),
        (1, "cuda", 16), (17, "cuda", 32), (65, "cuda", 96), (129, "cuda", 192), (257, "cuda", 384), (512, "cuda", 512),
        (513, "cuda", 513), (17, "mps", 32),
    ],
)  # fmt: skip
def test_a_window_is_padded_to_the_next_length_of_its_device(tokens, kind, length):
    assert bucket_length(tokens, kind) == length


def test_a_gpu_has_few_lengths_and_its_units_fit_all_of_them():
    assert len(LENGTHS["cuda"]) <= 12 and not any(length % 16 for length in LENGTHS["cuda"])
    assert len(LENGTHS["cpu"]) > 2 * len(LENGTHS["cuda"])
    assert all(list(lengths) == sorted(set(lengths)) for lengths in LENGTHS.values())


@given(
    lengths=st.lists(st.integers(1, 70), max_size=100),
    batch_tokens=st.sampled_from([64, 100, 400]),
    kind=st.sampled_from(["cpu", "cuda"]),
)
def test_every_window_is_in_one_batch_and_each_batch_has_a_spare_row(lengths, batch_tokens, kind):
    windows = [Window(text, 1, [1 + (text + place) % 90 for place in range(n)]) for text, n in enumerate(lengths)]
    found, shapes = [], {}
    for batch in padded_batches(windows, batch_tokens=batch_tokens, padding_id=0, kind=kind):
        ids, mask = batch.inputs["input_ids"], batch.inputs["attention_mask"]
        shapes.setdefault(ids.shape[1], set()).add((tuple(ids.shape), tuple(mask.shape)))
        for window, row, there in zip(batch.windows, ids.tolist(), mask.tolist(), strict=False):
            size = len(window.tokens)
            assert row == window.tokens + [0] * (len(row) - size) and there == [1] * size + [0] * (len(row) - size)
        assert len(batch.windows) < len(ids)
        assert not mask[len(batch.windows) :, 1:].any() and not ids[len(batch.windows) :].any()
        found += batch.windows
    assert sorted(window.text for window in found) == list(range(len(lengths)))
    for length, seen in shapes.items():
        rows_there = max(1, batch_tokens // length) + 1
        assert seen == {((rows_there, length), (rows_there, length))}
