"""How varied texts are: distinct n-grams, self-BLEU, and loops."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from samizdat.measures.arrays import Counts, Floats

BLOCK_WORDS = 200
REFERENCES = 50
LONGEST_NGRAM = 4
LOOP_PHRASE_WORDS = 2
LOOP_TIMES = 3
# Used in place of a count of zero in a BLEU score.
_NO_MATCH = 0.1


def ngrams(words: Sequence[str], length: int) -> list[tuple[str, ...]]:
    """List all runs of `length` words."""
    return list(zip(*(words[start:] for start in range(length)), strict=False))


def distinct(texts: Sequence[Sequence[str]], length: int) -> Counts:
    """Count different n-grams and all n-grams in each block of BLOCK_WORDS successive words, `[blocks, 2]`.

    Distinct-n (Li et al., NAACL 2016) is smaller for more words, so it is counted in blocks of one size, like the
    segmental type-token ratio (Johnson, Psychological Monographs 56, 1944). No n-gram goes from one text into the
    next. Words after the last whole block are left out.
    """
    return np.array([_distinct(block, length) for block in _blocks(texts)], np.int64).reshape(-1, 2)


def _distinct(block: list[Sequence[str]], length: int) -> tuple[int, int]:
    found = [run for piece in block for run in ngrams(piece, length)]
    return len(set(found)), len(found)


def _blocks(texts: Sequence[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    block: list[Sequence[str]] = []
    room = BLOCK_WORDS
    for words in texts:
        start = 0
        while len(words) - start >= room:
            yield [*block, words[start : start + room]]
            block, start, room = [], start + room, BLOCK_WORDS
        block.append(words[start:])
        room -= len(words) - start


def self_bleu(texts: Sequence[Sequence[str]], random: np.random.Generator) -> Floats:
    """Compute how similar each text is to REFERENCES other texts, drawn at random: its BLEU with them, `[texts]`.

    Self-BLEU (Zhu et al., Texygen, SIGIR 2018) with equal weights for n-grams of one to four words, the brevity
    penalty of the nearest length (Papineni et al., ACL 2002), and 0.1 for a count of zero (Chen and Cherry, WMT
    2014, method 1). It rises with the number of references, so this number is fixed. Texts with fewer than four
    words have no score (NaN). With fewer than REFERENCES + 1 texts, no text has a score.
    """
    if len(texts) <= REFERENCES:
        return np.full(len(texts), np.nan)
    counts = [[Counter(ngrams(words, length)) for length in range(1, LONGEST_NGRAM + 1)] for words in texts]
    scores = []
    for number, words in enumerate(texts):
        drawn = random.choice(len(texts) - 1, REFERENCES, replace=False)
        others = [int(other) + (other >= number) for other in drawn]
        scores.append(
            _bleu(words, counts[number], [counts[other] for other in others], [len(texts[o]) for o in others])
        )
    return np.array(scores)


def _bleu(
    words: Sequence[str],
    own: list[Counter[tuple[str, ...]]],
    references: list[list[Counter[tuple[str, ...]]]],
    lengths: list[int],
) -> float:
    if len(words) < LONGEST_NGRAM:
        return np.nan
    logarithms = []
    for order, counts in enumerate(own):
        most: Counter[tuple[str, ...]] = Counter()  # of each n-gram, in one reference
        for reference in references:
            for run in counts.keys() & reference[order].keys():
                most[run] = max(most[run], reference[order][run])
        matched = (counts & most).total()
        logarithms.append(np.log((matched or _NO_MATCH) / counts.total()))
    nearest = min(lengths, key=lambda length: (abs(length - len(words)), length))
    brevity = min(0.0, 1 - nearest / len(words))
    return float(np.exp(brevity + np.mean(logarithms)))


def loops(words: Sequence[str]) -> bool:
    """Whether a phrase of two words or more comes three times in a row (Holtzman et al., ICLR 2020, section 4.2)."""
    for length in range(LOOP_PHRASE_WORDS, len(words) // LOOP_TIMES + 1):
        run = 0
        for place in range(length, len(words)):
            run = run + 1 if words[place] == words[place - length] else 0
            if run == length * (LOOP_TIMES - 1):
                return True
    return False
