"""What attention heads look at, with attention made by hand, and that of a model."""

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from samizdat.models.attention_heads import HeadMeasures, attention_of

# The boundary token, and a text in which one token is there twice.
TOKENS = [0, 5, 7, 5]


def heads(*rows_of_heads) -> np.ndarray:
    return np.array([rows_of_heads], float)


def test_shares_and_distance_are_those_of_heads_made_by_hand():
    previous = [[1, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]
    same = [[1, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0.25, 0.75, 0, 0]]
    measures = HeadMeasures(1, 2)
    measures.add(TOKENS, heads(previous, same))
    first, second = measures.rows()
    # Of the third and the fourth token; the second has no other token before it than the boundary token.
    assert first == {"layer": 1, "head": 1, "previous": 1.0, "first": 0.0, "same": 0.0, "distance": 1.0,
                     "texts": 1, "tokens": 2, "repeated": 1}  # fmt: skip
    assert (second["previous"], second["first"], second["same"]) == (0.0, 0.625, 0.75)
    assert second["distance"] == pytest.approx((2 + 0.25 * 3 + 0.75 * 2) / 2)


def test_each_token_counts_alike_in_short_and_in_long_texts():
    first = [[1.0] + [0.0] * 3] * 4
    previous = [[1.0] + [0.0] * 2, [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    measures = HeadMeasures(1, 1)
    measures.add(TOKENS, heads(first))
    measures.add([0, 1, 2], heads(previous))
    (row,) = measures.rows()
    assert (row["first"], row["previous"], row["texts"], row["tokens"]) == (2 / 3, 1 / 3, 2, 3)


def test_texts_too_short_to_look_back_give_no_numbers_and_texts_without_repetition_no_share_of_it():
    measures = HeadMeasures(1, 1)
    measures.add([0, 4], heads(np.eye(2)))
    assert list(measures.rows()) == []
    measures.add([0, 4, 6], heads(np.eye(3)))
    assert next(iter(measures.rows()))["same"] is None


def test_the_attention_of_a_model_is_that_of_its_queries_and_keys():
    torch.manual_seed(3)
    config = GPT2Config(vocab_size=9, n_positions=8, n_embd=8, n_layer=1, n_head=2, attn_implementation="eager")
    model = GPT2LMHeadModel(config).eval()
    found = attention_of(model, [0, 3, 3, 5])
    body, states = model.transformer, None
    with torch.no_grad():
        states = body.h[0].ln_1(body.wte(torch.tensor([0, 3, 3, 5])) + body.wpe.weight[:4])
        query, key, _ = body.h[0].attn.c_attn(states).split(8, dim=1)
        for head in range(2):
            part = slice(4 * head, 4 * head + 4)
            scores = query[:, part] @ key[:, part].T / 2
            scores = scores.masked_fill(torch.ones(4, 4).triu(1).bool(), -torch.inf)
            assert found[0, head] == pytest.approx(scores.softmax(1).numpy(), abs=1e-6)
