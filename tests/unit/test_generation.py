"""Samples: drawn as transformers draws, each from its own stream, and recorded with what it began with."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from samizdat.errors import UserError
from samizdat.generation import SamplingSettings, generate_samples
from samizdat.records import SAMPLES, ModelSummary, read_table, write_document
from samizdat.sampling import Recipe, Request, draw, penalise_repetition, truncate, write_texts
from samizdat.tokenizer import TokenizerSettings, make_tokenizer
from small_corpus import write_texts as write_corpus
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.generation.logits_process import (
    RepetitionPenaltyLogitsProcessor,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

BOUNDARY = 0
PLAIN = Recipe(top_k=0, top_p=1.0, repetition_penalty=1.0, max_new_tokens=12, batch_rows=8)
SETTINGS = SamplingSettings(
    samples_per_prompt=2, held_out_prompts=2, held_out_prompt_words=2, unprompted_samples=3, temperatures=(0.7, 1.0),
    top_k=0, top_p=0.95, repetition_penalty=1.1, max_new_tokens=8, batch_rows=4,
)  # fmt: skip
TEXTS = [f"number {number} of the old letters" for number in range(12)]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    config = GPT2Config(vocab_size=64, n_positions=24, n_embd=32, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0)
    model = GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        # Weights so large that a text goes its way and does not repeat one token.
        for parameter in model.parameters():
            parameter *= 8 if parameter.ndim > 1 else 1
    return model


def test_greedy_texts_are_those_of_transformers(model):
    prompts = [(0, 5), (0, 7, 9, 3), (0, 9), (0,)]
    cold = replace(PLAIN, max_new_tokens=20, batch_rows=2)
    written = write_texts(model, [Request(prompt, 1e-5, 1) for prompt in prompts], cold, boundary=BOUNDARY)
    for prompt, text in zip(prompts, written, strict=True):
        inputs = torch.tensor([prompt])
        expected = model.generate(
            inputs, attention_mask=torch.ones_like(inputs), do_sample=False, max_new_tokens=20, pad_token_id=0
        )[0, len(prompt) :].tolist()
        expected = expected[: expected.index(0)] if 0 in expected else expected
        assert text.tokens == expected
    assert len({token for text in written for token in text.tokens}) > 5


def test_a_text_depends_on_its_own_prompt_and_seed_alone(model):
    requests = [Request((0, 1 + number % 3), 1.0, 100 + number) for number in range(10)]
    together = write_texts(model, requests, PLAIN, boundary=BOUNDARY)
    backwards = write_texts(model, requests[::-1], replace(PLAIN, batch_rows=3), boundary=BOUNDARY)[::-1]
    alone = [write_texts(model, [request], PLAIN, boundary=BOUNDARY)[0] for request in requests]
    assert together == backwards == alone
    assert len({tuple(text.tokens) for text in together}) > 5
    other = write_texts(
        model, [replace(request, seed=request.seed + 50) for request in requests], PLAIN, boundary=BOUNDARY
    )
    assert other != together


def test_texts_end_at_the_boundary_or_the_context_or_the_limit(model):
    texts = write_texts(model, [Request((0, *range(1, 20)), 1.0, seed) for seed in range(30)], PLAIN, boundary=BOUNDARY)
    assert all(BOUNDARY not in text.tokens for text in texts)
    assert all(text.finished or len(text.tokens) == 24 - 20 for text in texts)
    with torch.no_grad():
        ends = GPT2LMHeadModel(model.config).eval()
        ends.transformer.ln_f.bias[:] = ends.transformer.wte.weight[BOUNDARY] * 1e4
    (text,) = write_texts(ends, [Request((0, 1), 1.0, 1)], PLAIN, boundary=BOUNDARY)
    assert text.finished and text.tokens == []


@pytest.mark.parametrize(("top_k", "top_p"), [(0, 1.0), (5, 1.0), (0, 0.6), (7, 0.5), (100, 0.01)])
def test_top_k_and_top_p_keep_what_transformers_keeps(top_k, top_p):
    scores = torch.randn(50, 40, generator=torch.Generator().manual_seed(1)) * 3
    expected = scores
    if top_k:
        expected = TopKLogitsWarper(top_k)(None, expected)
    if top_p < 1:
        expected = TopPLogitsWarper(top_p)(None, expected)
    found = truncate(scores, top_k, top_p)
    torch.testing.assert_close(found / found.sum(dim=1, keepdim=True), expected.softmax(dim=1))


def test_repetition_is_penalised_as_transformers_does():
    scores = torch.randn(6, 30, generator=torch.Generator().manual_seed(2))
    tokens = torch.randint(0, 30, (6, 9), generator=torch.Generator().manual_seed(2))
    expected = RepetitionPenaltyLogitsProcessor(1.3)(tokens, scores)
    torch.testing.assert_close(penalise_repetition(scores, tokens, 1.3), expected)


def test_tokens_are_drawn_as_often_as_they_are_probable():
    probabilities = torch.tensor([[0.5, 0.0, 0.3, 0.2]])
    uniform = torch.from_numpy(np.random.default_rng(1).random(20_000))[:, None]
    drawn = draw(probabilities.expand(20_000, 4), uniform).flatten()
    shares = torch.bincount(drawn, minlength=4) / 20_000
    torch.testing.assert_close(shares, probabilities[0], atol=0.015, rtol=0)
    assert shares[1] == 0
    ends = draw(probabilities.expand(2, 4), torch.tensor([[0.0], [1 - 2**-53]], dtype=torch.float64))
    assert ends.flatten().tolist() == [0, 3]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model's folder with one earlier checkpoint, and the corpus; its weights are random."""
    folder = tmp_path_factory.mktemp("generation")
    corpus = write_corpus(TEXTS, folder / "texts.parquet", held_out=4)
    make_tokenizer(TokenizerSettings("own", "train", 300, None, None), corpus, None, folder / "model")
    torch.manual_seed(1)
    boundary = 0
    config = GPT2Config(
        vocab_size=300, n_positions=32, n_embd=16, n_layer=1, n_head=2, bos_token_id=boundary, eos_token_id=boundary
    )
    for where in (folder / "model" / "steps" / "50", folder / "model"):
        GPT2LMHeadModel(config).save_pretrained(where)
    summary = ModelSummary(
        name="m", tokenizer="own", start="scratch", parameters=1, device_kind="cpu", compute_dtype="float32",
        compiled=False, steps_planned=20, steps_done=20, best_step=16, tokens_seen=1, validation_loss=1.0,
        validation_perplexity=1.0, validation_bits_per_byte=1.0, checkpoints={"50": 10, "100": 16}, weights_sha256="",
    )  # fmt: skip
    write_document(summary, folder / "model" / "summary.json")
    return folder


