"""The corpus's own words in samples, found where the corpus must not be shown."""

from collections.abc import Iterable

from samizdat.measures.diversity import split_words

# A run of this many words of a corpus text counts as the text's own, a shorter text as a whole.
RUN_WORDS = 6
SHORTEST_TEXT_WORDS = 3


class Originals:
    """Every run of words that a corpus text holds, to look samples up in."""

    def __init__(self, texts: Iterable[str]):
        """Index the texts by their words, in lower case and without punctuation."""
        self._runs: set[int] = set()
        self._short: set[tuple[str, ...]] = set()
        for text in texts:
            words = split_words(text)
            if SHORTEST_TEXT_WORDS <= len(words) < RUN_WORDS:
                self._short.add(tuple(words))
            self._runs.update(hash(run) for run in _runs(words, RUN_WORDS))

    def stand_in(self, text: str) -> bool:
        """Whether the text repeats a short corpus text as a whole, or a long run of words of one."""
        words = split_words(text)
        if any(hash(run) in self._runs for run in _runs(words, RUN_WORDS)):
            return True
        return any(
            run in self._short for length in range(SHORTEST_TEXT_WORDS, RUN_WORDS) for run in _runs(words, length)
        )


def _runs(words: list[str], length: int) -> list[tuple[str, ...]]:
    return [tuple(words[start : start + length]) for start in range(len(words) - length + 1)]
