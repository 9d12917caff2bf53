"""Samples: what the generation stage records, and that no sample depends on another."""

import hashlib
from dataclasses import asdict, replace

import pytest
import torch
from icu4py.breakers import WordBreaker
from tokenizers import normalizers

from samizdat.base.errors import UserError
from samizdat.base.files import write_checksum
from samizdat.checkpoints.encoding import load_tokenizer
from samizdat.records.io import read_table
from samizdat.records.samples import SAMPLES
from samizdat.samples.checkpoint import load_model
from samizdat.samples.generate_samples import SamplingSettings, generate_samples
from samizdat.samples.stream import continuation
from samizdat.samples.token_choice import Recipe
from samizdat.statistics.passages import own_passages
from support.small_model import make_model

SETTINGS = SamplingSettings(
    samples_per_prompt=2, held_out_prompts=2, held_out_prompt_words=2, unprompted_samples=3, temperatures=(0.7, 1.0),
    top_k=0, top_p=0.95, repetition_penalty=1.1, no_repeat_ngram=0, max_new_tokens=8, slots=4,
)  # fmt: skip
TEXTS = [f"number {number} of the old letters" for number in range(12)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model's folder with one earlier checkpoint, and the corpus; its weights are random."""
    return make_model(TEXTS, tmp_path_factory.mktemp("generation"))


def generate(folder, out, prompts=("", "the old"), **changes):
    write(folder, out, prompts, **changes)
    return read_table(out, SAMPLES)


def write(folder, out, prompts=("", "the old"), **changes):
    return generate_samples(
        replace(SETTINGS, **changes), "m", prompts, (50, 100), folder / "model", folder / "texts.parquet", out, "cpu",
        threads=1, seed=9,
    )  # fmt: skip


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
    generate(trained, tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    after = generate(trained, tmp_path / "c.parquet", prompts=("number", "", "the old"))
    columns = ["percent", "prompt_kind", "prompt", "temperature", "seed", "text"]
    old = after[after["prompt"] != "number"][columns].reset_index(drop=True)
    assert set(map(tuple, before[columns].values)) <= set(map(tuple, old.values))


def test_a_prompt_that_spells_the_boundary_is_ordinary_text(trained, tmp_path):
    samples = generate(trained, tmp_path / "s.parquet", prompts=("a<|endoftext|>",))
    assert samples[samples["prompt_kind"] == "config"]["text"].str.startswith("a<|endoftext|>").all()


def test_samples_begin_with_their_prompts_where_the_tokenizer_reads_other_characters(tmp_path):
    """What follows the prompt counts as the model's own words, and nothing before it."""
    folder = make_model(TEXTS, tmp_path)
    tokenizer = load_tokenizer(folder / "model")
    tokenizer.backend_tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.backend_tokenizer.save(str(folder / "model" / "tokenizer.json"))
    write_checksum(folder / "model" / "tokenizer.json")
    samples = generate(folder, tmp_path / "s.parquet", prompts=("THE Old",))
    assert (own_passages(samples)["begin"] == samples["prompt"].str.len()).all()
    weights = load_model(folder / "model", 100, "cpu")
    row = samples[(samples["percent"] == 100) & (samples["prompt_kind"] == "config")].iloc[0]
    recipe = Recipe.of(asdict(SETTINGS))
    again = continuation(weights, tokenizer, "THE Old", recipe, temperature=0.7, seed=int(row["seed"]))
    assert "".join(again) == row["text"] and float(row["temperature"]) == pytest.approx(0.7)


def test_a_prompt_that_fills_the_context_is_refused(trained, tmp_path):
    with pytest.raises(UserError, match=r"has \d+ tokens; the model 'm' can continue at most 30"):
        generate(trained, tmp_path / "s.parquet", prompts=("word " * 40,))
    assert not (tmp_path / "s.parquet").exists()


def test_too_little_memory_names_the_key(trained, tmp_path, monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError

    monkeypatch.setattr("samizdat.samples.generate_samples.write_texts", full)
    with pytest.raises(UserError, match=r"too little memory for 4 texts at once(?s:.*)halve sampling\.slots"):
        generate(trained, tmp_path / "s.parquet")


def test_held_out_texts_without_blanks_begin_samples_and_missing_ones_are_told(tmp_path):
    texts = ["the old letters", "我喜欢读书和写作。", "ฉันรักภาษาไทย", "two words", "हिन्दी भाषा"]
    folder = make_model(texts, tmp_path)
    said = write(folder, tmp_path / "s.parquet", held_out_prompts=4)
    samples = read_table(tmp_path / "s.parquet", SAMPLES)
    prompts = set(samples.loc[samples["prompt_kind"] == "held_out", "prompt"])
    assert prompts == {"我喜欢", "ฉัน"}  # two Thai words have more tokens than half of the context
    assert (
        "; held-out prompts fewer than asked for: 2, since the other held-out texts are too short, begin like" in said
    )
    assert "than asked for" not in write(folder, tmp_path / "s.parquet", held_out_prompts=2)


def test_texts_that_begin_alike_are_one_prompt_and_the_others_are_counted(tmp_path):
    texts = [*TEXTS, "the old letters", "the old houses", "two new words", "the old rain"]
    folder = make_model(texts, tmp_path)
    said = write(folder, tmp_path / "s.parquet", held_out_prompts=4)
    samples = read_table(tmp_path / "s.parquet", SAMPLES)
    published = samples[(samples["prompt_kind"] == "held_out") & (samples["percent"] == 100)]
    # One sample for each temperature: a second one would have the same seed, and be the same.
    assert published.groupby("prompt").size().to_dict() == {"the old": 2, "two new": 2}
    assert published["seed"].is_unique
    assert "; held-out texts that begin like another one and are no prompts: 2; held-out prompts fewer" in said
    # Another text takes the place of the one that is passed over.
    two = generate(folder, tmp_path / "t.parquet", held_out_prompts=2)
    assert set(two.loc[two["prompt_kind"] == "held_out", "prompt"]) == {"the old", "two new"}


def test_of_a_book_no_more_is_read_than_begins_a_prompt(tmp_path, monkeypatch):
    """Reading a whole novel for each word of a prompt took minutes."""
    folder = make_model([*TEXTS, *(f"book {number} " + "of a long story " * 5_000 for number in range(4))], tmp_path)
    pieces = 0

    def counting(*arguments):
        nonlocal pieces
        for piece in WordBreaker(*arguments):
            pieces += 1
            yield piece

    monkeypatch.setattr("samizdat.measures.words.WordBreaker", counting)
    samples = generate(folder, tmp_path / "s.parquet", held_out_prompt_words=40)
    begun = samples.loc[samples["prompt_kind"] == "held_out", "prompt"]
    assert begun.str.startswith("book ").all() and begun.nunique() == 2
    assert pieces < 4_000


def test_held_out_prompts_leave_half_of_the_context_and_shorter_ones_are_told(tmp_path):
    """The context has 32 tokens, and the vocabulary no Cyrillic letter: each has two tokens."""
    texts = [*TEXTS, "ночь улица фонарь аптека", "достопримечательность города", "the old letters", "two words"]
    folder = make_model(texts, tmp_path)
    said = write(folder, tmp_path / "s.parquet", held_out_prompts=4)
    samples = read_table(tmp_path / "s.parquet", SAMPLES)
    prompts = set(samples.loc[samples["prompt_kind"] == "held_out", "prompt"])
    assert prompts == {"ночь", "the old"}
    assert "held-out prompts fewer than asked for: 2" in said
    assert "held-out prompts of fewer than 2 words: 1, since a prompt has at most half of the context" in said
