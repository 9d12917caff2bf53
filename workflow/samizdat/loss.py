"""Cross-entropy of a language model's head without holding all logits at once."""

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional

NO_TARGET = -1
# Logits held at once, about 32 MiB in float32, but never fewer rows than keep the matrix units busy.
LOGITS_AT_ONCE = 2**23
LEAST_ROWS = {"cpu": 1024, "cuda": 8192, "mps": 1024}
# Rows of a matrix begin at multiples of so many numbers, or a GPU multiplies it at a fraction of its rate.
ALIGNMENT = 64


class _HeadLoss(torch.autograd.Function):
    """Loss and gradients chunk by chunk in the forward pass; the backward pass only scales them."""

    @staticmethod
    def forward(ctx, hidden, weight, targets):
        vocabulary = weight.shape[0]
        compute_weight = functional.pad(weight.to(hidden.dtype), (0, 0, 0, -vocabulary % ALIGNMENT))
        wanted = ctx.needs_input_grad[0] or ctx.needs_input_grad[1]
        hidden_gradient = torch.empty_like(hidden) if wanted else None
        weight_gradient = torch.zeros_like(weight) if wanted else None
        total = torch.zeros((), dtype=torch.float32, device=hidden.device)
        tokens = torch.arange(compute_weight.shape[0], device=hidden.device)
        chunk = max(LEAST_ROWS[hidden.device.type], LOGITS_AT_ONCE // vocabulary)
        for start in range(0, hidden.shape[0], chunk):
            states, goals = hidden[start : start + chunk], targets[start : start + chunk]
            counts = goals != NO_TARGET
            places = goals.clamp(min=0)[:, None]
            logits = (states @ compute_weight.T).float()
            logits[:, vocabulary:] = -torch.inf
            normaliser = logits.logsumexp(dim=1, keepdim=True)
            losses = (normaliser - logits.gather(1, places)).squeeze(1)
            total += (losses * counts).sum()
            if wanted:
                # The gradient of -log softmax is softmax minus one at the target: one pass when compiled, and
                # in place where not.
                gradient = logits.sub_(normaliser).exp_().sub_((tokens == places).float())
                gradient = gradient.mul_(counts[:, None]).to(hidden.dtype)
                hidden_gradient[start : start + chunk] = gradient @ compute_weight
                weight_gradient += (gradient.T @ states)[:vocabulary]
        ctx.save_for_backward(hidden_gradient, weight_gradient)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx, scale):
        hidden_gradient, weight_gradient = ctx.saved_tensors
        return hidden_gradient * scale.to(hidden_gradient.dtype), weight_gradient * scale, None


def head_loss(hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The summed cross-entropy, in nats, of `softmax(hidden @ weight.T)` against `targets`.

    Args:
        hidden: `[n, width]`, in the format in which the logits are to be computed.
        weight: `[vocabulary, width]`, the head.
        targets: `[n]` token ids; `NO_TARGET` (-1) counts as nothing.
    """
    return _HeadLoss.apply(hidden, weight, targets)
