"""An n-gram model of bytes: interpolated Kneser–Ney smoothing (Chen and Goodman, Computer Speech & Language 13, 1999).

It predicts each byte of a text, and that the text ends, from the ORDER - 1 symbols before. Where it has never seen
these, it asks the model of one symbol less, down to all symbols being equally probable, so no text is impossible.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# An n-gram is one 64-bit number with BITS bits for each symbol, so ORDER can be 7 at most.
ORDER, BITS = 6, 9
# Symbols that are predicted: the 256 bytes and the end of a text. ORDER - 1 beginnings are before each text.
END, SYMBOLS, BEGINNING = 256, 257, 257
# Symbols of held-out texts that are looked up at once.
CHUNK = 1 << 20
# Of an order without counts of 1 or 2 to estimate it from.
DEFAULT_DISCOUNT = 0.75


@dataclass(frozen=True)
class _Order:
    """The n-grams of one length, as sorted numbers, and what follows each of their contexts."""

    ngrams: np.ndarray
    counts: np.ndarray  # of each n-gram; in the shorter ones, by how many symbols it is extended to the left
    contexts: np.ndarray
    totals: np.ndarray  # of each context: the sum of the counts of its n-grams
    kinds: np.ndarray  # of each context: how many symbols follow it
    discount: float


class ByteNgrams:
    """The model, estimated from texts."""

    def __init__(self, texts: Sequence[bytes]):
        """Count the n-grams of the texts. It takes about 50 bytes of memory for each byte."""
        ngrams, counts = np.unique(_ngrams(_symbols(texts)), return_counts=True)
        orders = [_order(ngrams, counts)]
        for length in range(ORDER - 1, 0, -1):
            ngrams, counts = np.unique(ngrams & _mask(length), return_counts=True)
            orders.append(_order(ngrams, counts))
        self._orders = orders[::-1]

    def bits(self, texts: Sequence[bytes]) -> float:
        """Return how many bits the model needs for all texts with their ends."""
        symbols = _symbols(texts)
        starts = range(0, max(len(symbols) - ORDER + 1, 0), CHUNK)
        return float(sum(self._bits(symbols[start : start + CHUNK + ORDER - 1]) for start in starts))

    def _bits(self, symbols: np.ndarray) -> float:
        """Return the bits for the symbols from number ORDER - 1 on."""
        wanted = _ngrams(symbols)
        probabilities = np.full(len(wanted), 1 / SYMBOLS)
        for length, order in enumerate(self._orders, start=1):
            ngrams = wanted & _mask(length)
            context, known = _find(order.contexts, ngrams >> BITS)
            ngram, seen = _find(order.ngrams, ngrams)
            own = np.where(seen, order.counts[ngram] - order.discount, 0)
            shared = order.discount * order.kinds[context] * probabilities
            probabilities = np.where(known, (own + shared) / order.totals[context], probabilities)
        return float(-np.log2(probabilities).sum())


def _symbols(texts: Sequence[bytes]) -> np.ndarray:
    """Join texts as symbols: the beginnings, the bytes and the end of each."""
    lengths = np.array([len(text) for text in texts], np.int64)
    symbols = np.full(lengths.sum() + ORDER * len(texts), BEGINNING, np.uint16)
    symbols[np.cumsum(lengths + ORDER) - 1] = END
    own = np.arange(lengths.sum()) + np.repeat(ORDER * np.arange(len(texts)) + ORDER - 1, lengths)
    symbols[own] = np.frombuffer(b"".join(texts), np.uint8)
    return symbols


def _ngrams(symbols: np.ndarray) -> np.ndarray:
    """Return the n-gram that ends at each symbol that is predicted, from number ORDER - 1 on."""
    found = np.zeros(len(symbols) - ORDER + 1, np.int64)
    for place in range(ORDER):
        found = found << BITS | symbols[place : place + len(found)]
    ngrams: np.ndarray = found[symbols[ORDER - 1 :] != BEGINNING]
    return ngrams


def _order(ngrams: np.ndarray, counts: np.ndarray) -> _Order:
    contexts, firsts, kinds = np.unique(ngrams >> BITS, return_index=True, return_counts=True)
    once, twice = (int((counts == number).sum()) for number in (1, 2))
    discount = once / (once + 2 * twice) if once and twice else DEFAULT_DISCOUNT
    return _Order(ngrams, counts, contexts, np.add.reduceat(counts, firsts), kinds, discount)


def _find(ordered: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the place of each wanted number, and whether it is there."""
    places = np.searchsorted(ordered, wanted).clip(max=len(ordered) - 1)
    return places, ordered[places] == wanted


def _mask(length: int) -> int:
    return (1 << BITS * length) - 1
