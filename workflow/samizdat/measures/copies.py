"""How much of a text is copied from the training texts: the longest run of characters, and word n-grams."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from pydivsufsort import divsufsort, sa_search

from samizdat.measures.arrays import Counts
from samizdat.measures.diversity import ngrams
from samizdat.measures.words import split_words

# Word n-grams of this length are looked up in the training texts.
NGRAM_WORDS = 4
# UTF-8 never has this byte, so no run goes from one training text into the next.
_BETWEEN = b"\xff"


@dataclass(frozen=True)
class Match:
    """A run of characters that a text and a training text have in common."""

    start: int  # where it begins in the text, in characters
    characters: int
    training_text: int  # number of the first training text with that run
    offset: int  # where it begins there, in characters


class Copies:
    """A suffix array of all training texts, to find the longest run that another text shares with them.

    It needs five bytes of memory for each byte of the texts (Manber and Myers, SIAM J. Comput. 22, 1993; built by
    libdivsufsort).
    """

    def __init__(self, texts: Iterable[str]):
        """Index the training texts, which are numbered in their order."""
        parts = [text.encode("utf-8", errors="surrogatepass") for text in texts]
        self._starts = np.cumsum([0, *(len(part) + 1 for part in parts)])
        self._bytes = _BETWEEN.join(parts)
        del parts
        self._suffixes = divsufsort(self._bytes) if self._bytes else np.zeros(0, np.int32)

    def longest(self, text: str) -> Match | None:
        """Find the longest run of characters that a training text has too, the first of several; None without any."""
        best, found = 0, None
        for start in range(len(text)):
            # Only a longer run is of interest, so most starts need one look-up. A run that is found is made longer by
            # steps that double and then halve, so that a run of a million characters needs forty look-ups.
            step, growing = 1, True
            while step:
                run = text[start : start + best + step]
                where = self._look_up(run) if len(run) == best + step else None
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
        before = self._bytes[self._starts[number] : place]
        return Match(start, best, number, len(before.decode("utf-8", errors="surrogatepass")))

    def _look_up(self, run: str) -> tuple[int, int] | None:
        """Find the suffixes that begin with a run: the place of the first one in the array, and their number."""
        if not self._bytes:
            return None
        count, first = sa_search(self._bytes, self._suffixes, run.encode("utf-8", errors="surrogatepass"))
        return (first, count) if count else None


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
