"""Vocabularies and the corpus in tokens: nothing is lost, and no text can end itself."""

import io
import json
import re
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from samizdat.base import course_limits
from samizdat.base.errors import UserError
from samizdat.base.files import is_checksum
from samizdat.checkpoints import encoding
from samizdat.checkpoints.encoding import BOUNDARY, encode, load_tokenizer, token_dtype
from samizdat.models import make_tokenizer as stage
from samizdat.models.make_tokenizer import TokenizerSettings, make_tokenizer
from samizdat.records import io as tables
from samizdat.records.corpus import SPLITS
from samizdat.records.io import read_document
from samizdat.records.models import TokenizerSummary
from support.small_corpus import write_texts

SENTENCES = ["the old model writes letters", f"a text that spells {BOUNDARY} inside", "žluťoučký kůň 🐎", "  x\n\ty"]
TEXTS = [*SENTENCES * 3, "held out"]


def settings_of(**changes) -> TokenizerSettings:
    given = {"name": "own", "source": "train", "vocabulary_size": 300, "checkpoint": None, "revision": None}
    return TokenizerSettings(**(given | changes))


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    make_tokenizer(settings_of(), write_texts(TEXTS, folder / "texts.parquet"), None, folder / "out")
    return folder / "out"


def test_each_text_follows_a_boundary_and_reads_as_it_was(own):
    summary = read_document(TokenizerSummary, own / "summary.json")
    tokens = np.fromfile(own / "tokens" / "train.bin", "<u2")
    assert summary.token_dtype == "uint16" and summary.tokens["train"] == len(tokens)
    starts = np.flatnonzero(tokens == summary.boundary_token_id)
    assert len(starts) == 12 and starts[0] == 0
    tokenizer = load_tokenizer(own)
    parts = [tokenizer.decode(part[1:]) for part in np.split(tokens, starts[1:])]
    assert parts == SENTENCES * 3
    assert summary.utf8_bytes == {
        "train": sum(len(text.encode()) for text in SENTENCES) * 3,
        "validation": 0,
        "test": 8,
    }
    held_out = np.fromfile(own / "tokens" / "test.bin", "<u2")
    assert tokenizer.decode(held_out) == BOUNDARY + "held out"


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text() | st.lists(st.sampled_from([BOUNDARY, "<|", "|>", "endoftext", " ", "é"])).map("".join))
def test_every_string_has_tokens_and_none_is_the_boundary(own, text):
    tokenizer = load_once(own)
    (tokens,) = encode(tokenizer, [text])
    assert tokenizer.eos_token_id not in tokens
    assert tokenizer.decode(tokens, clean_up_tokenization_spaces=False) == text


def load_once(folder, _cache={}):  # noqa: B006 - hypothesis calls this a hundred times
    return _cache.setdefault(folder, load_tokenizer(folder))


def test_the_same_texts_make_the_same_bytes(own, tmp_path):
    make_tokenizer(settings_of(), write_texts(TEXTS, tmp_path / "t.parquet"), None, tmp_path / "out")
    files = [path.relative_to(own) for path in own.rglob("*") if path.is_file() and not is_checksum(path)]
    assert len(files) == 6
    assert all((own / name).read_bytes() == (tmp_path / "out" / name).read_bytes() for name in files)


