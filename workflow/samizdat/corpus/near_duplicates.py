"""Find texts that are nearly the same: equal but for case, blanks and punctuation, or nearly all runs shared."""

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from samizdat.corpus.sketches import BANDS, ROWS, Sketches, hashes_of_runs, normalise, rows_that_differ
from samizdat.measures.arrays import Counts, sorted_set

# Two texts are near-duplicates if of all their different runs of SHINGLE characters they share this part (Jaccard).
NEAR = 0.8
# A signature estimates that part with an error of 0.045 at `NEAR`: of such pairs, one in 10⁵ differs in more numbers.
MOST_THAT_DIFFER = round(BANDS * ROWS * 0.4)
# Of texts that agree in a band, the signatures of about so many neighbours are compared. Texts that are alike by them
# are compared each with each, about so many at once, of about so many characters together. It bounds memory and time.
NEIGHBOURS, CROWD, CROWD_CHARACTERS = 1_000, 2_000, 1_000_000
SIGNATURES = 1_000_000  # that are in memory at once, 128 bytes each
FEW = 5  # so few are compared pair by pair, which takes less time than to make a table


def near_duplicates(sketches: Sketches, rows: Counts, text_of: Callable[[int], str]) -> Counts:
    """Number the sets of texts that are nearly the same, directly or through others; a text alone is a set.

    Candidates are texts whose MinHash signatures agree in a band (Broder, 1997; Leskovec, Rajaraman and Ullman, *Mining
    of Massive Datasets*, section 3.4), and in most of the other numbers, too. Of each all runs are then compared, so no
    pair below `NEAR` is joined. Texts that share a long passage agree in a band by hundreds, so each is compared with
    many of its neighbours.

    Args:
        sketches: of all texts.
        rows: the texts to compare, `[texts]`.
        text_of: reads a text by its row.
    """

    def key_of(place: int) -> str:
        return normalise(text_of(rows[place]))

    firsts = _firsts_of_equal(sketches.keys()[rows])
    different = firsts == np.arange(len(rows))
    # Four bytes a number: of ten million texts several such arrays are in memory at once.
    sets: Counts = (np.cumsum(different, dtype=np.int32) - 1)[firsts]
    del firsts
    long = np.flatnonzero(sketches.long()[rows] & different).astype(np.int32)
    del different
    another = sketches.band(BANDS - 1)[rows[long]]
    for number in range(BANDS):
        band = sketches.band(number)[rows[long]]
        some = _repeated(band)
        # Where more agree than are compared, those are together that agree in another band, too.
        some = some[np.lexsort([another[some], band[some]])]
        pairs: list[tuple[int, int]] = []
        for part in _parts(some, band):
            found = long[part]
            signatures = np.stack([sketches.band(each)[rows[found]] for each in range(BANDS)])
            alike = _alike(signatures, number, sets[found])
            found, sizes = found[np.argsort(alike, kind="stable")], np.bincount(alike)
            ends, many = np.cumsum(sizes), sizes > 1
            for end, size in zip(ends[many], sizes[many], strict=True):
                pairs += _near_in(found[end - size : end], sets, key_of)
        sets = _join(sets, pairs)
        another = band
    used = np.bincount(sets) > 0
    numbered: Counts = (np.cumsum(used, dtype=np.int32) - 1)[sets]
    return numbered


def _repeated(values: np.ndarray) -> Counts:
    """Return the places of the values that are there more than once, which are few."""
    # To sort the values takes a tenth of the time to order their places, and to look up some bits of each less still.
    ordered = np.sort(values)
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    bits = np.uint64(2**24 - 1)
    maybe = np.zeros(2**24, bool)
    maybe[repeated & bits] = True
    places = np.flatnonzero(maybe[values & bits])
    found: Counts = places[np.isin(values[places], repeated)]
    return found


def _parts(places: Counts, values: np.ndarray) -> Iterator[Counts]:
    """Cut places that are in the order of their values into parts, and equal values as seldom as can be."""
    begin, ordered = 0, values[places]
    while begin < len(places):
        end = begin + SIGNATURES
        if end < len(places):
            first = int(np.searchsorted(ordered, ordered[end]))
            end = first if first > begin else end
        yield places[begin:end]
        begin = end


def _alike(signatures: np.ndarray, band: int, sets: Counts) -> Counts:
    """Number the sets of texts whose signatures are alike, directly or through others; a text alone is a set.

    Args:
        signatures: those of some texts, in the order of one band, `[BANDS, texts]`.
        band: that band; texts are compared that agree in it.
        sets: the sets found before: texts of the same one aren't compared, `[texts]`.

    Returns:
        the number of each text's set, `[texts]`.
    """
    agree, ones = signatures[band], np.arange(len(sets))
    alike: Counts = ones
    for distance in range(1, NEIGHBOURS + 1):
        ones = ones[: np.searchsorted(ones, len(sets) - distance)]
        ones = ones[agree[ones] == agree[ones + distance]]
        if not len(ones):
            break
        others = ones + distance
        apart = (sets[ones] != sets[others]) & (alike[ones] != alike[others])
        pairs = np.stack([ones[apart], others[apart]], axis=1)
        differ = np.zeros(len(pairs), np.uint8)
        for numbers in signatures:
            differ += rows_that_differ(numbers[pairs[:, 0]], numbers[pairs[:, 1]])
        alike = _join(alike, pairs[differ <= MOST_THAT_DIFFER])
    return alike


