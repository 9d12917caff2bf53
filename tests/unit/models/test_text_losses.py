"""The loss of each text of a split: the same whether the texts are few batches or many."""

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from samizdat.models import text_losses
from samizdat.models.row_loss import RowLoss

BOUNDARY = 0


@pytest.fixture(scope="module")
def loss():
    torch.manual_seed(3)
    config = GPT2Config(n_layer=1, n_head=2, n_embd=16, n_positions=8, vocab_size=20, bos_token_id=0, eos_token_id=0)
    return RowLoss(GPT2LMHeadModel(config), kind="cpu", dtype=torch.float32)


def of_texts(loss, sizes: list[int]) -> list[pd.DataFrame]:
    draw = np.random.default_rng(1)
    stream = [token for size in sizes for token in (BOUNDARY, *draw.integers(1, 20, size - 1))]
    found = text_losses.text_losses(loss, np.array(stream, np.uint16), boundary=BOUNDARY, context_tokens=8, sequences=3)
    return list(found)


def test_batches_have_the_losses_of_the_whole(loss, monkeypatch):
    sizes = [3, 1, 20, 2, 7, 1, 1, 9]
    (whole,) = of_texts(loss, sizes)
    assert whole["tokens"].tolist() == sizes == [len(nats) for nats in whole["token_nats"]]
    np.testing.assert_allclose([nats.sum() for nats in whole["token_nats"]], whole["nats"], rtol=1e-6)
    assert (whole["nats"] > 0).all()
    monkeypatch.setattr(text_losses, "BATCH_ROWS", 3)
    parts = of_texts(loss, sizes)
    assert [len(part) for part in parts] == [3, 3, 2]
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)


def test_no_text_is_one_batch_without_rows(loss):
    assert [len(part) for part in of_texts(loss, [])] == [0]
