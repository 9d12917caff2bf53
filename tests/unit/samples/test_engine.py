"""The generation engine: tokens as transformers draws them, and a text that depends on nothing but itself."""

import threading
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.generation.logits_process import (
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from samizdat.samples.decoder import Decoder
from samizdat.samples.draws import (
    DRAWS,
    PROBABILITY_BITS,
    ban_repeated_ngrams,
    draw,
    keep_most_probable,
    penalise_repetition,
)
from samizdat.samples.engine import Recipe, Request, stream_text, write_texts

BOUNDARY = 0
PLAIN = Recipe(top_k=0, top_p=1.0, repetition_penalty=1.0, no_repeat_ngram=0, max_new_tokens=12, slots=4)
FULL = replace(PLAIN, top_k=40, top_p=0.9, repetition_penalty=1.2, no_repeat_ngram=3)


def make_model(seed=3, **changes):
    torch.manual_seed(seed)
    shape = {"vocab_size": 64, "n_positions": 96, "n_embd": 32, "n_layer": 2, "n_head": 2} | changes
    model = GPT2LMHeadModel(GPT2Config(**shape, bos_token_id=0, eos_token_id=0)).eval()
    with torch.no_grad():
        # Weights so large that a text goes its way and does not repeat one token; biases that are not zero.
        for parameter in model.parameters():
            parameter.mul_(8) if parameter.ndim > 1 else parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


@pytest.fixture(scope="module")
def model():
    return make_model()


def greedy_by_transformers(model, prompt, tokens, **options):
    inputs = torch.tensor([prompt])
    written = model.generate(
        inputs, attention_mask=torch.ones_like(inputs), do_sample=False, max_new_tokens=tokens, pad_token_id=0,
        **options,
    )[0, len(prompt) :].tolist()  # fmt: skip
    return written[: written.index(0)] if 0 in written else written


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"activation_function": "relu", "scale_attn_by_inverse_layer_idx": True},
        {"scale_attn_weights": False, "tie_word_embeddings": False},
    ],
)
@pytest.mark.parametrize("options", [{}, {"repetition_penalty": 1.3, "no_repeat_ngram_size": 2}])
def test_greedy_texts_are_those_of_transformers(changes, options):
    model = make_model(**changes)
    prompts = [(0, 5), (0, 7, 9, 3), (0, 9), (0,), (0, *range(1, 40)), (0, 33, 12)]
    recipe = replace(
        PLAIN, max_new_tokens=50, slots=3, repetition_penalty=options.get("repetition_penalty", 1.0),
        no_repeat_ngram=options.get("no_repeat_ngram_size", 0),
    )  # fmt: skip
    written = write_texts(model, [Request(prompt, 0.0, 1) for prompt in prompts], recipe, boundary=BOUNDARY)
    for prompt, text in zip(prompts, written, strict=True):
        assert text.tokens == greedy_by_transformers(model, prompt, 50, **options)
    assert len({token for text in written for token in text.tokens}) > 10


def test_logits_are_those_of_transformers_at_every_place(model):
    tokens = torch.tensor([[0, 8, 3, 60, 22, 22, 1], [0, 1, 2, 3, 4, 5, 6]])
    decoder = Decoder(model, 2, 32)
    found = [decoder.step(tokens[:, place], torch.full((2,), place), place).clone() for place in range(7)]
    with torch.no_grad():
        torch.testing.assert_close(torch.stack(found, dim=1), model(input_ids=tokens).logits, atol=2e-4, rtol=1e-4)


requests = st.lists(
    st.builds(
        Request,
        st.lists(st.integers(1, 63), max_size=70).map(lambda tokens: (0, *tokens)),
        st.sampled_from([0.0, 0.7, 1.0, 1.4]),
        st.integers(0, 2**62),
    ),
    min_size=1,
    max_size=12,
)


