"""The generation engine: a text depends on nothing but its own prompt, settings and seed."""

import threading
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from samizdat.samples.cached_gpt2 import BLOCK, Decoder
from samizdat.samples.engine import Request, stream_text, write_texts
from samizdat.samples.token_choice import Recipe
from support.restless_model import make_restless_model

BOUNDARY = 0
PLAIN = Recipe(top_k=0, top_p=1.0, repetition_penalty=1.0, no_repeat_ngram=0, max_new_tokens=12, slots=4)
FULL = replace(PLAIN, top_k=40, top_p=0.9, repetition_penalty=1.2, no_repeat_ngram=3)


@pytest.fixture(scope="module")
def model():
    return make_restless_model()


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
    model = make_restless_model(**changes)
    prompts = [(0, 5), (0, 7, 9, 3), (0, 9), (0,), (0, *range(1, 40)), (0, 33, 12)]
    recipe = replace(
        PLAIN, max_new_tokens=50, slots=3, repetition_penalty=options.get("repetition_penalty", 1.0),
        no_repeat_ngram=options.get("no_repeat_ngram_size", 0),
    )  # fmt: skip
    written = write_texts(model, [Request(prompt, 0.0, 1) for prompt in prompts], recipe, boundary=BOUNDARY)
    for prompt, text in zip(prompts, written, strict=True):
        assert text.tokens == greedy_by_transformers(model, prompt, 50, **options)
    assert len({token for text in written for token in text.tokens}) > 10


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
    ends = make_restless_model()
    with torch.no_grad():
        ends.transformer.ln_f.bias[:] = ends.transformer.wte.weight[BOUNDARY] * 1e4
    (text,) = write_texts(ends, [Request((0, 1), 1.0, 1)], PLAIN, boundary=BOUNDARY)
    assert text.finished and text.tokens == []


def test_random_numbers_are_made_when_a_text_begins(model, monkeypatch):
    seeds, when_one_ends, make = [], [], np.random.default_rng
    monkeypatch.setattr(np.random, "default_rng", lambda seed: seeds.append(seed) or make(seed))
    requests = [Request((0, 4), 1.0, seed) for seed in range(30)]
    with threads(1):
        write_texts(model, requests, PLAIN, boundary=BOUNDARY, progress=lambda _: when_one_ends.append(len(seeds)))
    assert when_one_ends[0] == PLAIN.slots and when_one_ends[-1] == len(requests)


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


def test_only_the_blocks_of_the_cache_that_are_written_are_read(model, monkeypatch):
    read, forward = [], Decoder._forward
    monkeypatch.setattr(Decoder, "_forward", lambda self, blocks: read.append(blocks) or forward(self, blocks))
    decoder, longest = Decoder(model, 2, 2 * BLOCK), [0, BLOCK - 1, BLOCK, 2 * BLOCK - 1]
    for position in longest:
        decoder.step(torch.tensor([1, 2]), torch.tensor([position, 0]), position)
    assert read == [1, 1, 2, 2]
