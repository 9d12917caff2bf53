"""Find passages of the corpus in samples, for reports that must not show the corpus."""

from collections.abc import Iterable

from samizdat.measures.words import split_words

# A sample repeats a text when it has so many words in a row of it.
RUN_WORDS = 6
# A text with fewer words is repeated when a sample has all of it. Texts shorter than this are not looked for.
SHORTEST_TEXT_WORDS = 3


class Originals:
    """The runs of words that samples have in common with the corpus, which is read once and not kept."""

    def __init__(self, texts: Iterable[str], samples: Iterable[str]):
        """Look in the texts for what the samples say, in lower case and without punctuation."""
        words = [split_words(sample) for sample in samples]
        runs = {run for one in words for run in _runs(one, RUN_WORDS)}
        short = {run for one in words for length in range(SHORTEST_TEXT_WORDS, RUN_WORDS) for run in _runs(one, length)}
        self._found: set[tuple[str, ...]] = set()
        for text in texts:
            own = split_words(text)
            self._found.update(short.intersection([tuple(own)]), runs.intersection(_runs(own, RUN_WORDS)))

    def occur_in(self, sample: str) -> bool:
        """Say whether one of the samples repeats a short text as a whole, or six words in a row of a longer one."""
        words = split_words(sample)
        return any(
            run in self._found for length in range(SHORTEST_TEXT_WORDS, RUN_WORDS + 1) for run in _runs(words, length)
        )


def _runs(words: list[str], length: int) -> list[tuple[str, ...]]:
    """List all runs of `length` words."""
    return [tuple(words[start : start + length]) for start in range(len(words) - length + 1)]