def test_gpt2s_vocabulary_gives_gpt2s_tokens_and_says_whether_a_course_wants_so_many(tmp_path, capsys, monkeypatch):
    # Merges of the real vocabulary's kind: " t", " the" and "##" are tokens, as GPT-2's files spell a blank.
    letters = [chr(code) for code in [*range(33, 127), *range(161, 173), *range(174, 256)]]
    letters += [chr(256 + number) for number in range(256 - len(letters))]
    merges = ["Ġ t", "h e", "Ġt he", "# #"]
    vocabulary = {token: number for number, token in enumerate([*letters, "Ġt", "he", "Ġthe", "##", BOUNDARY])}
    with tarfile.open(tmp_path / "package.tar.gz", "w:gz") as package:
        for name, content in (
            ("gpt2_vocab.json", json.dumps(vocabulary)),
            ("gpt2_merges.txt", "#version: 0.2\n" + "\n".join(merges) + "\n"),
        ):
            member = tarfile.TarInfo(f"package-1/static/{name}")
            member.size = len(content.encode())
            package.addfile(member, io.BytesIO(content.encode()))
    texts = write_texts(["see the tea", "held out"], tmp_path / "t.parquet")
    make_tokenizer(settings_of(source="gpt2", name="g"), texts, tmp_path / "package.tar.gz", tmp_path / "out")
    said = "usual limits of a course are not kept: 2 texts (1,000 to 50,000: too few) and 14 GPT-2 tokens (200,000 to"
    assert f"! {said} 2,000,000: too few)" in capsys.readouterr().err
    monkeypatch.setattr(course_limits, "TEXTS", (2, 3))
    monkeypatch.setattr(course_limits, "GPT2_TOKENS", (14, 14))
    line = make_tokenizer(settings_of(source="gpt2", name="g"), texts, tmp_path / "package.tar.gz", tmp_path / "again")
    within = "2 texts (2 to 3: within bounds) and 14 GPT-2 tokens (14 to 14: within bounds)"
    assert line.endswith(f"; usual limits of a course are kept: {within}")
    tokenizer = load_tokenizer(tmp_path / "out")
    assert tokenizer.convert_ids_to_tokens(encode(tokenizer, ["see the tea"])[0]) == [
        "s",
        "e",
        "e",
        "Ġthe",
        "Ġt",
        "e",
        "a",
    ]
    assert tokenizer.convert_ids_to_tokens(encode(tokenizer, ["##!"])[0]) == ["##", "!"]
    assert tokenizer.eos_token_id == vocabulary[BOUNDARY]
    (tmp_path / "package.tar.gz").unlink()
    tarfile.open(tmp_path / "package.tar.gz", "w:gz").close()
    with pytest.raises(UserError, match=r"does not ship gpt2_vocab.json and gpt2_merges.txt"):
        make_tokenizer(settings_of(source="gpt2"), texts, tmp_path / "package.tar.gz", tmp_path / "other")


def test_a_checkpoints_tokenizer_is_taken_as_it_is(own, tmp_path):
    texts = write_texts(["other texts", "held out"], tmp_path / "t.parquet")
    make_tokenizer(settings_of(source="checkpoint", checkpoint=str(own)), texts, None, tmp_path / "out")
    assert (tmp_path / "out" / "tokenizer.json").read_bytes() == (own / "tokenizer.json").read_bytes()


def test_a_checkpoints_tokenizer_that_loses_nothing_is_not_told(own, tmp_path, capsys):
    texts = write_texts([*TEXTS[:4], "Other\ntexts", "held out"], tmp_path / "t.parquet")
    make_tokenizer(settings_of(source="checkpoint", checkpoint=str(own)), texts, None, tmp_path / "out")
    assert read_document(TokenizerSummary, tmp_path / "out" / "summary.json").changed == dict.fromkeys(SPLITS, 0)
    assert "lost or changed" not in capsys.readouterr().err


def test_a_checkpoints_tokenizer_that_loses_characters_is_told(own, tmp_path, capsys):
    backend = Tokenizer.from_file(str(own / "tokenizer.json"))
    backend.normalizer = normalizers.Sequence([normalizers.Replace("\n", " "), normalizers.Lowercase()])
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)  # which changes no character
    backend.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=backend, eos_token=BOUNDARY).save_pretrained(tmp_path / "lower")
    texts = write_texts(["A\n\ntext", "small letters", "T", "Held\nout\nT"], tmp_path / "t.parquet")
    make_tokenizer(settings_of(source="checkpoint", checkpoint=str(tmp_path / "lower")), texts, None, tmp_path / "out")
    summary = read_document(TokenizerSummary, tmp_path / "out" / "summary.json")
    assert summary.changed == {"train": 2, "validation": 0, "test": 1}
    said = r"! tokenizer own: 3 of 4 texts are not the same .*lost or changed \('\\n', 'T', 'A' most often\)"
    assert re.search(said, capsys.readouterr().err)


def test_a_checkpoint_that_cant_end_a_text_is_refused(own, tmp_path):
    folder = tmp_path / "endless"
    folder.mkdir()
    (folder / "tokenizer.json").write_bytes((own / "tokenizer.json").read_bytes())
    config = json.loads((own / "tokenizer_config.json").read_text(encoding="utf-8"))
    config = {key: value for key, value in config.items() if not key.endswith("_token")}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    texts = write_texts(["other texts", "held out"], tmp_path / "t.parquet")
    with pytest.raises(UserError, match="no end-of-sequence token"):
        make_tokenizer(settings_of(source="checkpoint", checkpoint=str(folder)), texts, None, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def of_words(vocabulary: dict[str, int], folder: Path) -> TokenizerSettings:
    """A checkpoint's tokenizer that knows these words; all others are the boundary to it."""
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token=BOUNDARY))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=backend, eos_token=BOUNDARY).save_pretrained(folder)
    return settings_of(source="checkpoint", checkpoint=str(folder))


