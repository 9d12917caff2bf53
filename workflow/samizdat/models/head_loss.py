"""Cross-entropy of a language model's head without holding all logits at once."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional

from samizdat.models.int8 import Int8Head

NO_TARGET = -1
# Logits held at once, about 32 MiB in float32, but never fewer rows than keep the matrix units busy.
LOGITS_AT_ONCE = 2**23
LEAST_ROWS = {"cpu": 1024, "cuda": 8192, "mps": 1024}
# A frequent token's gradient is the sum over thousands of rows, which may overflow in float16 (65,504): the rows are
# divided by this and the sum is multiplied by it, both exactly.
FLOAT16_ROOM = 16
# Rows of a matrix begin at multiples of so many numbers, or a GPU multiplies it at a fraction of its rate.
ALIGNMENT = 64


class FloatHead(NamedTuple):
    """A head's matrix, `[vocabulary, width]`, in the format in which its products are computed."""

    weight: torch.Tensor

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        """From `[rows, width]` to `[rows, vocabulary]`, in float32."""
        return (states @ self.weight.T).float()

    def gradients(self, gradient: torch.Tensor, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Those of `states` and of the matrix, from that of the logits."""
        gradient = gradient.to(states.dtype)
        if states.dtype is torch.float16:
            return gradient @ self.weight, (gradient.T @ (states / FLOAT16_ROOM)).float() * FLOAT16_ROOM
        return gradient @ self.weight, gradient.T @ states


def loss_of_chunk(
    states: torch.Tensor, head: FloatHead | Int8Head, goals: torch.Tensor, *, vocabulary: int, gradients: bool
) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]:
    """The summed loss of some rows, and with `gradients` those of `states` and of the head's matrix.

    Args:
        states: `[rows, width]`.
        head: of `vocabulary` rows or more; what is beyond has no share.
        goals: `[rows]` token ids or `NO_TARGET`.
        vocabulary: how many tokens there are.
        gradients: whether they are wanted.
    """
    counts = goals != NO_TARGET
    places = goals.clamp(min=0)[:, None]
    logits = head.logits(states)
    if logits.shape[1] > vocabulary:
        logits[:, vocabulary:] = -torch.inf
    normaliser = logits.logsumexp(dim=1, keepdim=True)
    losses = (normaliser - logits.gather(1, places)).squeeze(1)
    total = (losses * counts).sum()
    if not gradients:
        return total, None, None
    # The gradient of -log softmax is softmax minus one at the target: one pass when compiled, and in place where not.
    tokens = torch.arange(logits.shape[1], device=logits.device)
    gradient = logits.sub_(normaliser).exp_().sub_((tokens == places).float()).mul_(counts[:, None])
    return total, *head.gradients(gradient, states)


class _HeadLoss(torch.autograd.Function):
    """Loss and gradients chunk by chunk in the forward pass; the backward pass only scales them."""

    @staticmethod
    def forward(ctx, hidden, weight, targets, chunk_loss, gradients, int8):
        vocabulary = len(weight)
        compute_weight = weight.to(hidden.dtype)
        if vocabulary % ALIGNMENT:
            compute_weight = functional.pad(compute_weight, (0, 0, 0, -vocabulary % ALIGNMENT))
        head = Int8Head.of(compute_weight) if int8 and gradients else FloatHead(compute_weight)
        hidden_gradient = torch.empty_like(hidden) if gradients else None
        weight_gradient = torch.zeros_like(weight) if gradients else None
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        rows = rows_at_once(len(hidden), max(LEAST_ROWS[hidden.device.type], LOGITS_AT_ONCE // vocabulary))
        for start in range(0, len(hidden), rows):
            part = slice(start, start + rows)
            loss, of_hidden, of_weight = chunk_loss(
                hidden[part], head, targets[part], vocabulary=vocabulary, gradients=gradients
            )
            total += loss
            if gradients:
                hidden_gradient[part] = of_hidden
                weight_gradient += of_weight[:vocabulary]
        ctx.save_for_backward(hidden_gradient, weight_gradient)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx, scale):
        hidden_gradient, weight_gradient = ctx.saved_tensors
        # In float32 for both: in sixteen bits the scale itself would be rounded, and body and head scaled unlike.
        scaled = (hidden_gradient.float() * scale).to(hidden_gradient.dtype)
        return scaled, weight_gradient * scale, None, None, None, None


def rows_at_once(rows: int, most: int) -> int:
    """The length of equal chunks, no longer than `most`, so that all have the shape that was compiled."""
    chunks = max(1, -(-rows // most))
    while rows % chunks:
        chunks += 1
    return max(1, rows // chunks)


def head_loss(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    targets: torch.Tensor,
    chunk_loss: Callable = loss_of_chunk,
    *,
    int8: bool = False,
) -> torch.Tensor:
    """The summed cross-entropy, in nats, of `softmax(hidden @ weight.T)` against `targets`.

    Args:
        hidden: `[n, width]`, in the format in which the logits are to be computed.
        weight: `[vocabulary, width]`, the head.
        targets: `[n]` token ids; `NO_TARGET` (-1) counts as nothing.
        chunk_loss: `loss_of_chunk`, or what it was compiled to.
        int8: compute products in eight-bit integers where gradients are wanted.
    """
    # Inside a Function gradients are always off, and its needs_input_grad doesn't know whether they were on outside.
    gradients = torch.is_grad_enabled() and (hidden.requires_grad or weight.requires_grad)
    return _HeadLoss.apply(hidden, weight, targets, chunk_loss, gradients, int8)
