"""The tokenizer of a page: what is described of it, and which kinds are refused."""

import json
import unicodedata

import pytest

from samizdat.base.errors import UserError
from samizdat.models.make_tokenizer import TokenizerSettings, make_tokenizer
from samizdat.publishing.play_tokenizer import tokenizer_facts
from support.small_corpus import write_texts


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    corpus = write_texts(["the rain and the wind"] * 9, folder / "texts.parquet")
    make_tokenizer(TokenizerSettings("own", "train", 262, None, None), corpus, None, folder / "own")
    return folder / "own" / "tokenizer.json"


@pytest.fixture(scope="module")
def facts(file):
    return tokenizer_facts(file, boundary=0, vocabulary_size=264)


def test_the_vocabulary_is_by_number_without_what_is_no_text(facts):
    vocabulary = facts["vocabulary"]
    assert len(vocabulary) == 264
    assert [number for number, token in enumerate(vocabulary) if token is None] == [0, 262, 263]
    assert sorted(vocabulary[1:257]) == sorted(facts["alphabet"])


def test_the_alphabet_has_each_byte_in_its_place(facts):
    assert len(facts["alphabet"]) == 256
    assert facts["alphabet"][ord("a")] == "a" and facts["alphabet"][ord(" ")] == "Ġ"
    assert facts["alphabet"][0xE9] == "é" and facts["alphabet"][0] == "Ā"


def test_merges_are_pairs_of_numbers_in_their_order(facts):
    merges, vocabulary = facts["merges"], facts["vocabulary"]
    made = [vocabulary[left] + vocabulary[right] for left, right in zip(merges[::2], merges[1::2], strict=True)]
    assert made == vocabulary[257:262]


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("letters", "aZžßǅªم我ก", "1 ²\u0301_'"),
        ("numbers", "1٣²Ⅳ½", "a \u0301一"),
        ("blanks", " \t\n\r\u00a0\u0085\u2028\u3000", "a1\ufeff\u200b\u180e"),
    ],
)
def test_the_classes_are_those_of_the_library(facts, name, inside, outside):
    def found(character):
        return any(first <= ord(character) <= last for first, last in facts[name])

    assert all(map(found, inside)) and not any(map(found, outside))


def test_no_letter_number_or_blank_is_missing(facts):
    for name, category in (("letters", "L"), ("numbers", "N"), ("blanks", "Z")):
        codes = {code for first, last in facts[name] for code in range(first, last + 1)}
        # Characters that were of this kind in Unicode 3.2, and still are.
        kept = {
            code
            for code in range(0x110000)
            if unicodedata.category(chr(code))[0] == unicodedata.ucd_3_2_0.category(chr(code))[0] == category
        }
        assert not kept - codes, name


@pytest.mark.parametrize(
    "change",
    [
        {"normalizer": {"type": "NFC"}},
        {"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}},
        {"pre_tokenizer": {"type": "Whitespace"}},
        {"pre_tokenizer": None},
        {"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}, "added_tokens": []},
        {"added_tokens": [{"id": 262, "content": "rain", "single_word": False, "lstrip": False, "rstrip": False,
                           "normalized": False, "special": False}]},
    ],
)  # fmt: skip
def test_another_kind_of_tokenizer_is_refused(file, tmp_path, change):
    other = tmp_path / "tokenizer.json"
    other.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | change), encoding="utf-8")
    with pytest.raises(UserError, match="another kind of tokenizer than the page knows") as raised:
        tokenizer_facts(other, boundary=0, vocabulary_size=264)
    assert "play: null" in raised.value.remedy


def test_a_vocabulary_without_some_bytes_is_refused(file, tmp_path):
    tokenizer = json.loads(file.read_text(encoding="utf-8"))
    del tokenizer["model"]["vocab"]["ÿ"]
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    with pytest.raises(UserError, match="another kind of tokenizer"):
        tokenizer_facts(tmp_path / "tokenizer.json", boundary=0, vocabulary_size=264)
