"""The continuation of a prompt, in pieces as it grows."""

from samizdat.checkpoints.encoding import encode, load_tokenizer
from samizdat.models.make_tokenizer import TokenizerSettings, make_tokenizer
from samizdat.samples.stream import pieces
from support.small_corpus import write_texts


def test_a_text_is_shown_as_it_grows_and_in_whole_characters(tmp_path):
    texts = write_texts([f"letter {number}: ein schöner Tag 🐻" for number in range(12)], tmp_path / "texts.parquet")
    make_tokenizer(TokenizerSettings("own", "train", 300, None, None), texts, None, tmp_path / "own")
    tokenizer = load_tokenizer(tmp_path / "own")
    text = "Tag 🐻 schöner\r\nTag 🦊"
    (tokens,) = encode(tokenizer, [text])
    given, *grown = pieces(tokenizer, tokens[:1], tokens[1:])
    assert given + "".join(grown) == text and len(grown) > 8
    assert all("\ufffd" not in piece and not piece.endswith("\r") for piece in grown)
    # A character that never comes to an end is shown as what it is.
    (fox,) = encode(tokenizer, ["🦊"])
    assert "".join(pieces(tokenizer, (), fox[:-1])).strip("\ufffd") == ""
    assert "".join(pieces(tokenizer, (), fox[:-1])) != ""
