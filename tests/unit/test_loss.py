"""The head's loss and gradients are those of torch, whatever the chunk."""

import pytest
import torch
from samizdat import loss
from torch.nn import functional


@pytest.mark.parametrize("rows", [1, 2, 100])
@pytest.mark.parametrize("vocabulary", [20, 64])
def test_loss_and_gradients_are_those_of_cross_entropy(monkeypatch, rows, vocabulary):
    monkeypatch.setattr(loss, "LOGITS_AT_ONCE", 1)
    monkeypatch.setitem(loss.LEAST_ROWS, "cpu", rows)
    torch.manual_seed(0)
    hidden = torch.randn(13, 8, requires_grad=True)
    weight = torch.randn(vocabulary, 8, requires_grad=True)
    targets = torch.randint(0, vocabulary, (13,))
    targets[[3, 12]] = loss.NO_TARGET
    ours = loss.head_loss(hidden, weight, targets) / 3
    gradients = torch.autograd.grad(ours, (hidden, weight))
    expected = functional.cross_entropy(hidden @ weight.T, targets, ignore_index=loss.NO_TARGET, reduction="sum") / 3
    torch.testing.assert_close(ours, expected)
    for found, wanted in zip(gradients, torch.autograd.grad(expected, (hidden, weight)), strict=True):
        torch.testing.assert_close(found, wanted)


def test_a_head_that_does_not_learn_gets_no_gradient():
    hidden = torch.randn(4, 8)
    with torch.no_grad():
        total = loss.head_loss(hidden, torch.randn(20, 8), torch.arange(4))
    assert total.ndim == 0 and not total.requires_grad


@pytest.mark.parametrize("learns", [True, False])
def test_gradients_are_computed_where_they_are_wanted(learns):
    asked = []

    def chunk_loss(*chunk, gradients, **vocabulary):
        asked.append(gradients)
        return loss.loss_of_chunk(*chunk, gradients=gradients, **vocabulary)

    weight = torch.randn(20, 8, requires_grad=True)
    with torch.set_grad_enabled(learns):
        total = loss.head_loss(torch.randn(4, 8), weight, torch.arange(4), chunk_loss)
    assert total.requires_grad == learns and asked == [learns]


@pytest.mark.parametrize(("rows", "most", "expected"), [(4096, 1365, 1024), (4096, 8192, 4096), (13, 5, 1), (12, 5, 4)])
def test_chunks_are_equally_long(rows, most, expected):
    assert loss.rows_at_once(rows, most) == expected
