"""Find texts that are nearly the same: equal but for case, blanks and punctuation, or nearly all runs shared."""

import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from samizdat.measures.arrays import Counts

# Two texts are near-duplicates if of all their different runs of SHINGLE characters they share this part (Jaccard).
NEAR = 0.8
SHINGLE = 5
SHORTEST = 24  # characters; shorter texts are compared for equality only
# MinHash signatures of 16 bands of 5 numbers: a pair at NEAR is found with probability 1 − (1 − 0.8⁵)¹⁶ = 0.998.
BANDS, ROWS = 16, 5
BATCH_CHARACTERS = 100_000
# Texts that agree in a band are compared each with each, about so many at once, of about so many characters together:
# it bounds memory, and the time for each text.
CROWD, CROWD_CHARACTERS = 2_000, 1_000_000


def near_duplicates(texts: Iterable[str]) -> Counts:
    """Number the sets of texts that are nearly the same, directly or through others; a text alone is a set.

    Candidates are texts whose MinHash signatures agree in a band (Broder, 1997; Leskovec, Rajaraman and Ullman, *Mining
    of Massive Datasets*, section 3.4). Each is then compared exactly, so no pair below `NEAR` is joined. Texts that
    share a long passage agree in a band by hundreds, so neighbours are not enough: each is compared with each.
    """
    keys = [normalise(text) for text in texts]
    first: dict[str, int] = {}
    firsts = (first.setdefault(key, place) if key else place for place, key in enumerate(keys))
    sets: Counts = np.unique(np.fromiter(firsts, np.int64), return_inverse=True)[1]
    long = np.array([place for key, place in first.items() if len(key) >= SHORTEST], np.int64)
    del first
    signatures = _signatures([keys[place] for place in long])
    bands = np.split(signatures, BANDS, axis=1)
    for band, another in zip(bands, bands[-1:] + bands[:-1], strict=True):
        # Where more agree than a crowd may have, those are together that agree in another band, too.
        order = np.lexsort(np.hstack([another, band]).T)
        agree = (band[order[1:]] == band[order[:-1]]).all(axis=1)
        pairs = np.stack([long[order[:-1][agree]], long[order[1:][agree]]], axis=1)
        pairs = pairs[sets[pairs[:, 0]] != sets[pairs[:, 1]]]
        sets = _join(sets, [pair for pair in pairs.tolist() if _similarity(*(keys[place] for place in pair)) >= NEAR])
        edges = np.flatnonzero(np.concatenate([[True], ~agree, [True]]))
        many = np.diff(edges) > 2  # two texts are neighbours
        crowds = [long[order[start:end]] for start, end in zip(edges[:-1][many], edges[1:][many], strict=True)]
        sets = _join(sets, [pair for crowd in crowds for pair in _near_in(crowd, sets, keys)])
    return sets


def connected(number: int, pairs: Sequence[tuple[int, int]] | Counts) -> Counts:
    """Number the connected components of a graph of `number` nodes, whose edges are `pairs`."""
    one, other = np.asarray(pairs, np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(one), bool), (one, other)), shape=(number, number))
    labels: Counts = connected_components(graph, directed=False)[1]
    return labels


def _join(sets: Counts, pairs: Sequence[tuple[int, int]]) -> Counts:
    """Number the sets of texts anew after these pairs are joined."""
    if not pairs:
        return sets
    as_before = np.stack([np.arange(len(sets)), _firsts(sets)], axis=1)
    return connected(len(sets), np.concatenate([np.array(pairs, np.int64), as_before]))


def _firsts(sets: Counts) -> Counts:
    """Return for each text the first one of its set."""
    firsts: Counts = np.unique(sets, return_index=True)[1][sets]
    return firsts


def normalise(text: str) -> str:
    """Return what of a text is compared: in NFC and lower case, without blanks, punctuation and control characters."""
    return unicodedata.normalize("NFC", text.casefold()).translate(_left_out())


@cache
def _left_out() -> dict[int, None]:
    kinds = {"Cc", "Cf", "Zs", "Zl", "Zp", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"}
    return dict.fromkeys(code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in kinds)


def _signatures(keys: Sequence[str]) -> np.ndarray:
    """Compute the MinHash signatures of texts, `[texts, BANDS * ROWS]`."""
    signatures = np.empty((len(keys), BANDS * ROWS), np.uint32)
    factors = np.random.default_rng(0).integers(2**31, size=BANDS * ROWS, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    ends = np.cumsum([len(key) for key in keys])
    batches = np.split(np.arange(len(keys)), np.flatnonzero(np.diff(ends // BATCH_CHARACTERS)) + 1)
    for batch in batches if len(keys) else ():
        joined = "".join(keys[place] for place in batch)
        codes = np.frombuffer(joined.encode("utf-32-le"), np.uint32).astype(np.uint64)
        hashes = np.zeros(len(codes) - SHINGLE + 1, np.uint64)
        for offset in range(SHINGLE):
            hashes = (hashes + codes[offset : offset + len(hashes)]) * np.uint64(0x9E3779B97F4A7C15)
            hashes ^= hashes >> np.uint64(29)
        shingles = (hashes >> np.uint64(32)).astype(np.uint32)
        starts = np.cumsum([0, *(len(keys[place]) for place in batch)])
        # Between two starts, the last runs reach into the next text: every second range is left out.
        ranges = np.stack([starts[:-1], starts[1:] - SHINGLE + 1], axis=1).ravel()[:-1]
        for column, factor in enumerate(factors):
            signatures[batch, column] = np.minimum.reduceat(shingles * factor, ranges)[::2]
    return signatures


def _similarity(one: str, other: str) -> float:
    """Return the Jaccard similarity of two texts' sets of runs of `SHINGLE` characters."""
    left, right = _runs(one), _runs(other)
    return len(left & right) / len(left | right)


def _runs(key: str) -> set[str]:
    return {key[start : start + SHINGLE] for start in range(len(key) - SHINGLE + 1)}


def _near_in(crowd: Counts, sets: Counts, keys: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Give pairs that join what is near in a crowd, where it is not one set already: one pair for each text."""
    ends = np.cumsum([max(len(keys[place]), CROWD_CHARACTERS // CROWD) for place in crowd])
    for part in np.split(crowd, np.flatnonzero(np.diff(ends // CROWD_CHARACTERS)) + 1):
        if (sets[part] != sets[part[0]]).any():
            found = connected(len(part), _near([keys[place] for place in part]))
            yield from zip(part.tolist(), part[_firsts(found)].tolist(), strict=True)


def _near(keys: Sequence[str]) -> Counts:
    """Find all pairs of texts that are near, `[pairs, 2]`."""
    numbers: dict[str, int] = {}
    runs = [{numbers.setdefault(run, len(numbers)) for run in _runs(key)} for key in keys]
    sizes = np.array([len(one) for one in runs])
    column = np.fromiter(chain.from_iterable(runs), np.int64, sizes.sum())
    # What most of the texts have is counted where it lacks: two sets differ in as much, and the products are few.
    shared = set(np.flatnonzero(np.bincount(column) * 2 > len(keys)).tolist())
    rest = [one ^ shared for one in runs]
    left = np.array([len(one) for one in rest])
    column = np.fromiter(chain.from_iterable(rest), np.int64, left.sum())
    table = csr_array((np.ones(len(column), np.int32), column, np.concatenate([[0], np.cumsum(left)])))
    both = (table @ table.T).toarray()
    total, differ = np.add.outer(sizes, sizes), np.add.outer(left, left) - 2 * both
    return np.argwhere(np.triu((total - differ) / (total + differ) >= NEAR, 1))
