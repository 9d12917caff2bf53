"""Weights in eight bits: what is written, what it costs, and what is refused."""

import math
import shutil

import pytest
import torch
from safetensors.torch import load_file
from transformers import GPT2LMHeadModel

from samizdat.base.errors import UserError
from samizdat.checkpoints.encoding import encode, load_tokenizer
from samizdat.models.round_weights import round_weights
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_table
from support.played_model import round_model, rounded_model, write_model
from support.run_fixture import sentences


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("played"), sentences(40), tokens=300)


@pytest.fixture(scope="module")
def summary(folder):
    return round_model(folder)


def bits_per_byte(gpt2, folder):
    """Compute it from the texts, each row by transformers alone."""
    corpus = read_table(folder.parent / "texts.parquet", TEXTS)
    texts = corpus.loc[corpus["split"] == "validation", "text"].tolist()
    stream = [token for tokens in encode(load_tokenizer(folder), texts) for token in (0, *tokens)] + [0]
    nats = 0.0
    with torch.no_grad():
        for start in range(0, len(stream) - 1, 96):
            row = torch.tensor(stream[start : start + 97])
            logits = gpt2(row[None, :-1]).logits[0]
            nats += float(torch.nn.functional.cross_entropy(logits, row[1:], reduction="sum"))
    return nats / math.log(2) / sum(len(text.encode()) for text in texts)


@pytest.mark.parametrize("percent", ["50", "100"])
def test_the_cost_is_that_of_the_texts_with_the_rounded_weights(folder, summary, percent):
    exact = GPT2LMHeadModel.from_pretrained(folder if percent == "100" else folder / "steps" / percent).eval()
    assert summary.bits_per_byte[percent] == pytest.approx(bits_per_byte(exact, folder), rel=1e-5)
    rounded = bits_per_byte(rounded_model(folder, percent), folder)
    assert summary.rounded_bits_per_byte[percent] == pytest.approx(rounded, rel=1e-5)
    assert 0 < abs(summary.bits_per_byte[percent] - rounded) < 0.01


def test_every_weight_is_the_nearest_whole_number_times_its_rows_scale(folder, summary):
    exact = dict(GPT2LMHeadModel.from_pretrained(folder).named_parameters())
    parts = load_file(folder / "eight_bits" / "100.safetensors")
    assert {name.removesuffix(".scales") for name in parts} == {name.removeprefix("transformer.") for name in exact}
    for name, weight in exact.items():
        part = parts[name.removeprefix("transformer.")]
        if weight.ndim == 1:
            assert torch.equal(part, weight)
            continue
        rows = weight.T if name.startswith("transformer.h.") else weight
        scales = parts[f"{name.removeprefix('transformer.')}.scales"][:, None]
        assert part.dtype == torch.int8 and torch.equal(part.abs().amax(1), torch.full((len(part),), 127))
        assert ((part * scales - rows).abs() <= scales * 0.5001).all()


def test_the_summary_says_what_the_page_computes_with(summary):
    assert (summary.layers, summary.heads, summary.width, summary.inner_width) == (2, 2, 32, 128)
    assert (summary.context_tokens, summary.vocabulary_size, summary.boundary_token_id) == (96, 300, 0)
    assert summary.attention_scales == [0.25, 0.25] and summary.steps == {"50": 10, "100": 16}


def test_rounding_that_costs_too_much_is_refused_with_both_numbers(tokenizer, trained, tmp_path):
    model = shutil.copytree(trained, tmp_path / "model", ignore=shutil.ignore_patterns(".*"))
    gpt2 = GPT2LMHeadModel.from_pretrained(model)
    body = gpt2.transformer
    with torch.no_grad():
        # Nothing depends on feature 3: token and position cancel, and the head reads 0. But it is so large that in the
        # same rows all other weights are rounded to 0, and then every token is as probable as every other.
        body.wte.weight[:, 3], body.wpe.weight[:, 3] = 1e4, -1e4
        body.ln_f.weight[3] = body.ln_f.bias[3] = 0
    gpt2.save_pretrained(model)
    with pytest.raises(UserError, match=r"at 100 % of training needs \d\.\d{4} bits per byte, not \d\.\d{4}") as raised:
        round_weights("m", model, tokenizer, tmp_path / "out", "cpu", threads=1, seed=1)
    assert "play: null" in raised.value.remedy and not (tmp_path / "out" / "summary.json").exists()


def test_a_model_with_another_activation_function_is_refused(tmp_path):
    model = write_model(tmp_path, sentences(40), tokens=300, activation_function="relu")
    with pytest.raises(UserError, match="the activation function relu"):
        round_model(model)
