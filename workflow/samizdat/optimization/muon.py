"""The optimiser Muon for the matrices of a GPT-2: matrices of one shape are made orthogonal together."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch

MOMENTUM = 0.95
# An update's entries have about this root mean square times the learning rate, as AdamW's have (Liu et al. 2025).
UPDATE_SIZE = 0.2
# Coefficients of odd polynomials a x + b x^3 + c x^5. Applied one after the other, they bring singular values between
# 0.001 and 1 towards 1 as fast as any polynomials of this degree do (Amsel et al., The Polar Express, 2025,
# algorithm 1). With a fourth, the demo's model learned no better.
POLYNOMIALS = (
    (8.28721201814563, -23.595886519098837, 17.300387312530933),
    (4.107059111542203, -2.9478499167379106, 0.5448431082926601),
    (3.9486908534822946, -2.908902115962949, 0.5518191394370137),
)


class Muon(torch.optim.Optimizer):
    """Moves matrices by their gradients with Nesterov momentum, made orthogonal (Jordan et al. 2024).

    Weight decay is decoupled. `torch.optim.Muon` takes one matrix after the other. Here all matrices of one shape are
    multiplied at once, so that small ones don't wait for each other; and queries, keys and values, which GPT-2 has in
    one parameter, are made orthogonal as three matrices.
    """

    # As in PyTorch's fused optimisers: a gradient scaler says in `found_inf`, on the device, whether to skip the step,
    # and the host doesn't wait for it.
    _step_supports_amp_scaling = True
    found_inf: torch.Tensor | None = None  # 1.0 if a gradient overflowed, else 0.0

    def __init__(
        self, groups: Iterable[dict[str, Any]], *, learning_rate: float, weight_decay: float, dtype: torch.dtype
    ):
        """Take parameters of two dimensions.

        Args:
            groups: each has `params`, and `parts`: how many matrices of equal width each parameter consists of.
            learning_rate: of all groups.
            weight_decay: each step subtracts from a weight this times the learning rate times the weight.
            dtype: number format of the matrix products.
        """
        super().__init__(groups, {"lr": learning_rate, "weight_decay": weight_decay, "parts": 1})
        self._dtype = dtype

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # no training of ours gives a closure
        """Change every matrix by its gradient; each must have one."""
        alike: dict[torch.Size, list[tuple[torch.Tensor, torch.Tensor, float]]] = defaultdict(list)
        for group in self.param_groups:
            for parameter in group["params"]:
                state = self.state[parameter]
                if not state:
                    state["momentum"] = torch.zeros_like(parameter)
                gradient: torch.Tensor = parameter.grad
                taken: torch.Tensor | float = 1.0  # 0 in a step that is skipped
                if self.found_inf is not None:
                    gradient, taken = gradient.masked_fill(self.found_inf > 0, 0), 1 - self.found_inf
                state["momentum"].lerp_(gradient, (1 - MOMENTUM) * taken)
                update = gradient.lerp(state["momentum"], MOMENTUM)
                if self.found_inf is not None:
                    update *= taken
                parameter.mul_(1 - group["lr"] * group["weight_decay"] * taken)
                parts = (each.chunk(group["parts"], dim=1) for each in (update, parameter))
                for direction, matrix in zip(*parts, strict=True):
                    if direction.shape[0] > direction.shape[1]:
                        direction, matrix = direction.T, matrix.T
                    alike[direction.shape].append((direction, matrix, group["lr"]))
        for shape, members in alike.items():
            directions = orthogonal(torch.stack([direction for direction, _, _ in members]).to(self._dtype))
            for direction, (_, matrix, rate) in zip(directions, members, strict=True):
                matrix.add_(direction, alpha=-rate * UPDATE_SIZE * max(shape) ** 0.5)


def orthogonal(matrices: torch.Tensor) -> torch.Tensor:
    """Approximate the nearest matrices with orthonormal rows: most singular values end between 0.15 and 1.9.

    Args:
        matrices: `[n, rows, columns]`, no more rows than columns.
    """
    # Divided by a little more than the norm: rounding must not lift a singular value above 1, where the polynomials
    # don't hold.
    size: torch.Tensor = torch.linalg.matrix_norm(matrices.float(), keepdim=True).clamp(min=1e-12) * 1.01
    found = (matrices / size).to(matrices.dtype)
    if matrices.shape[2] >= 2 * matrices.shape[1]:
        return _by_gram(found)
    for a, b, c in POLYNOMIALS:
        gram = found @ found.mT
        found = torch.baddbmm(found, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), found, beta=a)
    return found


def _by_gram(matrices: torch.Tensor) -> torch.Tensor:
    """Apply the polynomials to wide matrices.

    All steps in between are computed on the smaller Gram matrices `[rows, rows]`.
    """
    first, *others = POLYNOMIALS
    gram = matrices @ matrices.mT
    factor = applied = _factor(gram, *first)
    for coefficients in others:
        gram = factor @ gram @ factor
        factor = _factor(gram, *coefficients)
        applied = factor @ applied
    return applied @ matrices


def _factor(gram: torch.Tensor, a: float, b: float, c: float) -> torch.Tensor:
    """Compute `a + b G + c G²`, by which an odd polynomial multiplies a matrix with the Gram matrix `G`."""
    factor = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
    factor.diagonal(dim1=1, dim2=2).add_(a)
    return factor
