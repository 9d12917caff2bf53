"""The head's loss and gradients are those of torch, whatever the chunk."""

import pytest
import torch
from torch.nn import functional

from samizdat.models import head_loss


@pytest.mark.parametrize("rows", [1, 2, 100])
@pytest.mark.parametrize("vocabulary", [20, 64])
def test_loss_and_gradients_are_those_of_cross_entropy(monkeypatch, rows, vocabulary):
    monkeypatch.setattr(head_loss, "LOGITS_AT_ONCE", 1)
    monkeypatch.setitem(head_loss.LEAST_ROWS, "cpu", rows)
    torch.manual_seed(0)
    hidden = torch.randn(13, 8, requires_grad=True)
    weight = torch.randn(vocabulary, 8, requires_grad=True)
    targets = torch.randint(0, vocabulary, (13,))
    targets[[3, 12]] = head_loss.NO_TARGET
    ours = head_loss.head_loss(hidden, weight, targets) / 3
    gradients = torch.autograd.grad(ours, (hidden, weight))
    expected = (
        functional.cross_entropy(hidden @ weight.T, targets, ignore_index=head_loss.NO_TARGET, reduction="sum") / 3
    )
    torch.testing.assert_close(ours, expected)
    alone = head_loss.token_losses(hidden, weight, targets)
    assert alone[[3, 12]].tolist() == [0, 0]
    torch.testing.assert_close(alone.sum() / 3, expected)
    torch.testing.assert_close(alone[0], functional.cross_entropy(hidden[:1] @ weight.T, targets[:1]))
    for found, wanted in zip(gradients, torch.autograd.grad(expected, (hidden, weight)), strict=True):
        torch.testing.assert_close(found, wanted)


def test_a_head_that_does_not_learn_gets_no_gradient():
    hidden = torch.randn(4, 8)
    with torch.no_grad():
        total = head_loss.head_loss(hidden, torch.randn(20, 8), torch.arange(4))
    assert total.ndim == 0 and not total.requires_grad


@pytest.mark.parametrize("learns", [True, False])
def test_gradients_are_computed_where_they_are_wanted(learns):
    asked = []

    def chunk_loss(*chunk, gradients, **vocabulary):
        asked.append(gradients)
        return head_loss.loss_of_chunk(*chunk, gradients=gradients, **vocabulary)

    weight = torch.randn(20, 8, requires_grad=True)
    with torch.set_grad_enabled(learns):
        total = head_loss.head_loss(torch.randn(4, 8), weight, torch.arange(4), chunk_loss)
    assert total.requires_grad == learns and asked == [learns]


@pytest.mark.parametrize(("rows", "most", "expected"), [(4096, 1365, 1024), (4096, 8192, 4096), (13, 5, 1), (12, 5, 4)])
def test_chunks_are_equally_long(rows, most, expected):
    assert head_loss.rows_at_once(rows, most) == expected


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_head_and_body_are_scaled_alike(dtype):
    """Scaled by a number halfway between two numbers of sixteen bits."""
    step = torch.finfo(dtype).eps
    scale = 1 + (0.35 // step + 0.5) * step
    torch.manual_seed(0)
    hidden = torch.randn(256, 64).to(dtype).requires_grad_()
    weight = (torch.randn(50, 64) / 8).requires_grad_()
    targets = torch.randint(0, 50, (256,))
    plain, scaled = (
        torch.autograd.grad(head_loss.head_loss(hidden, weight, targets) * factor, (hidden, weight))
        for factor in (1, scale)
    )
    assert abs(torch.tensor(scale, dtype=dtype).item() - scale) == step / 2
    for before, after in zip(plain, scaled, strict=True):
        assert after.dtype == before.dtype
        before, after = before.double(), after.double()
        # Each number is rounded up or down; the factor of all of them together is not.
        assert (before * after).sum() / before.square().sum() == pytest.approx(scale, abs=step / 10)


def test_a_frequent_token_does_not_overflow_in_float16(monkeypatch):
    rows = 8192
    monkeypatch.setitem(head_loss.LEAST_ROWS, "cpu", rows)
    torch.manual_seed(0)
    weight = (torch.randn(20, 8) / 100).requires_grad_()
    states = 16 + torch.randn(rows, 8)
    targets = torch.full((rows,), 7)
    found = []
    for dtype in (torch.float32, torch.float16):
        hidden = states.to(dtype).requires_grad_()
        found.append(torch.autograd.grad(head_loss.head_loss(hidden, weight, targets), (weight, hidden)))
    (wanted, wanted_hidden), (half, half_hidden) = found
    assert wanted.abs().max() > torch.finfo(torch.float16).max
    assert half.dtype is torch.float32 and half.isfinite().all()
    torch.testing.assert_close(half, wanted, rtol=5e-3, atol=5e-3 * wanted.abs().max().item())
    torch.testing.assert_close(half_hidden.float(), wanted_hidden, rtol=5e-3, atol=1e-4)
