"""The gradients of a batch don't depend on its micro-batches."""

import pytest

from support.small_training import log_of, run


def test_small_micro_batches_add_up_to_the_same_step(tokenizer, tmp_path):
    _, one = run(tokenizer, tmp_path / "one", dropout=0.0, micro_batch_sequences=1)
    _, four = run(tokenizer, tmp_path / "four", dropout=0.0, micro_batch_sequences=4)
    for left, right in zip(log_of(one), log_of(four), strict=True):
        assert left["validation_loss"] == pytest.approx(right["validation_loss"], abs=1e-3)
