"""Matrix products in eight-bit integers, for training on a CPU that multiplies them twice as fast as bfloat16.

Each row or column is scaled to -127 to 127, and products are summed exactly in 32 bits, as in Wortsman et al.,
"Stable and low-precision training for large-scale vision-language models", 2023 (SwitchBack). Unlike there, the
weights' gradient is computed in integers, too.
"""

from typing import Any, NamedTuple

import torch
from torch.autograd.function import once_differentiable
from transformers.pytorch_utils import Conv1D

LARGEST = 127
# The smallest unit: a row of zeros has the unit 0 otherwise, and would be divided by it.
LEAST_UNIT = 1e-32


def quantise(numbers: torch.Tensor, dim: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Round numbers to integers times a unit.

    Args:
        numbers: of any shape.
        dim: all numbers along it share a unit.

    Returns:
        int8 from -127 to 127, in the shape of `numbers`; and the units, float32, whose size along `dim` is 1.
    """
    exact = numbers.float()
    # Multiplied, not divided: compiled, this is computed for every number, and a division takes as long as the rest.
    unit = (exact.abs().amax(dim, keepdim=True) * (1 / LARGEST)).clamp(min=LEAST_UNIT)
    return (exact * unit.reciprocal()).round().to(torch.int8), unit


def dithered(shares: torch.Tensor) -> torch.Tensor:
    """Round 127 times the numbers of a matrix, each from -1 to 1, so that sums of many of them are right.

    Most probabilities of a softmax are below half a unit. A number is rounded up in the share of places that its
    fraction says. The thresholds are the R2 sequence of Roberts, "The unreasonable effectiveness of quasirandom
    sequences", 2018.
    """
    rows, columns = (torch.arange(length, device=shares.device) for length in shares.shape)
    threshold = (rows * 0.7548776662466927).frac()[:, None] + (columns * 0.5698402909980532).frac()
    # A share of 1 and a threshold of almost 1 are 128 in float32.
    return (shares * LARGEST + threshold.frac()).floor().clamp(max=LARGEST).to(torch.int8)


class Int8Affine(torch.nn.Module):
    """A `Conv1D` that computes its three products in integers if gradients are wanted."""

    def __init__(self, original: Conv1D, dtype: torch.dtype):
        """Take the weights of `original`; the output is of `dtype`."""
        super().__init__()
        self.weight, self.bias, self.nf = original.weight, original.bias, original.nf
        self.dtype = dtype

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Compute `[…, outputs]` from `[…, inputs]`."""
        if not torch.is_grad_enabled():  # as in Conv1D
            return torch.addmm(self.bias, rows.view(-1, rows.size(-1)), self.weight).view(*rows.shape[:-1], self.nf)
        product: torch.Tensor = _Affine.apply(rows, self.weight, self.bias, self.dtype)  # type: ignore[no-untyped-call]
        return product


class _Affine(torch.autograd.Function):
    """Computes `rows @ weight + bias`. For the backward pass it keeps the rows in integers, half of bfloat16's size."""

    @staticmethod
    def forward(
        ctx: Any, rows: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, dtype: torch.dtype
    ) -> torch.Tensor:
        integers, unit = quantise(rows.flatten(0, -2), 1)
        weight_integers, weight_unit = quantise(weight, 0)
        ctx.save_for_backward(integers, unit, weight)
        ctx.dtype = rows.dtype
        exact = torch._int_mm(integers, weight_integers).float() * unit * weight_unit + bias
        return exact.to(dtype).view(*rows.shape[:-1], -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        integers, unit, weight = ctx.saved_tensors
        flat = gradient.flatten(0, -2)
        by_row, row_unit = quantise(flat, 1)
        weight_integers, weight_unit = quantise(weight, 1)
        of_rows = torch._int_mm(by_row, weight_integers.T).float() * row_unit * weight_unit.T
        # This product is a sum over the rows. Their units differ, so the gradient is multiplied by them before.
        by_column, column_unit = quantise(flat.float() * unit, 0)
        of_weight = torch._int_mm(integers.T, by_column).float() * column_unit
        return of_rows.to(ctx.dtype).view(*gradient.shape[:-1], -1), of_weight, flat.float().sum(0), None


class Int8Head(NamedTuple):
    """The matrix of a language model's head, `[vocabulary, width]`, in integers for each of its two products."""

    by_row: torch.Tensor
    row_unit: torch.Tensor
    by_column: torch.Tensor
    column_unit: torch.Tensor

    @classmethod
    def of(cls, weight: torch.Tensor) -> "Int8Head":
        """Round a matrix of numbers."""
        return cls(*quantise(weight, 1), *quantise(weight, 0))

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        """Compute logits `[rows, vocabulary]` in float32 from states `[rows, width]`."""
        integers, unit = quantise(states, 1)
        return torch._int_mm(integers, self.by_row.T).float() * unit * self.row_unit.T

    def gradients(self, gradient: torch.Tensor, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Compute the gradients of `states` and of the matrix from the logits' `gradient`, of numbers from -1 to 1."""
        integers = dithered(gradient)
        of_states = torch._int_mm(integers, self.by_column).float() * (self.column_unit / LARGEST)
        state_integers, unit = quantise(states, 0)
        of_weight = torch._int_mm(integers.T, state_integers).float() * (unit / LARGEST)
        return of_states.to(states.dtype), of_weight
