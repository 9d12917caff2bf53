"""The corpus's own words in samples, found where the corpus must not be shown."""

import re
from collections.abc import Iterable

# A run of this many words of a corpus text counts as the text's own, a shorter text as a whole.
RUN_WORDS = 6
SHORTEST_TEXT_WORDS = 3
# Scripts that put no blanks between words count by letters: Thai to Khmer, Chinese, Japanese.
_LETTERS = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_LETTERS}]|[^\W{_LETTERS}]+")


class Originals:
    """Every run of words that a corpus text holds, to look samples up in."""

    def __init__(self, texts: Iterable[str]):
        """Index the texts by their words, in lower case and without punctuation."""
        self._runs: set[int] = set()
        self._short: set[tuple[str, ...]] = set()
        for text in texts:
            words = _words(text)
            if SHORTEST_TEXT_WORDS <= len(words) < RUN_WORDS:
                self._short.add(tuple(words))
            self._runs.update(hash(run) for run in _runs(words, RUN_WORDS))

    def stand_in(self, text: str) -> bool:
        """Whether the text repeats a short corpus text as a whole, or a long run of words of one."""
        words = _words(text)
        if any(hash(run) in self._runs for run in _runs(words, RUN_WORDS)):
            return True
        return any(
            run in self._short for length in range(SHORTEST_TEXT_WORDS, RUN_WORDS) for run in _runs(words, length)
        )


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _runs(words: list[str], length: int) -> list[tuple[str, ...]]:
    return [tuple(words[start : start + length]) for start in range(len(words) - length + 1)]
