"""Cross-entropy of a language model's head, computed without all logits in memory at once."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional

from samizdat.models.int8 import Int8Head

NO_TARGET = -1
# Logits in memory at once, about 32 MiB in float32; but never fewer rows than keep the matrix units busy.
LOGITS_AT_ONCE = 2**23
LEAST_ROWS = {"cpu": 1024, "cuda": 8192, "mps": 1024}
# A frequent token's gradient is the sum over thousands of rows, which may overflow in float16 (65,504). So the rows are
# divided by this number and the sum is multiplied by it; both are exact.
FLOAT16_ROOM = 16
# A GPU multiplies a matrix at its full rate only if each row begins at a multiple of this many numbers.
ALIGNMENT = 64

Gradients = tuple[torch.Tensor, torch.Tensor]  # of the states and of the head's matrix


class FloatHead(NamedTuple):
    """The matrix of a head, `[vocabulary, width]`, in the number format of its products."""

    weight: torch.Tensor

    def logits(self, states: torch.Tensor) -> torch.Tensor:
        """Compute logits `[rows, vocabulary]` in float32 from states `[rows, width]`."""
        return (states @ self.weight.T).float()

    def gradients(self, gradient: torch.Tensor, states: torch.Tensor) -> Gradients:
        """Compute the gradients of `states` and of the matrix from the logits' `gradient`."""
        gradient = gradient.to(states.dtype)
        if states.dtype is torch.float16:
            return gradient @ self.weight, (gradient.T @ (states / FLOAT16_ROOM)).float() * FLOAT16_ROOM
        return gradient @ self.weight, gradient.T @ states


def loss_of_chunk(
    states: torch.Tensor, head: FloatHead | Int8Head, goals: torch.Tensor, *, vocabulary: int, gradients: bool
) -> tuple[torch.Tensor, Gradients | None]:
    """Compute the summed loss of some rows and, if wanted, its gradients.

    Args:
        states: `[rows, width]`.
        head: of `vocabulary` rows or more; the rows beyond are padding and get no probability.
        goals: `[rows]` token ids or `NO_TARGET`.
        vocabulary: the number of tokens.
        gradients: whether gradients are wanted.
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
        return total, None
    # The gradient of -log softmax is softmax, minus 1 at the target: one pass if compiled, and in place if not.
    tokens = torch.arange(logits.shape[1], device=logits.device)
    gradient = logits.sub_(normaliser).exp_().sub_((tokens == places).float()).mul_(counts[:, None])
    return total, head.gradients(gradient, states)


ChunkLoss = Callable[..., tuple[torch.Tensor, Gradients | None]]


class _HeadLoss(torch.autograd.Function):
    """Computes loss and gradients chunk by chunk in the forward pass; the backward pass only scales them."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        targets: torch.Tensor,
        chunk_loss: ChunkLoss,
        gradients: bool,
        int8: bool,
    ) -> torch.Tensor:
        vocabulary = len(weight)
        compute_weight = weight.to(hidden.dtype)
        if vocabulary % ALIGNMENT:
            compute_weight = functional.pad(compute_weight, (0, 0, 0, -vocabulary % ALIGNMENT))
        head = Int8Head.of(compute_weight) if int8 and gradients else FloatHead(compute_weight)
        hidden_gradient = torch.empty_like(hidden if gradients else hidden[:0])
        weight_gradient = torch.zeros_like(weight if gradients else weight[:0])
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        rows = rows_at_once(len(hidden), max(LEAST_ROWS[hidden.device.type], LOGITS_AT_ONCE // vocabulary))
        for start in range(0, len(hidden), rows):
            part = slice(start, start + rows)
            loss, found = chunk_loss(hidden[part], head, targets[part], vocabulary=vocabulary, gradients=gradients)
            total += loss
            if found is not None:
                hidden_gradient[part] = found[0]
                weight_gradient += found[1][:vocabulary]
        ctx.save_for_backward(hidden_gradient, weight_gradient)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        hidden_gradient, weight_gradient = ctx.saved_tensors
        # Both are scaled in float32. In sixteen bits the scale would be rounded, and the head's would differ from it.
        scaled = (hidden_gradient.float() * scale).to(hidden_gradient.dtype)
        return scaled, weight_gradient * scale, None, None, None, None


def rows_at_once(rows: int, most: int) -> int:
    """Return the greatest length, at most `most`, of equal chunks: all have the shape that was compiled."""
    chunks = max(1, -(-rows // most))
    while rows % chunks:
        chunks += 1
    return max(1, rows // chunks)


def head_loss(
    hidden: torch.Tensor,
    weight: torch.Tensor,
    targets: torch.Tensor,
    chunk_loss: ChunkLoss = loss_of_chunk,
    *,
    int8: bool = False,
) -> torch.Tensor:
    """Compute the summed cross-entropy, in nats, of `softmax(hidden @ weight.T)` for `targets`.

    Args:
        hidden: `[n, width]`, in the number format of the products.
        weight: `[vocabulary, width]`, the head.
        targets: `[n]` token ids; `NO_TARGET` (-1) is left out.
        chunk_loss: `loss_of_chunk`, compiled or not.
        int8: compute the products in eight-bit integers if gradients are wanted.
    """
    # Inside a Function gradients are always off, and `needs_input_grad` doesn't say whether they were on outside.
    gradients = torch.is_grad_enabled() and (hidden.requires_grad or weight.requires_grad)
    apply = _HeadLoss.apply  # torch gives it no types
    total: torch.Tensor = apply(hidden, weight, targets, chunk_loss, gradients, int8)  # type: ignore[no-untyped-call]
    return total


def token_losses(hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Compute the cross-entropy, in nats, of each target by itself, `[n]`, 0 for `NO_TARGET`; without gradients.

    Args:
        hidden: `[n, width]`, in the number format of the products.
        weight: `[vocabulary, width]`, the head.
        targets: `[n]` token ids or `NO_TARGET`.
    """
    head = FloatHead(weight.to(hidden.dtype))
    rows = rows_at_once(len(hidden), max(LEAST_ROWS[hidden.device.type], LOGITS_AT_ONCE // len(weight)))
    losses = [
        functional.cross_entropy(head.logits(states), goals, ignore_index=NO_TARGET, reduction="none")
        for states, goals in zip(hidden.split(rows), targets.split(rows), strict=True)
    ]
    return torch.cat(losses)