@contextmanager
def threads(number):
    """So many threads, whatever an earlier test has set."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def one_thread():
    with threads(1):
        yield


@settings(max_examples=25)
@given(requests=requests, data=st.data())
def test_a_text_depends_on_its_own_prompt_settings_and_seed_alone(model, requests, data):
    together = write_texts(model, requests, FULL, boundary=BOUNDARY)
    order = data.draw(st.permutations(range(len(requests))))
    with threads(data.draw(st.sampled_from([1, 2, 5]))):
        shuffled = write_texts(model, [requests[number] for number in order], FULL, boundary=BOUNDARY)
    assert [together[number] for number in order] == shuffled
    one = data.draw(st.integers(0, len(requests) - 1))
    with threads(2):
        assert list(stream_text(model, requests[one], FULL, boundary=BOUNDARY)) == together[one].tokens
        assert torch.get_num_threads() == 2


@pytest.mark.parametrize(("width", "heads", "slots"), [(32, 2, 3), (32, 2, 5), (32, 2, 11), (256, 4, 64), (192, 3, 33)])
def test_logits_have_the_same_bits_in_every_slot_and_company(width, heads, slots, one_thread):
    model = make_model(n_embd=width, n_head=heads, vocab_size=500)
    random = torch.Generator().manual_seed(1)
    text = torch.randint(500, (40,), generator=random)
    alone = Decoder(model, slots, 64)
    expected = [alone.step(torch.full((slots,), int(token)), torch.full((slots,), place), place).clone()
                for place, token in enumerate(text)]  # fmt: skip
    mixed = Decoder(model, slots, 64)
    # Each slot is at another place, among other texts, behind the leavings of a longer one.
    for place in range(64):
        mixed.step(torch.randint(500, (slots,), generator=random), torch.full((slots,), place), place)
    starts = torch.randint(0, 20, (slots,), generator=random)
    for step in range(60):
        place = (step - starts).clamp(0, 39)
        logits = mixed.step(text[place], place, int(place.max()))
        for slot in range(slots):
            if 0 <= step - starts[slot] < 40:
                assert torch.equal(logits[slot], expected[step - starts[slot]][slot])
                assert torch.equal(logits[slot], expected[step - starts[slot]][0])


def test_seeds_and_temperatures_matter(model):
    def written(temperature, seeds):
        requests = [Request((0, 4), temperature, seed) for seed in seeds]
        return [tuple(text.tokens) for text in write_texts(model, requests, PLAIN, boundary=BOUNDARY)]

    assert len(set(written(1.0, range(12)))) > 8
    assert len(set(written(0.0, range(12)))) == 1
    assert written(1.0, range(12)) != written(1.3, range(12))


def test_texts_end_at_the_boundary_or_the_context_or_the_limit(model):
    long = replace(PLAIN, max_new_tokens=30)
    texts = write_texts(
        model, [Request((0, *([5, 9, 31] * 30)[:89]), 1.0, seed) for seed in range(30)], long, boundary=BOUNDARY
    )
    assert all(BOUNDARY not in text.tokens for text in texts)
    assert all(text.finished or len(text.tokens) == 96 - 90 for text in texts)
    assert {text.finished for text in texts} == {True, False}
    ends = make_model()
    with torch.no_grad():
        ends.transformer.ln_f.bias[:] = ends.transformer.wte.weight[BOUNDARY] * 1e4
    (text,) = write_texts(ends, [Request((0, 1), 1.0, 1)], PLAIN, boundary=BOUNDARY)
    assert text.finished and text.tokens == []


def test_finished_texts_are_told_one_by_one(model):
    told = []
    write_texts(model, [Request((0,), 1.0, seed) for seed in range(9)], PLAIN, boundary=BOUNDARY, progress=told.append)
    assert sum(told) == 9


@pytest.mark.parametrize("number", [1, 2])
def test_a_failure_ends_all_threads_and_is_told(model, number):
    running = threading.active_count()

    def fail(texts):
        raise RuntimeError("no more")

    with threads(number), pytest.raises(RuntimeError, match="no more"):
        write_texts(model, [Request((0,), 1.0, seed) for seed in range(40)], PLAIN, boundary=BOUNDARY, progress=fail)
    assert threading.active_count() == running


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
