"""Words: the one definition for all that splits, counts or measures them.

Words are the segments with a letter or a digit that Unicode's rules find (Unicode Standard Annex 29, Text
Segmentation), as the library ICU implements them. Marks and joiners belong to their letter. Where a script has no
blanks between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese), ICU's dictionaries find them.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import islice

from icu4py.breakers import CharacterBreaker, WordBreaker

# The rules of Unicode without those of one language.
_LOCALE = "root"


def split_words(text: str) -> list[str]:
    """Split a text into its words, in lower case and in the normal form NFC, without the punctuation between them.

    An apostrophe inside a word is the straight one, however the text writes it.
    """
    folded = unicodedata.normalize("NFC", text).casefold().replace("’", "'")
    return [piece for piece in WordBreaker(unicodedata.normalize("NFC", folded), _LOCALE) if _is_word(piece)]


def first_words(text: str, number: int) -> str | None:
    """Return the beginning of a text with so many words; None if the text has no further word.

    Punctuation behind the last of these words is part of it, if no other word follows without a blank.
    """
    # The first words of a whole book are found without reading it to its end.
    ends = list(islice((end for _, end, word in _segments(text) if word), number + 1))
    if len(ends) <= number:
        return None
    behind = re.compile(r"\S*").match(text, ends[number - 1])
    return text[: ends[number - 1]] + ("" if behind is None or _is_word(behind[0]) else behind[0])


def letters(text: str) -> list[str]:
    """Cut a text into what readers see as letters (Unicode's grapheme clusters), white space in a row into one piece.

    A letter has its marks with it; a conjunct of an Indic script is one letter.
    """
    pieces: list[str] = []
    for piece in CharacterBreaker(text, _LOCALE):
        if pieces and piece.isspace() and pieces[-1].isspace():
            pieces[-1] += piece
        else:
            pieces.append(piece)
    return pieces


def gaps(text: str) -> list[int]:
    """List the places where a text can be cut: before the last of several blanks, and between words without one."""
    found = []
    after_word = False
    for start, end, word in _segments(text):
        if text[start:end].isspace():
            found.append(end - 1)
        elif word and after_word:
            found.append(start)
        after_word = word
    return found


def word_spans(text: str) -> list[tuple[int, int]]:
    """List the begin and the end of each word of a text as it is written."""
    return [(start, end) for start, end, word in _segments(text) if word]


def _segments(text: str) -> Iterator[tuple[int, int, bool]]:
    """Yield the start and end of each segment of a text, and whether it is a word."""
    start = 0
    for piece in WordBreaker(text, _LOCALE):
        yield start, start + len(piece), _is_word(piece)
        start += len(piece)


def _is_word(piece: str) -> bool:
    return any(map(str.isalnum, piece))