def test_a_checkpoint_that_ends_a_text_in_its_middle_is_refused(tmp_path):
    texts = write_texts(["other texts", "unknown texts"], tmp_path / "t.parquet")
    settings = of_words({BOUNDARY: 0, "other": 1, "texts": 2}, tmp_path / "words")
    with pytest.raises(UserError, match="so the texts of the test split can't be told apart"):
        make_tokenizer(settings, texts, None, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_a_checkpoint_without_a_token_for_any_character_is_refused(tmp_path):
    backend = Tokenizer(models.BPE({BOUNDARY: 0, "z": 1}, []))
    PreTrainedTokenizerFast(tokenizer_object=backend, eos_token=BOUNDARY).save_pretrained(tmp_path / "letters")
    texts = write_texts(["ěšč", "řžý"], tmp_path / "t.parquet")
    with pytest.raises(UserError, match=r"has no token for any character of these texts(?s:.*)source: train"):
        make_tokenizer(
            settings_of(source="checkpoint", checkpoint=str(tmp_path / "letters")), texts, None, tmp_path / "out"
        )


def test_a_vocabulary_that_leaves_out_numbers_is_as_large_as_its_last_one(tmp_path):
    texts = write_texts(["other texts", "texts texts"], tmp_path / "t.parquet")
    settings = of_words({BOUNDARY: 0, "other": 1, "texts": 70000}, tmp_path / "words")
    make_tokenizer(settings, texts, None, tmp_path / "out")
    assert read_document(TokenizerSummary, tmp_path / "out" / "summary.json").vocabulary_size == 70001
    assert np.fromfile(tmp_path / "out" / "tokens" / "train.bin", "<u4").tolist() == [0, 1, 70000]


def test_ids_are_as_small_as_the_vocabulary_allows():
    assert token_dtype(65536) == np.dtype("<u2") and token_dtype(65537) == np.dtype("<u4")


@pytest.mark.parametrize(
    "changes", [{"vocabulary_size": None}, {"source": "gpt2"}, {"source": "checkpoint"}, {"source": "other"}], ids=str
)
def test_a_source_without_what_it_needs_is_refused(tmp_path, changes):
    texts = write_texts(["a text", "held out"], tmp_path / "t.parquet")
    with pytest.raises(UserError, match=r"the tokenizer 'own' lacks what `source: \w+` needs"):
        make_tokenizer(settings_of(**changes), texts, None, tmp_path / "out")


def test_a_vocabulary_that_came_out_smaller_is_told(tmp_path, capsys):
    texts = write_texts(["see the tea", "held out"], tmp_path / "t.parquet")
    make_tokenizer(settings_of(vocabulary_size=4000), texts, None, tmp_path / "out")
    assert re.search(r"! tokenizer \w+: the vocabulary has 2\d\d tokens, not 4,000", capsys.readouterr().err)


def test_a_large_corpus_is_encoded_in_batches_and_its_vocabulary_learned_from_a_part(own, tmp_path, monkeypatch, capfd):
    texts = write_texts(TEXTS, tmp_path / "texts.parquet")
    monkeypatch.setattr(encoding, "TEXTS_AT_ONCE", 2)
    monkeypatch.setattr(tables, "BATCH_ROWS", 3)
    make_tokenizer(settings_of(), texts, None, tmp_path / "batches")
    for name in ("tokens/train.bin", "tokens/test.bin", "summary.json", "tokenizer.json"):
        assert (tmp_path / "batches" / name).read_bytes() == (own / name).read_bytes()
    some = [f"word{number} " * 5 for number in range(400)]
    monkeypatch.setattr(stage, "MOST_LEARNED_BYTES", 2000)
    learned = list(stage._training(write_texts(some, tmp_path / "many.parquet"), 0.25))
    assert 60 < len(learned) < 140 and set(learned) < set(some)
    make_tokenizer(settings_of(), tmp_path / "many.parquet", None, tmp_path / "part")
    assert "learned from about 0 MB of 0 MB of training texts, drawn at random" in capfd.readouterr().err


def test_the_time_to_learn_a_vocabulary_grows_with_the_text_not_with_its_square(tmp_path):
    """Of a text without a blank, such as a genome or unpunctuated Chinese."""
    letters = np.random.default_rng(3).choice([*"ACGT"], 128_000)
    seconds = []
    for number in (16_000, 128_000):
        texts = write_texts(["".join(letters[:number]), "held out"], tmp_path / "texts.parquet")
        begin = time.process_time()
        make_tokenizer(settings_of(vocabulary_size=600), texts, None, tmp_path / str(number))
        seconds.append(time.process_time() - begin)
    assert seconds[1] < 20 * seconds[0]
    (tokens,) = encode(load_tokenizer(tmp_path / "128000"), ["".join(letters[:4000])])
    assert len(tokens) < 1500
