"""The optimisers of a GPT-2: Muon with AdamW, or AdamW alone."""

import torch

from samizdat.optimization.muon import Muon

# AdamW's momentum coefficients. Alone: those of GPT-3 (Brown et al. 2020, appendix B). With Muon, AdamW moves only
# embeddings, biases and norms, and a shorter memory of the gradient learns more (docs/log.md).
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
    """Make the optimisers of a GPT-2; each of their groups has its peak learning rate under `peak`.

    Args:
        model: a GPT-2 on its device.
        optimizer: `muon` (for the matrices of the blocks, with AdamW for embeddings, biases and norms) or `adamw`.
        matrix_learning_rate: Muon's peak learning rate.
        learning_rate: AdamW's peak learning rate.
        weight_decay: of matrices and embeddings; biases and norms have none.
        dtype: of Muon's matrix products.
    """
    attention, matrices, embeddings, rest = [], [], [], []
    for name, parameter in model.named_parameters():
        if parameter.ndim < 2:
            rest.append(parameter)
        elif "wte" in name or "wpe" in name or "lm_head" in name:
            embeddings.append(parameter)
        elif "c_attn" in name:  # queries, keys and values in one matrix
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
    """Set the learning rate of every group to its peak times `scale`."""
    for each in optimizers:
        for group in each.param_groups:
            group["lr"] = group["peak"] * scale
