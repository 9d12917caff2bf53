"""Batches that are computed side by side: in their order, each by one thread, and nothing stays changed."""

import numpy as np
import pytest
import torch

from samizdat.checkpoints.side_by_side import computed_batches
from samizdat.checkpoints.windows import Batch, Window


@pytest.fixture(autouse=True)
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def batches(number: int) -> list[Batch]:
    return [Batch([Window(text, 1, [1])], {}) for text in range(number)]


def threads_and_number(batch: Batch) -> np.ndarray:
    return np.array([torch.get_num_threads(), batch.windows[0].text])


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_batches_come_in_their_order_and_no_thread_helps_another(threads):
    found = []
    for batch, result in computed_batches(batches(20), threads_and_number, "cpu", threads):
        # Nor what is made of a result meanwhile.
        assert torch.get_num_threads() == 1
        found.append((batch.windows[0].text, *result.tolist()))
    assert found == [(number, 1, number) for number in range(20)]
    assert torch.get_num_threads() == 2


def test_on_a_gpu_what_is_made_of_a_result_has_all_threads():
    for _ in computed_batches(batches(3), threads_and_number, "cuda", 2):
        assert torch.get_num_threads() == 2


def test_a_failure_is_told_and_leaves_the_threads_as_they_were():
    def fail(batch: Batch) -> np.ndarray:
        raise ValueError(f"batch {batch.windows[0].text}")

    with pytest.raises(ValueError, match="batch 0"):
        list(computed_batches(batches(9), fail, "cpu", 2))
    assert torch.get_num_threads() == 2
