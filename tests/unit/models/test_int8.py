"""Products in eight-bit integers are those of the rounded numbers, and rounding has no bias."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional
from transformers.pytorch_utils import Conv1D

from samizdat.models.head_loss import NO_TARGET, head_loss
from samizdat.models.int8 import Int8Affine, Int8Head, dithered, quantise


def on_grid(*shape: int) -> torch.Tensor:
    """Whole numbers that integers hold exactly: each row's and each column's largest is 127."""
    numbers = torch.randint(-126, 127, shape).float()
    for place in range(max(shape)):
        numbers[place % shape[0], place % shape[1]] = 127
    return numbers


def affine(weight: torch.Tensor, bias: torch.Tensor) -> Conv1D:
    layer = Conv1D(weight.shape[1], weight.shape[0])
    layer.weight.data, layer.bias.data = weight, bias
    return layer


def results(layer: torch.nn.Module, rows: torch.Tensor, gradient: torch.Tensor) -> list[torch.Tensor]:
    """What comes out, and the gradients of what went in and of the parameters."""
    rows = rows.clone().requires_grad_()
    out = layer(rows)
    return [out, *torch.autograd.grad(out, [rows, layer.weight, layer.bias], gradient)]


def distance(found: torch.Tensor, expected: torch.Tensor) -> float:
    return ((found - expected).norm() / expected.norm()).item()


@given(
    st.lists(st.lists(st.floats(-1e6, 1e6, width=32), min_size=3, max_size=3), min_size=1, max_size=5),
    st.sampled_from([0, 1]),
)
def test_no_number_is_off_by_more_than_half_a_unit(numbers, dim):
    numbers = torch.tensor(numbers)
    integers, unit = quantise(numbers, dim)
    assert integers.dtype is torch.int8 and integers.abs().max() <= 127
    assert ((integers * unit - numbers).abs() <= unit * 0.5001).all()


def test_products_of_whole_numbers_are_exact():
    torch.manual_seed(0)
    rows, weight, bias, gradient = on_grid(6, 8), on_grid(8, 5), torch.randn(5), on_grid(6, 5)
    layer = affine(weight, bias)
    found = results(Int8Affine(layer, torch.float32), rows, gradient)
    for ours, expected in zip(found, results(layer, rows, gradient), strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-3)


def test_products_of_any_numbers_are_near():
    torch.manual_seed(0)
    # Tokens whose gradients differ a hundredfold, as those of a model do.
    rows, gradient = torch.randn(4, 64, 32), torch.randn(4, 64, 24) * torch.logspace(-2, 0, 64)[:, None]
    layer = affine(torch.randn(32, 24), torch.randn(24))
    found = results(Int8Affine(layer, torch.float32), rows, gradient)
    for ours, expected in zip(found, results(layer, rows, gradient), strict=True):
        assert ours.shape == expected.shape and distance(ours, expected) < 0.015


def test_a_layer_that_does_not_learn_computes_in_floats():
    torch.manual_seed(0)
    layer, rows = affine(torch.randn(8, 5), torch.randn(5)), torch.randn(3, 8)
    with torch.no_grad():
        assert torch.equal(Int8Affine(layer, torch.float32)(rows), layer(rows))


def test_rounding_favours_no_side():
    for share in (-1.0, -0.3, -0.0001, 0.0, 0.0001, 0.004, 0.5, 1.0):
        integers = dithered(torch.full((1024, 512), share))
        assert integers.abs().max() <= 127
        assert integers.double().mean().item() / 127 == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("vocabulary", [500, 512])
def test_a_heads_loss_and_gradients_are_near_those_of_floats(vocabulary):
    torch.manual_seed(0)
    hidden = torch.randn(2000, 32, requires_grad=True)
    weight = (torch.randn(vocabulary, 32) * 0.1).requires_grad_()
    targets = torch.randint(0, vocabulary, (2000,))
    targets[7] = NO_TARGET
    ours = head_loss(hidden, weight, targets, int8=True)
    of_hidden, of_weight = torch.autograd.grad(ours, (hidden, weight))
    expected = functional.cross_entropy(hidden @ weight.T, targets, ignore_index=NO_TARGET, reduction="sum")
    states, matrix = torch.autograd.grad(expected, (hidden, weight))
    assert ours.item() == pytest.approx(expected.item(), rel=1e-4)
    assert distance(of_hidden, states) < 0.1 and distance(of_weight, matrix) < 0.1
    assert not of_hidden[7].any()


def test_a_heads_logits_are_of_the_rows_that_were_asked_for():
    torch.manual_seed(0)
    states, weight = on_grid(6, 8), on_grid(9, 8)
    torch.testing.assert_close(Int8Head.of(weight).logits(states), states @ weight.T)
