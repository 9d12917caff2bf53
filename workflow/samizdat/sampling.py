"""Texts from a causal language model: batched, each with a random stream of its own."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from transformers import GPT2LMHeadModel


@dataclass(frozen=True)
class Request:
    """A text to be written."""

    prompt: tuple[int, ...]  # token ids, the boundary first
    temperature: float
    seed: int


@dataclass(frozen=True)
class Continuation:
    """What was written behind a prompt."""

    tokens: list[int]  # without the boundary
    finished: bool  # whether the model ended the text itself


@dataclass(frozen=True)
class Recipe:
    """How the next token is drawn; the same for all texts of a call."""

    top_k: int  # 0: off
    top_p: float  # 1: off
    repetition_penalty: float  # 1: off
    max_new_tokens: int
    batch_rows: int


def write_texts(
    model: GPT2LMHeadModel,
    requests: Sequence[Request],
    recipe: Recipe,
    *,
    boundary: int,
    progress: Callable[[int], object] = lambda texts: None,
) -> list[Continuation]:
    """Continue every prompt until the model writes the boundary token, or to the recipe's length.

    Prompts of one length share a batch, so nothing is padded. A text's random numbers come from its own seed
    alone; who shares its batch can change a logit in its last bits and nothing else.

    Args:
        model: in evaluation mode, on its device.
        requests: prompts shorter than the model's context.
        recipe: how tokens are drawn, in the order of `transformers.generate`: repetition penalty, temperature,
            top-k, top-p.
        boundary: the token that ends a text.
        progress: told how many texts were finished, batch by batch.

    Returns:
        Continuations in the order of the requests.
    """
    order = sorted(range(len(requests)), key=lambda number: len(requests[number].prompt))
    written: dict[int, Continuation] = {}
    for _, group in groupby(order, key=lambda number: len(requests[number].prompt)):
        numbers = list(group)
        for start in range(0, len(numbers), recipe.batch_rows):
            batch = numbers[start : start + recipe.batch_rows]
            texts = _write_batch(model, [requests[number] for number in batch], recipe, boundary)
            written.update(zip(batch, texts, strict=True))
            progress(len(batch))
    return [written[number] for number in range(len(requests))]


@torch.inference_mode()
def _write_batch(
    model: GPT2LMHeadModel, requests: list[Request], recipe: Recipe, boundary: int
) -> Iterator[Continuation]:
    device = model.device
    tokens = torch.tensor([request.prompt for request in requests], device=device)
    prompt_length = tokens.shape[1]
    length = min(recipe.max_new_tokens, model.config.n_positions - prompt_length)
    temperatures = torch.tensor([request.temperature for request in requests], device=device)[:, None]
    # One number a step for each text, drawn at once on the host: the same on every device.
    uniform = np.stack([np.random.default_rng(request.seed).random(length) for request in requests])
    uniform = torch.from_numpy(uniform).to(device, torch.float32 if device.type == "mps" else torch.float64)
    done = torch.zeros(len(requests), dtype=torch.bool, device=device)
    cache, latest = None, tokens
    for step in range(length):
        output = model(input_ids=latest, past_key_values=cache, use_cache=True, logits_to_keep=1)
        cache = output.past_key_values
        scores = penalise_repetition(output.logits[:, -1].float(), tokens, recipe.repetition_penalty)
        probabilities = truncate(scores / temperatures, recipe.top_k, recipe.top_p)
        latest = draw(probabilities, uniform[:, step : step + 1])
        latest = latest.masked_fill(done[:, None], boundary)
        tokens = torch.cat([tokens, latest], dim=1)
        done |= latest[:, 0] == boundary
        if done.all():
            break
    return [_continuation(row, boundary) for row in tokens[:, prompt_length:].tolist()]


def penalise_repetition(scores: torch.Tensor, tokens: torch.Tensor, penalty: float) -> torch.Tensor:
    """Make tokens that stand in the text already less probable (Keskar et al. 2019).

    Args:
        scores: logits `[n, vocabulary]`.
        tokens: the text so far, prompt included, `[n, length]`.
        penalty: divides positive logits and multiplies negative ones.
    """
    if penalty == 1:
        return scores
    seen = scores.gather(1, tokens)
    return scores.scatter(1, tokens, torch.where(seen < 0, seen * penalty, seen / penalty))


def truncate(scores: torch.Tensor, top_k: int, top_p: float) -> torch.Tensor:
    """Probabilities `[n, vocabulary]` after top-k (Fan et al. 2018) and then top-p (Holtzman et al. 2020)."""
    if top_k:
        kept = scores.topk(min(top_k, scores.shape[1]), dim=1).values[:, -1:]
        scores = scores.masked_fill(scores < kept, -torch.inf)
    probabilities = scores.softmax(dim=1)
    if top_p < 1:
        ranked, places = probabilities.sort(dim=1, descending=True, stable=True)
        # A token stays while those before it have not made up the share; so the first always does.
        outside = ranked.cumsum(dim=1) - ranked >= top_p
        probabilities = probabilities.scatter(1, places, ranked.masked_fill(outside, 0))
    return probabilities


def draw(probabilities: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """One token id for each row, `[n, 1]`: where the cumulative share passes `uniform` `[n, 1]`."""
    cumulative = probabilities.to(uniform.dtype).cumsum(dim=1)
    return torch.searchsorted(cumulative, uniform * cumulative[:, -1:], right=True).clamp(max=cumulative.shape[1] - 1)


def _continuation(tokens: list[int], boundary: int) -> Continuation:
    finished = boundary in tokens
    return Continuation(tokens[: tokens.index(boundary)] if finished else tokens, finished)