def generate(folder, out, prompts=("", "the old"), **changes):
    generate_samples(
        replace(SETTINGS, **changes), "m", prompts, (50, 100), folder / "model", folder / "texts.parquet", out, "cpu",
        threads=1, seed=9,
    )  # fmt: skip
    return read_table(out, SAMPLES)


def test_every_prompt_temperature_and_checkpoint_is_sampled(trained, tmp_path):
    samples = generate(trained, tmp_path / "s.parquet")
    assert samples["id"].is_unique
    counts = samples.groupby(["percent", "prompt_kind"]).size().to_dict()
    # Two temperatures; two samples of each of two prompts, one of each held-out beginning, three from nothing.
    assert counts == {
        (50, "none"): 4, (50, "config"): 4, (50, "held_out"): 4,
        (100, "none"): 4, (100, "config"): 4, (100, "held_out"): 4, (100, "unprompted"): 6,
    }  # fmt: skip
    assert samples.groupby("percent")["step"].first().to_dict() == {50: 10, 100: 16}
    assert all(row.text.startswith(row.prompt) for row in samples.itertuples())
    held_out = samples[samples["prompt_kind"] == "held_out"]
    ids = {hashlib.sha256(text.encode()).hexdigest()[:16]: text for text in TEXTS[-4:]}
    assert all(ids[row.prompt_text_id].startswith(row.prompt) for row in held_out.itertuples())
    assert all(len(prompt.split()) == 2 for prompt in held_out["prompt"])
    # The same sample after few steps and after many: the same stream, other words.
    early, late = (
        samples[(samples["percent"] == percent) & (samples["prompt_kind"] != "unprompted")] for percent in (50, 100)
    )
    assert early["seed"].tolist() == late["seed"].tolist() and early["text"].tolist() != late["text"].tolist()
    assert samples[samples["percent"] == 100]["seed"].is_unique


def test_the_same_bytes_each_time_and_a_new_prompt_changes_no_other_sample(trained, tmp_path):
    before = generate(trained, tmp_path / "a.parquet")
    generate(trained, tmp_path / "b.parquet", batch_rows=3)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    after = generate(trained, tmp_path / "c.parquet", prompts=("number", "", "the old"))
    columns = ["percent", "prompt_kind", "prompt", "temperature", "seed", "text"]
    old = after[after["prompt"] != "number"][columns].reset_index(drop=True)
    assert set(map(tuple, before[columns].values)) <= set(map(tuple, old.values))


def test_a_prompt_that_spells_the_boundary_is_ordinary_text(trained, tmp_path):
    samples = generate(trained, tmp_path / "s.parquet", prompts=("a<|endoftext|>",))
    assert samples[samples["prompt_kind"] == "config"]["text"].str.startswith("a<|endoftext|>").all()


def test_a_prompt_that_fills_the_context_is_refused(trained, tmp_path):
    with pytest.raises(UserError, match=r"has \d+ tokens, the model 'm' reads 32"):
        generate(trained, tmp_path / "s.parquet", prompts=("word " * 40,))
    assert not (tmp_path / "s.parquet").exists()
