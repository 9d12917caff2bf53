"""What a page needs to encode texts as a byte-level BPE tokenizer of the library `tokenizers` does."""

import json
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, pre_tokenizers

from samizdat.base.errors import UserError
from samizdat.checkpoints.byte_level import bytes_of_characters

# What a model of byte-level BPE must not have, or have as here: the page knows nothing else.
_PLAIN_BPE = {
    "type": "BPE", "dropout": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
    "byte_fallback": False, "ignore_merges": False,
}  # fmt: skip
_CLASSES = {"letters": r"\p{L}+", "numbers": r"\p{N}+", "blanks": r"\s+"}
_SURROGATES = range(0xD800, 0xE000)
# Unicode has letters, numbers and blanks in its first four planes alone; the others have none, or nothing yet.
_PLANES_END = 0x40000


def tokenizer_facts(file: Path, *, boundary: int, vocabulary_size: int) -> dict[str, Any]:
    """Describe a tokenizer for the page, as JSON.

    Args:
        file: its `tokenizer.json`.
        boundary: the token that begins and ends a text.
        vocabulary_size: tokens that the model knows.

    Returns:
        `vocabulary`, each token by its number, in characters of `alphabet`, which has one for each byte; `merges`, the
        numbers of the left and the right token, in turn; `boundary`; and the first and last code points of the runs of
        `letters`, `numbers` and `blanks`, by which a text is cut before it is encoded.

    Raises:
        UserError: it is another kind of tokenizer.
    """
    tokenizer = json.loads(Tokenizer.from_file(str(file)).to_str())
    model, cut = tokenizer["model"], tokenizer["pre_tokenizer"] or {}
    alphabet = sorted(bytes_of_characters(), key=bytes_of_characters().__getitem__)
    if (
        tokenizer["normalizer"] is not None
        or any(model.get(key, value) != value for key, value in _PLAIN_BPE.items())
        or not set(alphabet) <= set(model["vocab"])
        or (cut.get("type"), cut.get("add_prefix_space"), cut.get("use_regex")) != ("ByteLevel", False, True)
        or any(not token["special"] for token in tokenizer["added_tokens"])
    ):
        raise UserError(
            f"{file} is another kind of tokenizer than the page knows, which is byte-level BPE as in GPT-2",
            remedy="name a model with such a tokenizer under `play` in the config, or set `play: null`",
        )
    special = {token["content"] for token in tokenizer["added_tokens"]}
    vocabulary: list[str | None] = [None] * vocabulary_size
    for token, number in model["vocab"].items():
        if number < vocabulary_size and token not in special:
            vocabulary[number] = token
    merges = [model["vocab"][part] for pair in model["merges"] for part in pair]
    return {
        "alphabet": "".join(alphabet),
        "vocabulary": vocabulary,
        "merges": merges,
        "boundary": boundary,
    } | {name: _runs(pattern) for name, pattern in _CLASSES.items()}


def _runs(pattern: str) -> list[tuple[int, int]]:
    """Return the first and last code points of the runs of characters that a pattern of the library matches."""
    every = "".join(chr(code) for code in range(_PLANES_END) if code not in _SURROGATES)
    pieces = pre_tokenizers.Split(Regex(pattern), "isolated").pre_tokenize_str(every)
    # Pieces that match and pieces that don't take turns, and the first character, U+0000, is in no class.
    return [(ord(piece[0]), ord(piece[-1])) for piece, _ in pieces[1::2]]
