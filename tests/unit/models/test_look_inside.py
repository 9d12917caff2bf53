"""What is found inside a model: costs, next tokens, attention and kinds of tokens, of a model with random weights."""

import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import GPT2LMHeadModel

from samizdat.base.errors import UserError
from samizdat.checkpoints.encoding import encode, load_tokenizer
from samizdat.models.look_inside import look_inside
from samizdat.models.row_loss import RowLoss
from samizdat.models.text_losses import text_losses
from samizdat.records.corpus import TEXTS as TEXTS_TABLE
from samizdat.records.inside import INSIDE
from samizdat.records.io import read_table, write_batches, write_table
from samizdat.records.models import TEST_LOSSES
from samizdat.records.samples import SAMPLES
from support.small_model import make_model

TEXTS = [f"a rainy day {number}" for number in range(10)] + [
    "no", "ein Tag 🐻 im Haus", "a rainy day and a rainy night", "a long day " * 20,
]  # fmt: skip
HELD_OUT = TEXTS[-4:]  # the second is the first one of 8 to 40 tokens
BOUNDARY = 0


def write_samples(folder, *written: tuple[str, str]) -> None:
    """Write samples of the published model: their kind of prompt, and their text."""
    rows = [
        {"id": f"m-100-{number}", "model": "m", "percent": 100, "step": 16, "prompt_kind": kind, "prompt": "",
         "prompt_text_id": None, "temperature": 0.7, "top_k": 0, "top_p": 1.0, "repetition_penalty": 1.0,
         "no_repeat_ngram": 0, "seed": number, "text": text, "new_tokens": 1, "finished": True}
        for number, (kind, text) in enumerate(written)
    ]  # fmt: skip
    write_table(pd.DataFrame(rows, columns=SAMPLES.names), SAMPLES, folder / "samples.parquet")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = make_model(TEXTS, tmp_path_factory.mktemp("inside"))
    tokenizer = load_tokenizer(folder / "model")
    stream = np.array([token for tokens in encode(tokenizer, HELD_OUT) for token in (BOUNDARY, *tokens)])
    model = GPT2LMHeadModel.from_pretrained(folder / "model")
    loss = RowLoss(model, kind="cpu", dtype=torch.float32)
    losses = text_losses(loss, stream, boundary=BOUNDARY, context_tokens=32, sequences=2)
    write_batches(losses, TEST_LOSSES, folder / "model" / "test_losses.parquet")
    write_samples(folder, ("config", "a rainy day with a prompt"), ("none", ""), ("unprompted", "a day of old rain 7"))
    return folder


def look(folder, out, prompts=("", "a rainy")) -> dict[str, pd.DataFrame]:
    look_inside(
        folder / "model", folder / "texts.parquet", folder / "samples.parquet", prompts, 0.95, 50, out, "cpu",
        threads=1, seed=5,
    )  # fmt: skip
    return {name: read_table(out / f"{name}.parquet", schema) for name, schema in INSIDE.items()}


@pytest.fixture(scope="module")
def found(folder, tmp_path_factory):
    return look(folder, tmp_path_factory.mktemp("found"))


def logits_of(folder, percent, tokens) -> torch.Tensor:
    where = folder / "model" if percent == 100 else folder / "model" / "steps" / str(percent)
    with torch.no_grad():
        return GPT2LMHeadModel.from_pretrained(where).eval()(torch.tensor([[BOUNDARY, *tokens]])).logits[0].double()


def test_each_token_costs_what_the_model_says_after_those_before_it_alone(folder, found):
    table = found["tokens"]
    assert table.groupby("source", sort=False)["id"].nunique().to_dict() == {"held_out": 1, "sample": 1}
    for source, text in (("held_out", HELD_OUT[1]), ("sample", "a day of old rain 7")):
        (tokens,) = encode(load_tokenizer(folder / "model"), [text])
        for percent, step in ((50, 10), (100, 16)):
            rows = table[(table["source"] == source) & (table["percent"] == percent)]
            assert rows["step"].unique().tolist() == [step]
            assert rows["position"].tolist() == list(range(1, len(tokens) + 1))
            logits = logits_of(folder, percent, tokens)[:-1]
            own = logits.log_softmax(1)[range(len(tokens)), tokens] / np.log(2)
            assert rows["bits"].to_numpy() == pytest.approx(-own.numpy(), rel=1e-4)
            ranks = [row.argsort(descending=True).tolist().index(token) + 1
                     for row, token in zip(logits, tokens, strict=True)]  # fmt: skip
            assert rows["rank"].tolist() == ranks
    assert r"\xf0" in set(table["token"]), "a byte that is a part of a letter"
    assert table["id"].iloc[-1] == "m-100-2", "the first sample of a fitting length that began with nothing"


