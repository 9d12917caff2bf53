"""One optimiser step from gradients: clipping, and the loss scale that float16 needs."""

from collections.abc import Sequence

import torch
from torch.nn.utils import clip_grads_with_norm_, get_total_norm


def make_scaler(kind: str, dtype: torch.dtype) -> torch.amp.GradScaler:
    """Make what scales the loss before the backward pass.

    In float16 small gradients would be rounded to 0 without it. For other formats it does nothing.

    Args:
        kind: of the device: `cpu`, `cuda` or `mps`.
        dtype: of the matrix products.
    """
    return torch.amp.GradScaler(kind, enabled=dtype is torch.float16)


def take_step(
    parameters: Sequence[torch.nn.Parameter],
    optimizers: Sequence[torch.optim.Optimizer],
    scaler: torch.amp.GradScaler,
    gradient_clip: float,
) -> torch.Tensor:
    """Clip the gradients and let the optimisers change the weights. The host doesn't wait for a GPU.

    Args:
        parameters: all parameters of the optimisers, with gradients of the scaled loss.
        optimizers: they take `found_inf` from the scaler, as PyTorch's fused optimisers and Muon do.
        scaler: skips the step and lowers its scale if a gradient overflowed.
        gradient_clip: the largest norm of all gradients together.

    Returns:
        The norm of all gradients before clipping; not finite if a gradient overflowed.
    """
    norm = get_total_norm([parameter.grad for parameter in parameters if parameter.grad is not None])
    if scaler.is_enabled():
        norm = norm / scaler.scale(torch.ones_like(norm))
        for optimizer in optimizers:
            # An overflow anywhere becomes an overflow in each optimiser: all of them skip the step, or none does.
            optimizer.param_groups[0]["params"][0].grad += norm * 0
            scaler.unscale_(optimizer)
    clip_grads_with_norm_(parameters, gradient_clip, norm)
    for optimizer in optimizers:
        scaler.step(optimizer)
    scaler.update()
    return norm
