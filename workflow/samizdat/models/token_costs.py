"""What each token of a text costs a model, and which tokens it expects next."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from transformers import GPT2LMHeadModel


class Cost(NamedTuple):
    """What a token costs."""

    bits: float  # -log2 of its probability
    rank: int  # 1: no token is more probable


@torch.inference_mode()
def costs(model: GPT2LMHeadModel, boundary: int, tokens: Sequence[int]) -> list[Cost]:
    """Compute what each token costs after the boundary token and those before it; at most as many as the model reads.

    Args:
        model: in evaluation mode.
        boundary: the boundary token's id.
        tokens: of one text, read by itself.
    """
    scores = _scores(model, [boundary, *tokens[:-1]])
    own = torch.tensor(tokens)[:, None]
    bits = -scores.log_softmax(1).gather(1, own).squeeze(1) / math.log(2)
    ranks = (scores > scores.gather(1, own)).sum(1) + 1
    return [Cost(*both) for both in zip(bits.tolist(), ranks.tolist(), strict=True)]


@torch.inference_mode()
def most_probable(model: GPT2LMHeadModel, boundary: int, tokens: Sequence[int], number: int) -> list[tuple[int, float]]:
    """Return the most probable tokens behind the boundary token and a prompt, with their probabilities."""
    probabilities = _scores(model, [boundary, *tokens])[-1].softmax(0)
    # The sort is stable: of equally probable tokens the one with the lower number is first.
    order = probabilities.argsort(descending=True, stable=True)[:number]
    return list(zip(order.tolist(), probabilities[order].tolist(), strict=True))


def _scores(model: GPT2LMHeadModel, tokens: Sequence[int]) -> torch.Tensor:
    """Compute the logits behind each token, `[tokens, vocabulary]`, in float64 on the CPU."""
    logits: torch.Tensor = model(torch.tensor([tokens], device=model.device)).logits[0]
    return logits.cpu().double()
