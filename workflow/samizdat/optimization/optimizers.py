"""What moves the weights: Muon or AdamW, and how the learning rate goes over the steps."""

import math

import torch

from samizdat.optimization.muon import Muon

# AdamW's momentum coefficients: alone those of GPT-3 (Brown et al. 2020, appendix B). Beside Muon, where it moves
# embeddings, biases and norms only, a shorter memory of the gradient learns more (docs/benchmarks.md).
ADAM_BETAS = {"muon": (0.8, 0.95), "adamw": (0.9, 0.95)}


def make_optimizers(
    model: torch.nn.Module,
    *,
    optimizer: str,
    matrix_learning_rate: float,
    learning_rate: float,
    weight_decay: float,
    dtype: torch.dtype,
) -> list[torch.optim.Optimizer]:
    """The optimisers of a GPT-2, each group with its peak rate under `peak`.

    Muon takes the blocks' matrices, AdamW the embeddings, biases and norms. Only matrices decay. `dtype` is that of
    Muon's products.
    """
    attention, matrices, embeddings, rest = [], [], [], []
    for name, parameter in model.named_parameters():
        if parameter.ndim < 2:
            rest.append(parameter)
        elif "wte" in name or "wpe" in name or "lm_head" in name:
            embeddings.append(parameter)
        elif "c_attn" in name:  # queries, keys and values side by side
            attention.append(parameter)
        else:
            matrices.append(parameter)
    groups = [
        {"params": embeddings, "lr": learning_rate, "weight_decay": weight_decay},
        {"params": rest, "lr": learning_rate, "weight_decay": 0.0},
    ]
    optimizers: list[torch.optim.Optimizer] = []
    if optimizer == "muon":
        sets = [{"params": attention, "parts": 3}, {"params": matrices, "parts": 1}]
        optimizers.append(Muon(sets, learning_rate=matrix_learning_rate, weight_decay=weight_decay, dtype=dtype))
    else:
        groups.insert(0, {"params": attention + matrices, "lr": learning_rate, "weight_decay": weight_decay})
    optimizers.append(torch.optim.AdamW(groups, betas=ADAM_BETAS[optimizer], eps=1e-8, fused=True))
    for each in optimizers:
        for group in each.param_groups:
            group["peak"] = group["lr"]
    return optimizers


def set_learning_rates(optimizers: list[torch.optim.Optimizer], scale: float) -> None:
    """Set every group to its peak rate times `scale`."""
    for each in optimizers:
        for group in each.param_groups:
            group["lr"] = group["peak"] * scale


def learning_rate_scale(step: int, steps: int, *, schedule: str, warmup_share: float, decay_share: float) -> float:
    """The share of the peak learning rate at `step` of `steps`, counted from 0.

    Both schedules rise linearly over the first `warmup_share` of the steps. `warmup-stable-decay` (Hu et al.
    2024) then stays at the peak and falls linearly to 0 over the last `decay_share`; `cosine` falls to a tenth
    along half a cosine (Brown et al. 2020).
    """
    warmup = warmup_share * steps
    if step < warmup:
        return (step + 1) / (warmup + 1)
    if schedule == "cosine":
        done = (step - warmup) / max(steps - warmup, 1)
        return 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * done))
    left = (steps - step) / max(decay_share * steps, 1)
    return min(1.0, left)
