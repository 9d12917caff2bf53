"""Find passages of the corpus in samples, for reports that must not show the corpus."""

from collections.abc import Iterable

from samizdat.measures.words import split_words

# A sample repeats a text when it has so many words in a row of it.
RUN_WORDS = 6
# A text with fewer words is repeated when a sample has all of it. Texts shorter than this are not looked for.
SHORTEST_TEXT_WORDS = 3


class Originals:
    """An index of the corpus by runs of words, to look samples up in."""

    def __init__(self, texts: Iterable[str]):
        """Index the texts by their words, in lower case and without punctuation."""
        self._runs: set[int] = set()
        self._short: set[tuple[str, ...]] = set()
        for text in texts:
            words = split_words(text)
            if SHORTEST_TEXT_WORDS <= len(words) < RUN_WORDS:
                self._short.add(tuple(words))
            self._runs.update(hash(run) for run in _runs(words, RUN_WORDS))

    def occur_in(self, text: str) -> bool:
        """Say whether a sample repeats a short corpus text as a whole, or six words in a row of a longer one."""
        words = split_words(text)
        if any(hash(run) in self._runs for run in _runs(words, RUN_WORDS)):
            return True
        return any(
            run in self._short for length in range(SHORTEST_TEXT_WORDS, RUN_WORDS) for run in _runs(words, length)
        )


def _runs(words: list[str], length: int) -> list[tuple[str, ...]]:
    """List all runs of `length` words."""
    return [tuple(words[start : start + length]) for start in range(len(words) - length + 1)]
