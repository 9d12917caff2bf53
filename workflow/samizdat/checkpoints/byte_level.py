"""Byte-level vocabularies: each character of a token stands for one byte of UTF-8."""

from functools import cache

from tokenizers import decoders, pre_tokenizers
from transformers import PreTrainedTokenizerFast

_BYTES = 256  # that there are


@cache
def bytes_of_characters() -> dict[str, int]:
    """Return the byte that each character of a byte-level vocabulary is (Radford et al. 2019).

    Bytes that Latin-1 prints are written as they are; the others, in order, are the characters from 256 on.
    """
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    printed = {character: ord(character) for character in alphabet if ord(character) < _BYTES}
    others = sorted(set(range(_BYTES)) - set(printed.values()))
    return printed | {chr(_BYTES + number): byte for number, byte in enumerate(others)}


def bytes_of_tokens(tokenizer: PreTrainedTokenizerFast) -> dict[int, bytes] | None:
    """Return the bytes of each token of a vocabulary, by number; None if its tokens are no bytes."""
    if not isinstance(tokenizer.backend_tokenizer.decoder, decoders.ByteLevel):
        return None
    added = tokenizer.added_tokens_decoder
    return {
        number: token.encode() if number in added else _spelled(token)
        for token, number in tokenizer.get_vocab().items()
    }


def _spelled(token: str) -> bytes:
    """Return the bytes of a token; one with a character that stands for no byte is decoded as it is written."""
    found = [bytes_of_characters().get(character) for character in token]
    return token.encode() if None in found else bytes(byte for byte in found if byte is not None)
