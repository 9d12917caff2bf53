"""How the next token is drawn: the scores are changed as in `transformers.generate`; the draws need no sorting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch

# Probabilities are rounded to whole multiples of 2 to the power of -30: their sums are exact in any order, on any
# device, and fit into 32 bits.
PROBABILITY_BITS = 30
# Random numbers for one token: the first is for the first draw; if top-p refuses a draw, the next one is used.
DRAWS = 16
# Below it the most probable token is taken: another one has no chance, and logits over less would not be finite.
COLDEST = 1e-6


@dataclass(frozen=True)
class Recipe:
    """How the next token is drawn; the same for all texts of a call."""

    top_k: int  # 0: off
    top_p: float  # 1: off
    repetition_penalty: float  # 1: off
    no_repeat_ngram: int  # 0: off
    max_new_tokens: int
    slots: int  # texts at once, on a CPU in each thread

    @classmethod
    def of(cls, sampling: Mapping[str, Any]) -> "Recipe":
        """Take the recipe's keys from the config's `sampling`."""
        return cls(**{key.name: sampling[key.name] for key in fields(cls)})


@torch.inference_mode()
def choose(
    logits: torch.Tensor,
    history: torch.Tensor,
    lengths: torch.Tensor,
    temperatures: Sequence[float],
    numbers: np.ndarray,
    recipe: Recipe,
) -> list[int]:
    """Draw the next token of each text.

    Args:
        logits: `[n, vocabulary]`.
        history: the texts so far, `[n, tokens of the cache]`.
        lengths: tokens of each text so far, `[n]`.
        temperatures: of each text; below COLDEST: the most probable token.
        numbers: random numbers, `[n, DRAWS]`.
        recipe: how tokens are drawn.
    """
    warmth = torch.tensor(temperatures).to(logits.device)[:, None]
    cold = warmth < COLDEST
    scores = penalise_repetition(logits, history, recipe.repetition_penalty)
    scores = ban_repeated_ngrams(scores, history, lengths, recipe.no_repeat_ngram)
    warmed = keep_most_probable(scores / warmth.masked_fill(cold, 1), recipe.top_k)
    chosen = draw(warmed.softmax(dim=1), recipe.top_p, torch.from_numpy(numbers).to(logits.device))
    if min(temperatures) < COLDEST:
        chosen = torch.where(cold[:, 0], scores.argmax(dim=1), chosen)
    return chosen.tolist()


def penalise_repetition(scores: torch.Tensor, tokens: torch.Tensor, penalty: float) -> torch.Tensor:
    """Make tokens that are in the text already less probable (Keskar et al. 2019).

    Args:
        scores: logits `[n, vocabulary]`.
        tokens: the text so far, prompt included, `[n, length]`.
        penalty: divides positive logits and multiplies negative ones; at least 1.
    """
    if penalty == 1:
        return scores
    seen = scores.gather(1, tokens)
    # A penalised score is never higher than before, so the minimum takes it. Unlike a scatter, a minimum is the same in
    # any order.
    return scores.scatter_reduce(1, tokens, torch.where(seen < 0, seen * penalty, seen / penalty), "amin")


def ban_repeated_ngrams(scores: torch.Tensor, tokens: torch.Tensor, lengths: torch.Tensor, size: int) -> torch.Tensor:
    """Make tokens impossible that would complete an n-gram which is in the text already (Paulus et al. 2017).

    Where no token would be possible then, none is made impossible.

    Args:
        scores: logits `[n, vocabulary]`.
        tokens: the texts so far, `[n, longest]`; after a text's length, anything.
        lengths: tokens of each text, `[n]`.
        size: tokens of an n-gram; 0: off.
    """
    if not size or tokens.shape[1] < size:
        return scores
    ends = torch.arange(size - 1, tokens.shape[1], device=tokens.device)  # the place of each n-gram's last token
    latest = (lengths[:, None] - (size - 1) + torch.arange(size - 1, device=tokens.device)).clamp(min=0)
    before = tokens.unfold(1, size, 1)[:, :, :-1]
    same = (before == tokens.gather(1, latest)[:, None]).all(dim=2) & (ends < lengths[:, None])
    highest = torch.where(same, -torch.inf, torch.inf).to(scores.dtype)
    left = scores.scatter_reduce(1, tokens[:, size - 1 :], highest, "amin")
    return torch.where(left.isneginf().all(dim=1, keepdim=True), scores, left)


def keep_most_probable(scores: torch.Tensor, top_k: int) -> torch.Tensor:
    """Make all but the `top_k` most probable tokens impossible (Fan et al. 2018); 0: off."""
    if not top_k or top_k >= scores.shape[1]:
        return scores
    kept = scores.topk(top_k, dim=1).values[:, -1:]
    return scores.masked_fill(scores < kept, -torch.inf)


def draw(probabilities: torch.Tensor, top_p: float, numbers: torch.Tensor) -> torch.Tensor:
    """Draw a token of each row from the most probable ones that make up the share `top_p` (Holtzman et al. 2020).

    A token is one of them if the tokens that are more probable make up less than the share. Nothing is sorted. A token
    is drawn from all, and refused if it is not one of them; then the next is drawn only from tokens that are more
    probable than the refused one, since no others can be accepted. Accepted draws have the distribution of top-p (Ye et
    al., FlashInfer, 2025, describe such rejection sampling). Most rows need one draw. Less than once in 10**13 tokens
    all DRAWS draws are refused; then the most probable token is taken.

    Args:
        probabilities: `[n, vocabulary]`, float32.
        top_p: share of the probability; 1: off.
        numbers: random whole numbers of PROBABILITY_BITS bits, `[n, DRAWS]`, int64.

    Returns:
        Token ids, `[n]`.
    """
    whole = (probabilities * 2**PROBABILITY_BITS).int()
    sums = whole.sum(dim=1, dtype=torch.int32).long()
    limits = ((sums * round(top_p * 2**PROBABILITY_BITS)) >> PROBABILITY_BITS).clamp(min=1)
    tokens, above, refused = _attempt(whole, whole, limits, numbers[:, 0])
    if top_p == 1:
        return tokens
    rows = refused.nonzero()[:, 0]
    for attempt in range(1, DRAWS):
        if not len(rows):
            return tokens
        # Whole numbers have the same sums in any shape: rows that have a token can be left out.
        drawn, above, refused = _attempt(whole[rows], above[refused], limits[rows], numbers[rows, attempt])
        tokens[rows] = drawn
        rows = rows[refused]
    tokens[rows] = whole[rows].argmax(dim=1)
    return tokens


def _attempt(
    whole: torch.Tensor, among: torch.Tensor, limits: torch.Tensor, numbers: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Draw a token of each row of `among`.

    Args:
        whole: all probabilities as whole numbers, `[n, vocabulary]`.
        among: those that may be drawn, the others 0.
        limits: the share of top-p in each row, `[n]`.
        numbers: a random number for each row, `[n]`.

    Returns:
        The tokens `[n]`; the more probable tokens' numbers, the others 0, `[n, vocabulary]`; and whether these make up
        the share, so that the token is refused, `[n]`.
    """
    cumulative = among.cumsum(dim=1, dtype=torch.int32)
    target = (cumulative[:, -1:] * numbers[:, None]) >> PROBABILITY_BITS
    drawn = torch.searchsorted(cumulative, target.int(), right=True)
    # A product takes a quarter of masked_fill's time.
    above = whole * (whole > whole.gather(1, drawn))
    return drawn[:, 0], above, above.sum(dim=1, dtype=torch.int32) >= limits
