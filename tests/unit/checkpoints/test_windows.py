"""Windows in padded batches: lengths that suit the device, fixed shapes, and little padding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samizdat.checkpoints.reading import Padding
from samizdat.checkpoints.windows import LENGTHS, LONG_BATCH_TOKENS, Window, padded_batches, row_length


@pytest.mark.parametrize(
    ("tokens", "kind", "longest", "length"),
    [
        (1, "cpu", 128, 4), (4, "cpu", 128, 6), (17, "cpu", 128, 18), (65, "cpu", 128, 72), (129, "cpu", 512, 144),
        (257, "cpu", 512, 320), (1, "cuda", 128, 16), (17, "cuda", 128, 32), (65, "cuda", 512, 96), (17, "mps", 64, 32),
        # Beyond 512 a row is at most a quarter longer than its window.
        (512, "cpu", 8192, 640), (639, "cuda", 8192, 640), (640, "cuda", 8192, 768), (1024, "cpu", 8192, 1280),
        (4097, "cuda", 8192, 5120), (7900, "cuda", 8192, 8192),
        # No row is longer than the longest window, which has no padding.
        (128, "cpu", 128, 128), (127, "cpu", 128, 128), (121, "cpu", 123, 123), (514, "cuda", 514, 514),
        (513, "cuda", 514, 514), (3, "cuda", 8, 8),
    ],
)  # fmt: skip
def test_a_window_is_padded_to_the_next_length_of_its_device(tokens, kind, longest, length):
    assert row_length(tokens, kind, longest) == length


def test_a_gpu_has_few_lengths_and_its_units_fit_all_of_them():
    assert len(LENGTHS["cuda"]) <= 12 and not any(length % 16 for length in LENGTHS["cuda"])
    assert len(LENGTHS["cpu"]) > 2 * len(LENGTHS["cuda"])
    assert all(list(lengths) == sorted(set(lengths)) for lengths in LENGTHS.values())


@given(
    lengths=st.lists(st.integers(1, 70), max_size=100),
    batch_tokens=st.sampled_from([70, 100, 400]),
    kind=st.sampled_from(["cpu", "cuda"]),
    left=st.booleans(),
)
def test_every_window_is_in_one_batch_of_a_fixed_shape(lengths, batch_tokens, kind, left):
    windows = [Window(text, 1, [1 + (text + place) % 90 for place in range(n)]) for text, n in enumerate(lengths)]
    found, rows = [], {}
    for batch in padded_batches(windows, batch_tokens=batch_tokens, padding=Padding(0, left), kind=kind, longest=70):
        ids, mask = batch.inputs["input_ids"].tolist(), batch.inputs["attention_mask"].tolist()
        length = len(ids[0])
        assert rows.setdefault(length, len(ids)) == len(ids) <= max(1, batch_tokens // length)
        filled = batch.windows + batch.windows[:1] * (len(ids) - len(batch.windows))
        for window, row, there in zip(filled, ids, mask, strict=True):
            blank, ones = [0] * (length - len(window.tokens)), [1] * len(window.tokens)
            assert row == (blank + window.tokens if left else window.tokens + blank)
            assert there == (blank + ones if left else ones + blank)
        # Each row has padding, or none has: so that transformers has a mask for all batches of a shape, or for none.
        assert len({len(window.tokens) == length for window in filled}) == 1
        found += batch.windows
    assert sorted(window.text for window in found) == list(range(len(lengths)))


@pytest.mark.parametrize(("kind", "batch_tokens"), [("cpu", 1024), ("cuda", 65536)])
@pytest.mark.parametrize("longest", [4096, 8192])
def test_less_than_a_quarter_of_what_is_computed_for_long_windows_is_padding(kind, batch_tokens, longest):
    random = np.random.default_rng(1)
    windows = [Window(text, 1, [7] * size) for text, size in enumerate(random.integers(513, longest + 1, 300).tolist())]
    computed = 0
    for batch in padded_batches(
        windows, batch_tokens=batch_tokens, padding=Padding(0, left=False), kind=kind, longest=longest
    ):
        assert batch.inputs["input_ids"].numel() <= max(LONG_BATCH_TOKENS, longest)
        computed += batch.inputs["input_ids"].numel()
    assert sum(len(window.tokens) for window in windows) > 0.75 * computed