def _firsts_of_equal(keys: np.ndarray) -> Counts:
    """Return for each text the first one with its key, `[texts]`; a text whose key is 0 is alone."""
    order = np.argsort(keys, kind="stable").astype(np.int32)
    keys = keys[order]
    new = np.concatenate([[True], keys[1:] != keys[:-1]])[: len(keys)] | (keys == 0)
    firsts = np.empty(len(order), np.int32)
    firsts[order] = order[new][np.cumsum(new, dtype=np.int32) - 1]
    return firsts


def connected(number: int, pairs: Sequence[tuple[int, int]] | Counts) -> Counts:
    """Number the connected components of a graph of `number` nodes, whose edges are `pairs`."""
    one, other = np.asarray(pairs, np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(one), bool), (one, other)), shape=(number, number))
    labels: Counts = connected_components(graph, directed=False)[1]
    return labels


def _join(sets: Counts, pairs: Sequence[tuple[int, int]] | Counts) -> Counts:
    """Give the sets of paired texts one number, the smallest of theirs; the others keep theirs."""
    if not len(pairs):
        return sets
    numbers, places = np.unique(sets[np.asarray(pairs, np.int64)], return_inverse=True)
    becomes = np.arange(sets.max() + 1, dtype=sets.dtype)
    becomes[numbers] = numbers[_firsts(connected(len(numbers), places.reshape(-1, 2)))]
    return becomes[sets]


def _firsts(sets: Counts) -> Counts:
    """Return for each text the first one of its set."""
    firsts: Counts = np.unique(sets, return_index=True)[1][sets]
    return firsts


def _similarity(left: np.ndarray, right: np.ndarray) -> float:
    """Return the Jaccard similarity of two texts' different runs."""
    both = len(np.intersect1d(left, right, assume_unique=True))
    return both / (len(left) + len(right) - both)


def _runs(key: str) -> np.ndarray:
    """Return the different runs of a text by their hashes: of two runs they are the same once in 10¹⁹ times."""
    return sorted_set(hashes_of_runs(key))


def _near_in(crowd: Counts, sets: Counts, key_of: Callable[[int], str]) -> Iterator[tuple[int, int]]:
    """Give pairs that join what is near in a crowd, where it is not one set already: one pair for each text."""
    if (sets[crowd] == sets[crowd[0]]).all():
        return
    keys: list[str] = []
    begin = characters = 0
    for end, place in enumerate(crowd.tolist(), start=1):
        keys.append(key_of(place))
        characters += max(len(keys[-1]), CROWD_CHARACTERS // CROWD)
        if characters >= CROWD_CHARACTERS or end == len(crowd):
            part = crowd[begin:end]
            if (sets[part] != sets[part[0]]).any():
                found = connected(len(part), _near(keys))
                yield from zip(part.tolist(), part[_firsts(found)].tolist(), strict=True)
            keys, begin, characters = [], end, 0


def _near(keys: Sequence[str]) -> Counts:
    """Find all pairs of texts that are near, `[pairs, 2]`."""
    runs = [_runs(key) for key in keys]
    if len(keys) <= FEW:
        pairs_of_few = combinations(range(len(keys)), 2)
        return np.array([pair for pair in pairs_of_few if _similarity(*(runs[place] for place in pair)) >= NEAR])
    sizes = np.array([len(one) for one in runs])
    ends = np.cumsum(sizes)
    column = np.unique(np.concatenate(runs), return_inverse=True)[1]
    texts_of = np.bincount(column)
    # A text of which the others have too few runs is near none of them, whatever their sizes.
    others = np.add.reduceat(texts_of[column] > 1, ends - sizes, dtype=np.int64)
    possible = np.flatnonzero(others / sizes >= NEAR)
    sizes = sizes[possible]
    # What most of the texts have is counted where it lacks: two sets differ in as much, and the products are few.
    shared = np.flatnonzero(texts_of * 2 > len(keys))
    columns = np.split(column, ends[:-1])
    rest = [np.setxor1d(columns[place], shared, assume_unique=True) for place in possible]
    left = np.array([len(one) for one in rest], np.int64)
    column = np.concatenate([shared[:0], *rest])
    begins = np.concatenate([[0], np.cumsum(left)])
    table = csr_array((np.ones(len(column), np.int32), column, begins), shape=(len(rest), len(texts_of)))
    both = (table @ table.T).toarray()
    total, differ = np.add.outer(sizes, sizes), np.add.outer(left, left) - 2 * both
    pairs: Counts = possible[np.argwhere(np.triu((total - differ) / (total + differ) >= NEAR, 1))]
    return pairs
