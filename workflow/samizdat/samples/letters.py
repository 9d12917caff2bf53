"""Which tokens may follow, so that a text has whole letters alone: a token of bytes may end within a letter."""

import re

import numpy as np
import torch
from transformers import PreTrainedTokenizerFast

from samizdat.checkpoints.byte_level import bytes_of_tokens
from samizdat.samples.checkpoint import text_of

# The states of a text in UTF-8, by what must follow (Unicode Standard 16, Table 3-7, Well-Formed UTF-8 Byte
# Sequences). Each has the bytes that may follow, as ranges, and the state after them.
WHOLE, IMPOSSIBLE = 0, 8
_ONE, _TWO, _AFTER_E0, _AFTER_ED, _THREE, _AFTER_F0, _AFTER_F4 = range(1, 8)
_FOLLOWING = {
    WHOLE: (
        (0x00, 0x7F, WHOLE), (0xC2, 0xDF, _ONE), (0xE0, 0xE0, _AFTER_E0), (0xE1, 0xEC, _TWO), (0xED, 0xED, _AFTER_ED),
        (0xEE, 0xEF, _TWO), (0xF0, 0xF0, _AFTER_F0), (0xF1, 0xF3, _THREE), (0xF4, 0xF4, _AFTER_F4),
    ),
    _ONE: ((0x80, 0xBF, WHOLE),),
    _TWO: ((0x80, 0xBF, _ONE),),
    _AFTER_E0: ((0xA0, 0xBF, _ONE),),
    _AFTER_ED: ((0x80, 0x9F, _ONE),),
    _THREE: ((0x80, 0xBF, _TWO),),
    _AFTER_F0: ((0x90, 0xBF, _TWO),),
    _AFTER_F4: ((0x80, 0x8F, _TWO),),
}  # fmt: skip
# A letter has at most 4 bytes: with 3 tokens left, one byte each, every letter can be finished.
_LONGEST_WAY = 3
_PADDING = 256  # stands for no byte
# How vocabularies of whole letters write a byte of a letter that they lack.
_BYTE = re.compile("<0x([0-9A-F]{2})>")
# All that Python does not read as half of a surrogate pair, which stands for a byte that is no part of a whole letter.
_WHOLE_LETTERS = re.compile("[^\udc80-\udcff]+")


class Letters:
    """The tokens of a vocabulary that may follow, by state of the text and number of tokens left."""

    def __init__(self, tokens: list[bytes | None], boundary: int):
        """Find them.

        Args:
            tokens: the bytes of each token; None for a token that no text may have.
            boundary: the token that ends a text. It may only follow whole letters.
        """
        self._after = _states_after(tokens)
        self._after[:, boundary] = IMPOSSIBLE
        self._after[WHOLE, boundary] = WHOLE
        way = _shortest_ways(self._after)[self._after]
        self._forbidden = torch.from_numpy(way[None] > np.arange(_LONGEST_WAY + 1)[:, None, None])

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerFast, vocabulary: int) -> "Letters | None":
        """Read a tokenizer's vocabulary; None if none of its tokens are bytes, so that all are whole letters.

        Args:
            tokenizer: its end-of-sequence token is the boundary.
            vocabulary: tokens that the model knows; those that the tokenizer lacks are forbidden.
        """
        spelled = bytes_of_tokens(tokenizer) or _with_single_bytes(tokenizer)
        if spelled is None:
            return None
        return cls([spelled.get(number) for number in range(vocabulary)], tokenizer.eos_token_id)

    def to(self, device: torch.device) -> "Letters":
        """Move the table to the device of the model; return it."""
        self._forbidden = self._forbidden.to(device)
        return self

    def after(self, state: int, token: int) -> int:
        """Return the state of a text after one more token."""
        return int(self._after[state, token])

    def forbid(self, scores: torch.Tensor, states: list[int], left: list[int]) -> torch.Tensor:
        """Make the tokens impossible that may not follow.

        Args:
            scores: logits `[n, vocabulary]`.
            states: of the texts.
            left: tokens that each text may have after the next one; with them its last letter must become whole.
        """
        rows = torch.tensor([states, [min(number, _LONGEST_WAY) for number in left]]).to(scores.device)
        return scores.masked_fill(self._forbidden[rows[1], rows[0]], -torch.inf)


def _with_single_bytes(tokenizer: PreTrainedTokenizerFast) -> dict[int, bytes] | None:
    """Return the bytes of each token of a vocabulary that spells rare letters byte by byte; None if it doesn't."""
    vocabulary = tokenizer.get_vocab()
    lead, end = (vocabulary.get(f"<0x{byte:02X}>") for byte in "é".encode())
    if lead is None or end is None or text_of(tokenizer, [lead, end]) != "é":
        return None
    return {
        number: bytes.fromhex(byte[1]) if (byte := _BYTE.fullmatch(token)) else token.encode()
        for token, number in vocabulary.items()
    }


def _shortened(token: bytes) -> bytes:
    """Write one letter in the place of all whole letters in a row: the states are the same, and tokens may be long."""
    return _WHOLE_LETTERS.sub("a", token.decode(errors="surrogateescape")).encode(errors="surrogateescape")


def _states_after(tokens: list[bytes | None]) -> np.ndarray:
    """Return the state of a text after each token, for each state before it, `[9, tokens]`."""
    following = np.full((IMPOSSIBLE + 1, _PADDING + 1), IMPOSSIBLE, np.uint8)
    following[:, _PADDING] = range(IMPOSSIBLE + 1)
    for state, ranges in _FOLLOWING.items():
        for first, last, after in ranges:
            following[state, first : last + 1] = after
    short = [_shortened(token or b"") for token in tokens]
    longest = max(map(len, short))
    spelled = np.full((len(tokens), longest), _PADDING, np.uint16)
    for number, token in enumerate(short):
        spelled[number, : len(token)] = list(token)
    states = np.repeat(np.arange(IMPOSSIBLE + 1, dtype=np.uint8)[:, None], len(tokens), axis=1)
    for place in range(longest):
        states = following[states, spelled[:, place]]
    states[:, [number for number, token in enumerate(tokens) if not token]] = IMPOSSIBLE
    return states


def _shortest_ways(after: np.ndarray) -> np.ndarray:
    """Return the fewest tokens of the vocabulary that make the last letter whole, for each state, `[9]`."""
    never = np.iinfo(np.uint8).max
    ways = np.full(IMPOSSIBLE + 1, never, np.int64)
    ways[WHOLE] = 0
    for _ in range(_LONGEST_WAY):
        ways[1:] = np.minimum(ways, ways[after].min(axis=1) + 1)[1:]
    return np.where(ways > _LONGEST_WAY, never, ways)
