"""Samples are valid text: a byte-level token may end within a letter, and only what goes on with it may follow."""

import tracemalloc

import pytest
import torch
from tokenizers import Tokenizer, decoders, models
from transformers import PreTrainedTokenizerFast

from samizdat.checkpoints.encoding import load_tokenizer
from samizdat.models.make_tokenizer import TokenizerSettings, make_tokenizer
from samizdat.samples.engine import Request, stream_text, write_texts
from samizdat.samples.letters import IMPOSSIBLE, WHOLE, Letters
from samizdat.samples.token_choice import Recipe
from support.restless_model import make_restless_model
from support.small_corpus import write_texts as write_corpus

# One token for each byte, tokens of more than one letter or of parts of letters, the boundary, one that is missing.
BYTES: list[bytes | None] = [bytes([byte]) for byte in range(256)]
THE, LAST_OF_TWO, FIRST_OF_NEXT, BOUNDARY, MISSING = range(256, 261)
TOKENS = [*BYTES, b"the", b"\xa9 ", b"\xb8\xaa\xe0", None, None]


@pytest.fixture(scope="module")
def letters():
    return Letters(TOKENS, BOUNDARY)


def allowed(letters, state, left):
    scores = letters.forbid(torch.zeros(1, len(TOKENS)), [state], [left])
    return set((scores[0] == 0).nonzero()[:, 0].tolist())


def test_a_letter_that_has_begun_is_finished_first(letters):
    after_c3 = letters.after(WHOLE, 0xC3)
    assert allowed(letters, after_c3, 9) == {*range(0x80, 0xC0), LAST_OF_TWO}
    assert letters.after(after_c3, LAST_OF_TWO) == WHOLE
    after_e0 = letters.after(WHOLE, 0xE0)
    # Not two spellings of one letter: E0 80 80 would be the letter 0.
    assert allowed(letters, after_e0, 9) == {*range(0xA0, 0xC0), FIRST_OF_NEXT}
    assert allowed(letters, after_e0, 1) == set(range(0xA0, 0xC0))  # the next letter would stay unfinished
    assert allowed(letters, letters.after(WHOLE, 0xF4), 9) == set(range(0x80, 0x90))  # Unicode ends at U+10FFFF


def test_between_letters_every_token_may_follow_that_spells_some(letters):
    assert allowed(letters, WHOLE, 9) == {*range(0x80), *range(0xC2, 0xF5), THE, BOUNDARY}


def test_the_last_tokens_leave_no_letter_unfinished(letters):
    assert allowed(letters, WHOLE, 0) == {*range(0x80), THE, BOUNDARY}
    assert allowed(letters, WHOLE, 1) == {*range(0x80), *range(0xC2, 0xE0), THE, BOUNDARY}
    assert allowed(letters, WHOLE, 2) == {*range(0x80), *range(0xC2, 0xF0), THE, BOUNDARY}
    assert allowed(letters, letters.after(WHOLE, 0xE1), 0) == set()  # such a state isn't reached


def test_tokens_as_long_as_a_ruled_line_take_neither_memory_nor_time(letters):
    """The states after a token are those after a short one that begins and ends alike."""
    long = [letter.encode() * 50_000 for letter in "=—"]
    tracemalloc.start()
    found = Letters([*TOKENS, *long, long[1][1:], long[1][:-1]], BOUNDARY)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
    plain, dashes, end, begin = range(len(TOKENS), len(TOKENS) + 4)
    assert found.after(WHOLE, plain) == found.after(WHOLE, dashes) == WHOLE
    after_e2 = letters.after(WHOLE, 0xE2)
    assert found.after(after_e2, plain) == found.after(WHOLE, end) == IMPOSSIBLE
    assert found.after(after_e2, end) == WHOLE
    assert found.after(WHOLE, begin) == letters.after(after_e2, 0x80)


@pytest.mark.parametrize(
    "texts",
    [
        ["我喜欢读书和写作。", "今天天气很好，我们去公园吧。"],
        ["ฉันรักภาษาไทย", "วันนี้อากาศดี"],
        ["עברית היא שפה", "🐻🦊 and ASCII"],
    ],
)
@pytest.mark.parametrize("changes", [{}, {"top_k": 5, "top_p": 0.8, "repetition_penalty": 1.3, "no_repeat_ngram": 1}])
def test_samples_of_a_random_model_are_valid_text(texts, changes, tmp_path):
    make_tokenizer(
        TokenizerSettings("own", "train", 300, None, None), write_corpus([*texts * 3, "x"], tmp_path / "t.parquet"),
        None, tmp_path / "own",
    )  # fmt: skip
    tokenizer = load_tokenizer(tmp_path / "own")
    model = make_restless_model(vocab_size=304)  # the model has more tokens than the tokenizer
    letters, boundary = Letters.of(tokenizer, 304), tokenizer.eos_token_id
    recipe = Recipe(**{
        "top_k": 0, "top_p": 1.0, "repetition_penalty": 1.0, "no_repeat_ngram": 0, "max_new_tokens": 21, "slots": 4
    } | changes)  # fmt: skip
    requests = [Request((boundary,), temperature, seed) for seed in range(8) for temperature in (0.0, 1.0, 1.5)]
    written = write_texts(model, requests, recipe, boundary=boundary, letters=letters)
    for text in written:
        assert "\ufffd" not in tokenizer.decode(text.tokens) and max(text.tokens, default=0) < 300
    assert any(not text.finished for text in written)
    assert any("\ufffd" in tokenizer.decode([token]) for text in written for token in text.tokens)
    streamed = list(stream_text(model, requests[1], recipe, boundary=boundary, letters=letters))
    assert streamed == written[1].tokens


def test_a_vocabulary_that_spells_rare_letters_by_bytes_gives_valid_text():
    """SentencePiece's byte fallback: a letter that the vocabulary lacks is several tokens of one byte each."""
    tokens = ["</s>", "▁", "a", "▁a", *(f"<0x{byte:02X}>" for byte in range(256))]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[("▁", "a")], byte_fallback=True))
    backend.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="</s>")
    model = make_restless_model(vocab_size=len(tokens))
    recipe = Recipe(top_k=0, top_p=1, repetition_penalty=1, no_repeat_ngram=0, max_new_tokens=21, slots=4)
    requests = [Request((0,), 1.5, seed) for seed in range(12)]
    written = write_texts(model, requests, recipe, boundary=0, letters=Letters.of(tokenizer, len(tokens)))
    shown = [tokenizer.decode(text.tokens) for text in written]
    assert not any("\ufffd" in text for text in shown) and any(letter > "\x7f" for text in shown for letter in text)


def test_tokens_that_are_no_bytes_are_whole_letters():
    backend = Tokenizer(models.WordLevel({"</s>": 0, "我": 1}, unk_token="</s>"))
    backend.decoder = decoders.WordPiece()
    assert Letters.of(PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="</s>"), 2) is None
