"""How much of a text is copied from the training texts: the longest run of letters, and word n-grams."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from pydivsufsort import divsufsort, sa_search

from samizdat.measures.arrays import Counts
from samizdat.measures.diversity import ngrams
from samizdat.measures.words import letters, split_words

# Word n-grams of this length are looked up in the training texts.
NGRAM_WORDS = 4
# UTF-8 has neither of these bytes: no run goes from one training text into the next, and no run has an unknown letter.
_BETWEEN, _UNKNOWN = b"\xff", b"\xfe"


@dataclass(frozen=True)
class Match:
    """A run of letters that a text and a training text have in common."""

    letters: int  # white space in a row is one
    start: int  # where it begins and ends in the text, in code points
    end: int
    training_text: int  # number of the first training text with that run
    training_start: int  # where it begins and ends there, in code points
    training_end: int


class Copies:
    """A suffix array of training texts, to find the longest run of letters that another text shares with them.

    A letter is what readers see as one (`words.letters`), with all its marks, however they are encoded: so no run
    begins or ends within a letter. White space in a row, of whatever kind, is one blank.

    It needs five bytes of memory for each byte of the texts (Manber and Myers, SIAM J. Comput. 22, 1993; built by
    libdivsufsort).
    """

    def __init__(self, texts: Iterable[str]):
        """Index the training texts, which are numbered in their order."""
        self._texts = list(texts)
        self._marked: dict[str, bytes] = {}  # a letter of several code points → its bytes
        joined, starts = BytesIO(), [0]
        for text in self._texts:
            joined.write(self._indexed(text))
            starts.append(joined.tell() + 1)
            joined.write(_BETWEEN)
        joined.truncate(max(joined.tell() - 1, 0))
        self._starts, self._bytes = np.array(starts), joined.getvalue()
        self._suffixes = divsufsort(self._bytes) if self._bytes else np.zeros(0, np.int32)

    def longest(self, text: str, beyond: int = 0) -> Match | None:
        """Find the longest run of letters that a training text has too, the first of several.

        Args:
            text: what is searched for copies.
            beyond: only a run of more letters is of interest; None where there is none.
        """
        pieces = letters(text)
        codes = [self._code(piece) for piece in pieces]
        best, found = beyond, None
        for start in range(len(codes)):
            # Only a longer run is of interest, so most starts need one look-up. A run that is found is made longer by
            # steps that double and then halve, so that a run of a million letters needs forty look-ups.
            step, growing = 1, True
            while step:
                run = codes[start : start + best + step]
                where = self._look_up(b"".join(run)) if len(run) == best + step else None
                if where is not None:
                    best += step
                    found = (start, where)
                growing = growing and where is not None
                step = step * 2 if growing else step // 2
        if found is None:
            return None
        start, (first, count) = found
        place = int(self._suffixes[first : first + count].min())
        number = int(np.searchsorted(self._starts, place, side="right")) - 1
        before = np.frombuffer(self._bytes[self._starts[number] : place], np.uint8)
        there = int(((before & 0xC0) != 0x80).sum())  # each letter has one byte that doesn't go on with another
        return Match(
            best, *_place(pieces, start, best), number, *_place(letters(self._texts[number]), there, best)
        )  # fmt: skip

    def _indexed(self, text: str) -> bytes:
        if text.isascii():
            return re.sub(r"\s+", " ", text).encode()
        pieces = letters(text)
        for letter in (unicodedata.normalize("NFC", piece) for piece in pieces):
            if len(letter) > 1 and not letter.isspace() and letter not in self._marked:
                self._marked[letter] = _beyond_utf8(len(self._marked))
        return b"".join(map(self._code, pieces))

    def _code(self, letter: str) -> bytes:
        if letter.isspace():
            return b" "
        letter = unicodedata.normalize("NFC", letter)
        return letter.encode() if len(letter) == 1 else self._marked.get(letter, _UNKNOWN)

    def _look_up(self, run: bytes) -> tuple[int, int] | None:
        """Find the suffixes that begin with a run: the place of the first one in the array, and their number."""
        if not self._bytes:
            return None
        count, first = sa_search(self._bytes, self._suffixes, run)
        return (first, count) if count else None


def _beyond_utf8(number: int) -> bytes:
    """Encode a number in five bytes as UTF-8 once did (RFC 2279); no character has these."""
    return bytes([0xF8 | number >> 24, *(0x80 | number >> shift & 0x3F for shift in (18, 12, 6, 0))])


def _place(pieces: Sequence[str], first: int, number: int) -> tuple[int, int]:
    """Return where a run of letters begins and ends, in code points."""
    start = sum(map(len, pieces[:first]))
    return start, start + sum(map(len, pieces[first : first + number]))


def known_words(texts: Sequence[Sequence[str]], training_texts: Iterable[str]) -> tuple[Counts, Counts]:
    """Count the words and word n-grams of each text that the training texts have too.

    Args:
        texts: words of each text, from `split_words`.
        training_texts: the training texts; they are read once, and their words are not kept.

    Returns:
        Known words and all words of each text, `[texts, 2]`; the same for n-grams of NGRAM_WORDS words, `[texts, 2]`.
    """
    words = {word for text in texts for word in text}
    runs = {run for text in texts for run in ngrams(text, NGRAM_WORDS)}
    found_words: set[str] = set()
    found_runs: set[tuple[str, ...]] = set()
    for text in training_texts:
        there = split_words(text)
        found_words.update(words.intersection(there))
        found_runs.update(runs.intersection(ngrams(there, NGRAM_WORDS)))
    of_words = [(sum(word in found_words for word in text), len(text)) for text in texts]
    of_runs = [
        (sum(run in found_runs for run in own), len(own)) for own in (ngrams(text, NGRAM_WORDS) for text in texts)
    ]
    return np.array(of_words, np.int64).reshape(-1, 2), np.array(of_runs, np.int64).reshape(-1, 2)
