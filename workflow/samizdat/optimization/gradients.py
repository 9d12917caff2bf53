"""From gradients to an optimiser step: clipping, and the scale that float16 needs."""

from collections.abc import Sequence

import torch
from torch.nn.utils import clip_grads_with_norm_, get_total_norm


def make_scaler(kind: str, dtype: torch.dtype) -> torch.amp.GradScaler:
    """What scales a loss before the backward pass: in float16 the small gradients would be 0; else it does nothing.

    Args:
        kind: of the device.
        dtype: of the matrix products.
    """
    return torch.amp.GradScaler(kind, enabled=dtype is torch.float16)


def take_step(
    parameters: Sequence[torch.nn.Parameter],
    optimizers: Sequence[torch.optim.Optimizer],
    scaler: torch.amp.GradScaler,
    gradient_clip: float,
) -> torch.Tensor:
    """Clip the gradients together and let the optimisers move the weights; no GPU is waited for.

    Args:
        parameters: all that the optimisers move, with gradients of the scaled loss.
        optimizers: which take `found_inf` from the scaler, as PyTorch's fused ones and Muon do.
        scaler: skips the step, and lowers its scale, where a gradient overflowed.
        gradient_clip: the largest norm of all gradients together.

    Returns:
        The norm before clipping; not finite where a gradient overflowed.
    """
    norm = get_total_norm([parameter.grad for parameter in parameters])
    if scaler.is_enabled():
        norm = norm / scaler.scale(torch.ones_like(norm))
        for optimizer in optimizers:
            # An overflow anywhere is one in each optimiser: all of them skip the step, or none.
            optimizer.param_groups[0]["params"][0].grad += norm * 0
            scaler.unscale_(optimizer)
    clip_grads_with_norm_(parameters, gradient_clip, norm)
    for optimizer in optimizers:
        scaler.step(optimizer)
    scaler.update()
    return norm
