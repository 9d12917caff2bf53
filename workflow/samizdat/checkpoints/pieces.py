"""Cut a text as a tokenizer does, so that the pieces together are the text."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from transformers import PreTrainedTokenizerFast

from samizdat.checkpoints.byte_level import bytes_of_tokens
from samizdat.checkpoints.encoding import encode_with_offsets


def pieces_of(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> Iterator[tuple[list[int], list[bytes]]]:
    """Yield the tokens of each text, as `encoding.encode` does, and the bytes of UTF-8 that each stands for.

    The tokens of a byte-level vocabulary are bytes. Of any other, what is between two tokens, such as a blank, belongs
    to the second one, and what follows the last token belongs to that.
    """
    spelled = bytes_of_tokens(tokenizer)
    encoded = encode_with_offsets(tokenizer, texts)
    for text, tokens, offsets in zip(texts, encoded["input_ids"], encoded["offset_mapping"], strict=True):
        pieces = [spelled[token] for token in tokens] if spelled else []
        if b"".join(pieces) != text.encode() or not pieces:
            ends = [0]
            for _, end in offsets:
                ends.append(max(ends[-1], end))
            ends[-1] = len(text)
            pieces = [text[begin:end].encode() for begin, end in pairwise(ends)]
        yield tokens, pieces


def shown(piece: bytes) -> str:
    r"""Write the bytes of a token: its characters, and a byte that is only a part of a character as `\xe2`."""
    return piece.decode(errors="backslashreplace")