def test_the_next_tokens_are_the_most_probable_behind_the_first_prompt_that_is_not_empty(folder, found):
    table = found["next_tokens"]
    (prompt,) = encode(load_tokenizer(folder / "model"), ["a rainy"])
    for percent in (50, 100):
        rows = table[table["percent"] == percent]
        probabilities = logits_of(folder, percent, prompt)[-1].softmax(0).sort(descending=True).values[:10]
        assert rows["place"].tolist() == list(range(1, 11)) and set(rows["prompt"]) == {"a rainy"}
        assert rows["probability"].to_numpy() == pytest.approx(probabilities.numpy(), rel=1e-4)
    assert set(look(folder, folder / "nothing", prompts=("",))["next_tokens"]["prompt"]) == {""}


def test_attention_is_of_the_beginning_of_the_held_out_text_and_heads_are_averages(found):
    weights, heads = found["attention"], found["heads"]
    assert weights.groupby(["layer", "head", "position"])["weight"].sum().to_numpy() == pytest.approx(1, abs=1e-5)
    assert weights["position"].max() == 11 and (weights["at"] <= weights["position"]).all()
    assert heads[["layer", "head"]].to_numpy().tolist() == [[1, 1], [1, 2]]
    assert heads["texts"].tolist() == [4, 4] and heads["repeated"].iloc[0] > 0


def test_the_bits_of_all_kinds_of_tokens_are_those_of_the_held_out_texts(folder, found):
    losses = read_table(folder / "model" / "test_losses.parquet", TEST_LOSSES)
    places = found["token_kinds"].query("division == 'place'")
    assert places["bits"].sum() == pytest.approx(losses["nats"].sum() / np.log(2), rel=1e-5)
    assert places["tokens"].sum() == losses["tokens"].sum()
    assert places["bytes"].sum() == sum(len(text.encode()) for text in HELD_OUT)


def test_the_same_is_found_twice_byte_for_byte(folder, found, tmp_path):
    look(folder, tmp_path / "one")
    look(folder, tmp_path / "other")
    for name in INSIDE:
        one, other = (tmp_path / which / f"{name}.parquet" for which in ("one", "other"))
        assert one.read_bytes() == other.read_bytes()


def test_a_long_text_is_cut_and_without_samples_there_is_one_text(folder, tmp_path):
    other = shutil.copytree(folder, tmp_path / "other")
    texts = read_table(other / "texts.parquet", TEXTS_TABLE)
    losses = read_table(other / "model" / "test_losses.parquet", TEST_LOSSES)
    kept = [3, 0]  # the longest text and the shortest
    held_out = texts[texts["split"] == "test"].iloc[kept]
    write_table(pd.concat([texts[texts["split"] != "test"], held_out]), TEXTS_TABLE, other / "texts.parquet")
    write_table(losses.iloc[kept], TEST_LOSSES, other / "model" / "test_losses.parquet")
    write_samples(other, ("config", "a rainy day with a prompt"))
    table = look(other, tmp_path / "out")["tokens"]
    assert set(table["source"]) == {"held_out"} and table["position"].max() == 32, "as many as the model reads"


def test_a_model_that_was_tested_on_other_texts_is_refused(folder, tmp_path):
    other = shutil.copytree(folder, tmp_path / "other")
    losses = read_table(other / "model" / "test_losses.parquet", TEST_LOSSES)
    write_table(losses[:3], TEST_LOSSES, other / "model" / "test_losses.parquet")
    with pytest.raises(UserError, match="was tested on 3 texts, but the test split has 4"):
        look(other, tmp_path / "out")
    write_table(losses[::-1], TEST_LOSSES, other / "model" / "test_losses.parquet")
    with pytest.raises(UserError, match="other tokens"):
        look(other, tmp_path / "out")
