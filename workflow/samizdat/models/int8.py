"""Products of matrices in eight-bit integers, for training on a CPU that multiplies those twice as fast as bfloat16.

Rows and columns are scaled to -127 to 127 each, and products summed exactly in 32 bits, as in Wortsman et al.,
"Stable and low-precision training for large-scale vision-language models", 2023 (SwitchBack). Unlike there the weights'
gradient is computed in integers too.
"""

from typing import NamedTuple

import torch
from torch.autograd.function import once_differentiable
from transformers.pytorch_utils import Conv1D

LARGEST = 127
# No unit is smaller, so that nothing is divided by the zero of rows of zeros.
LEAST_UNIT = 1e-32


def quantise(numbers: torch.Tensor, dim: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Integers from -127 to 127, and what one of them is worth: a unit for all along `dim`, whose size becomes 1."""
    exact = numbers.float()
    # Multiplied, not divided: compiled, both are done for every number, and a division takes as long as all the rest.
    unit = (exact.abs().amax(dim, keepdim=True) * (1 / LARGEST)).clamp(min=LEAST_UNIT)
    return (exact * unit.reciprocal()).round().to(torch.int8), unit


def dithered(shares: torch.Tensor) -> torch.Tensor:
    """127 times the numbers of a matrix, each from -1 to 1, rounded so that sums of many are right.

    Most of a softmax's shares are below half a unit. Each is rounded up at as many places as its fraction says: the
    thresholds are the R2 sequence of Roberts, "The unreasonable effectiveness of quasirandom sequences", 2018.
    """
    rows, columns = (torch.arange(length, device=shares.device) for length in shares.shape)
    threshold = (rows * 0.7548776662466927).frac()[:, None] + (columns * 0.5698402909980532).frac()
    # A share of 1 and a threshold of almost 1 are 128 in float32.
    return (shares * LARGEST + threshold.frac()).floor().clamp(max=LARGEST).to(torch.int8)


class Int8Affine(torch.nn.Module):
    """A `Conv1D` with the same weights; where gradients are wanted, its three products are computed in integers."""

    def __init__(self, original: Conv1D, dtype: torch.dtype):
        """Take the place of `original`; what comes out is of `dtype`."""
        super().__init__()
        self.weight, self.bias, self.nf = original.weight, original.bias, original.nf
        self.dtype = dtype

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """From `[…, inputs]` to `[…, outputs]`."""
        if not torch.is_grad_enabled():
            return Conv1D.forward(self, rows)
        return _Affine.apply(rows, self.weight, self.bias, self.dtype)


class _Affine(torch.autograd.Function):
    """`rows @ weight + bias`; kept for the backward pass are the rows in integers, half of what bfloat16 takes."""

    @staticmethod
    def forward(ctx, rows, weight, bias, dtype):
        integers, unit = quantise(rows.flatten(0, -2), 1)
        weight_integers, weight_unit = quantise(weight, 0)
        ctx.save_for_backward(integers, unit, weight)
        ctx.dtype = rows.dtype
        product = torch._int_mm(integers, weight_integers).float() * unit * weight_unit + bias
        return product.to(dtype).unflatten(0, rows.shape[:-1])

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        integers, unit, weight = ctx.saved_tensors
        flat = gradient.flatten(0, -2)
        by_row, row_unit = quantise(flat, 1)
        weight_integers, weight_unit = quantise(weight, 1)
        of_rows = torch._int_mm(by_row, weight_integers.T).float() * row_unit * weight_unit.T
        # Summed over the rows, whose units can't be taken out of the sum: they go into the gradient before.
        by_column, column_unit = quantise(flat.float() * unit, 0)
        of_weight = torch._int_mm(integers.T, by_column).float() * column_unit
        return of_rows.to(ctx.dtype).unflatten(0, gradient.shape[:-1]), of_weight, flat.float().sum(0), None


class Int8Head(NamedTuple):
    """The matrix of a language model's head, `[vocabulary, width]`, in integers for both of its products."""

    by_row: torch.Tensor
    row_unit: torch.Tensor
    by_column: torch.Tensor
    column_unit: torch.Tensor

    @classmethod
    def of(cls, weight: torch.Tensor) -> "Int8Head":
        """That of a matrix of numbers."""
        return cls(*quantise(weight, 1), *quantise(weight, 0))

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        """From `[rows, width]` to `[rows, vocabulary]`, in float32."""
        integers, unit = quantise(states, 1)
        return torch._int_mm(integers, self.by_row.T).float() * unit * self.row_unit.T

    def gradients(self, gradient: torch.Tensor, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Those of `states` and of the matrix, from that of the logits, whose numbers are from -1 to 1."""
        integers = dithered(gradient)
        of_states = torch._int_mm(integers, self.by_column).float() * (self.column_unit / LARGEST)
        state_integers, unit = quantise(states, 0)
        of_weight = torch._int_mm(integers.T, state_integers).float() * (unit / LARGEST)
        return of_states.to(states.dtype), of_weight
