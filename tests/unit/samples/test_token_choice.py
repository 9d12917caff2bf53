"""How the next token is drawn: as transformers would."""

import numpy as np
import pytest
import torch
from transformers.generation.logits_process import (
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from samizdat.samples.token_choice import (
    DRAWS,
    PROBABILITY_BITS,
    Recipe,
    ban_repeated_ngrams,
    choose,
    draw,
    keep_most_probable,
    penalise_repetition,
)


def allowed(scores, top_k, top_p):
    """The tokens that transformers leaves possible."""
    if top_k:
        scores = TopKLogitsWarper(top_k)(None, scores)
    return TopPLogitsWarper(top_p)(None, scores) if top_p < 1 else scores


@pytest.mark.parametrize(("top_k", "top_p"), [(0, 1.0), (5, 1.0), (0, 0.6), (7, 0.5), (100, 0.01), (0, 0.95)])
def test_tokens_are_drawn_as_often_as_transformers_would(top_k, top_p):
    scores = torch.randn(6, 40, generator=torch.Generator().manual_seed(1)) * 2
    expected = allowed(scores, top_k, top_p).softmax(dim=1)
    each = 40_000
    random = np.random.default_rng(5)
    for row, shares in zip(scores, expected, strict=True):
        kept = keep_most_probable(row.expand(each, 40), top_k).softmax(dim=1)
        numbers = torch.from_numpy(random.integers(2**PROBABILITY_BITS, size=(each, DRAWS)))
        counts = torch.bincount(draw(kept, top_p, numbers), minlength=40).double()
        assert counts[shares == 0].sum() == 0
        # A chi-square over the possible tokens; its mean is their number less one.
        wanted = shares.double() * each
        there = wanted > 0
        statistic = ((counts - wanted)[there] ** 2 / wanted[there]).sum()
        assert statistic < there.sum() + 6 * (2 * there.sum()) ** 0.5


def test_extreme_numbers_draw_possible_tokens():
    probabilities = torch.tensor([[0.0, 0.5, 0.0, 0.3, 0.2, 0.0]]).expand(2, 6)
    numbers = torch.tensor([[0], [2**PROBABILITY_BITS - 1]]).expand(2, DRAWS)
    assert draw(probabilities, 1.0, numbers).tolist() == [1, 4]
    assert draw(probabilities, 0.7, numbers).tolist() == [1, 3]
    assert draw(torch.eye(4), 0.5, torch.zeros(4, DRAWS, dtype=torch.long)).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("temperature", [0, 1e-50, 1e-42, 1e-30, 1e-7])
def test_the_coldest_temperatures_take_the_most_probable_token(temperature):
    """Logits that are divided by such a number have no softmax."""
    recipe = Recipe(top_k=0, top_p=0.9, repetition_penalty=1, no_repeat_ngram=0, max_new_tokens=1, slots=2)
    logits = torch.randn(2, 40, generator=torch.Generator().manual_seed(1))
    numbers = np.random.default_rng(5).integers(2**PROBABILITY_BITS, size=(2, DRAWS))
    history = torch.zeros((2, 1), dtype=torch.long)
    chosen = choose(logits, history, torch.ones(2, dtype=torch.long), [temperature, 1.0], numbers, recipe)
    warm = choose(logits, history, torch.ones(2, dtype=torch.long), [1.0, 1.0], numbers, recipe)
    assert chosen[0] == int(logits[0].argmax()) != warm[0] and chosen[1] == warm[1]


def test_when_all_draws_are_refused_the_most_probable_token_is_taken():
    # Each token is a little more probable than the one before, and each draw takes the last that is left.
    probabilities = torch.arange(40, 0, -1, dtype=torch.float32)[None].softmax(dim=1) * 0 + 1 / 40
    probabilities = (probabilities + torch.arange(40, 0, -1) * 1e-6) / (1 + 820e-6)
    numbers = torch.full((1, DRAWS), 2**PROBABILITY_BITS - 1)
    assert draw(probabilities, 0.01, numbers).tolist() == [0]


def test_repetition_is_penalised_as_transformers_does():
    scores = torch.randn(6, 30, generator=torch.Generator().manual_seed(2))
    tokens = torch.randint(0, 30, (6, 9), generator=torch.Generator().manual_seed(2))
    expected = RepetitionPenaltyLogitsProcessor(1.3)(tokens, scores)
    torch.testing.assert_close(penalise_repetition(scores, tokens, 1.3), expected, rtol=0, atol=0)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_ngrams_are_banned_as_transformers_does(size):
    random = torch.Generator().manual_seed(size)
    scores = torch.randn(8, 6, generator=random)
    tokens = torch.randint(0, 2, (8, 30), generator=random)
    lengths = torch.tensor([1, 2, 3, 5, 9, 20, 29, 30])
    found = ban_repeated_ngrams(scores, tokens, lengths, size)
    for row, length in enumerate(lengths):
        expected = NoRepeatNGramLogitsProcessor(size)(tokens[row : row + 1, :length], scores[row : row + 1].clone())
        assert torch.equal(found[row : row + 1], expected)
    assert torch.isinf(found).any()
