"""The pieces that a tokenizer cuts a text into: together they are the text, whatever the tokenizer does."""

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from samizdat.checkpoints.encoding import encode, load_tokenizer
from samizdat.checkpoints.pieces import pieces_of, shown
from samizdat.models.make_tokenizer import TokenizerSettings, make_tokenizer
from support.small_corpus import write_texts

TEXTS = [
    "a rainy day",
    " two  blanks ",
    "der schöne Tag 🐻",
    "اللغة العربية",
    "语言模型写作",
    "<|endoftext|> inside",
    "e\u0301\r\n",
]


@pytest.fixture(scope="module")
def byte_level(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    corpus = write_texts([f"a rainy day {number}" for number in range(9)], folder / "texts.parquet", validation=1)
    make_tokenizer(TokenizerSettings("own", "train", 270, None, None), corpus, None, folder / "own")
    return load_tokenizer(folder / "own")


@pytest.fixture(scope="module")
def lower_words():
    """A tokenizer that loses blanks and capital letters."""
    backend = Tokenizer(models.WordLevel({"[UNK]": 0, "</s>": 1, "a": 2, "day": 3, "!": 4}, unk_token="[UNK]"))
    backend.normalizer, backend.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]", eos_token="</s>")


def test_the_tokens_are_those_of_training_and_their_bytes_are_the_text(byte_level):
    found = list(pieces_of(byte_level, TEXTS))
    assert [tokens for tokens, _ in found] == encode(byte_level, TEXTS)
    for text, (tokens, pieces) in zip(TEXTS, found, strict=True):
        assert b"".join(pieces) == text.encode() and len(tokens) == len(pieces)
    assert b"\xf0" in found[2][1], "a byte is a token, though it is only a part of a letter"


def test_what_a_tokenizer_drops_belongs_to_the_next_token_and_at_the_end_to_the_last(lower_words):
    ((tokens, pieces),) = pieces_of(lower_words, ["A  Day! "])
    assert (tokens, pieces) == ([2, 3, 4], [b"A", b"  Day", b"! "])


def test_a_tokenizer_that_adds_a_blank_gives_pieces_without_it():
    backend = Tokenizer(models.BPE({"Ġ": 0, "a": 1, "Ġa": 2, "</s>": 3}, [("Ġ", "a")]))
    backend.pre_tokenizer, backend.decoder = pre_tokenizers.ByteLevel(add_prefix_space=True), decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="</s>")
    assert list(pieces_of(tokenizer, ["a a"])) == [([2, 2], [b"a", b" a"])]


def test_a_part_of_a_letter_is_shown_as_bytes():
    assert shown(" schö".encode()) == " schö"
    assert shown("x🐻".encode()[:3]) == r"x\xf0\x9f"
