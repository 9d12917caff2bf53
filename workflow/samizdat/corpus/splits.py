"""The documents of the corpus, and how they are divided between training, validation and test."""

import hashlib
from collections.abc import Callable, Mapping

import numpy as np

from samizdat.base.errors import UserError
from samizdat.corpus.near_duplicates import connected
from samizdat.measures.arrays import Counts, numbered
from samizdat.records.corpus import SPLITS
from samizdat.records.io import BATCH_ROWS

JOINED_SHARE = 0.5
# What people call the splits, in lower case.
SPELLINGS = {
    "train": ("train", "training", "trn"),
    "validation": ("validation", "valid", "val", "dev", "devel", "development"),
    "test": ("test", "testing", "tst"),
}


def split_called(name: str) -> str | None:
    """Return the split that people call so; None where no split is called so."""
    folded = name.strip().casefold()
    return next((split for split, spellings in SPELLINGS.items() if folded in spellings), None)


def join_copies(documents: Counts, sets: Counts) -> tuple[Counts, np.ndarray]:
    """Join documents of which at least half of the texts are nearly the same as texts of others.

    Such a document is joined to the first document with that text that is not such a one, else to the first of all; so
    a title page that many books have in common doesn't join the books. Joined documents that would be half of the
    corpus or more stay apart, since the corpus could not be split otherwise.

    Args:
        documents: the document of each text, `[texts]`.
        sets: the set of near-duplicates of each text, `[texts]`.

    Returns:
        for each text the first of the documents that its own is joined with, and whether it had to stay apart.
    """
    of_text, numbers = numbered(documents)
    copied = differs_within(sets, of_text)
    joins = np.bincount(of_text, copied) >= JOINED_SHARE * np.bincount(of_text)
    # In a set, texts of documents that are joined to others come last, so the first one is what they are joined to.
    rows = np.flatnonzero(copied)
    rows = rows[np.lexsort([joins[of_text[rows]], sets[rows]])]
    begins = np.concatenate([[True], sets[rows[1:]] != sets[rows[:-1]]])[: len(rows)]
    anchors = of_text[rows[begins]][np.cumsum(begins) - 1]
    joining = joins[of_text[rows]]
    joined = connected(len(numbers), np.stack([of_text[rows][joining], anchors[joining]], axis=1))
    first = np.full(joined.max() + 1, len(numbers))
    np.minimum.at(first, joined, np.arange(len(numbers)))
    large = np.bincount(joined[of_text]) * 2 >= len(documents)
    apart = (large & (np.bincount(joined) > 1))[joined[of_text]]
    return numbers[np.where(apart, of_text, first[joined[of_text]])], apart


def differs_within(sets: Counts, values: Counts) -> np.ndarray:
    """Return for each member whether its set has members of another value, `[members]`; sets are numbers from 0."""
    lowest, highest = np.full(sets.max() + 1, np.iinfo(np.int64).max), np.full(sets.max() + 1, -1)
    np.minimum.at(lowest, sets, values)
    np.maximum.at(highest, sets, values)
    differs: np.ndarray = (lowest != highest)[sets]
    return differs


def split(documents: Counts, shares: Mapping[str, float], name_of: Callable[[int], str]) -> np.ndarray:
    """Divide documents by the hashes of their names.

    A document is in the first split of `shares` if its hash, as a number from 0 to 1, is below that split's share, in
    the next one if it is below the sum of both, and else in `train`. Each split has at least one document: if no hash
    is low enough, the documents with the lowest ones are taken.

    Args:
        documents: the document of each text, `[texts]`.
        shares: split → its share of the documents.
        name_of: names a document.

    Returns:
        the place in SPLITS of each text's split, `[texts]`.

    Raises:
        UserError: there are fewer documents than splits.
    """
    of_text, numbers = numbered(documents)
    if len(numbers) <= len(shares):
        few = "one single document" if len(numbers) == 1 else f"only {len(numbers)} documents"
        texts = "1 text" if len(documents) == 1 else f"{len(documents)} texts"
        what = "the corpus is" if len(shares) == len(SPLITS) - 1 else "in the corpus's own train split is"
        raise UserError(
            f"{what} {few} ({texts}), and {len(shares) + 1} are needed, one for each of the splits "
            f"train, {', '.join(sorted(shares, key=SPLITS.index))}; documents that are nearly the same count as one",
            remedy="add texts, or raise corpus.max_texts; or set corpus.txt_unit to line or block; or name a "
            "corpus.document_column (or none) that tells documents apart",
        )
    parts = (numbers[begin : begin + BATCH_ROWS].tolist() for begin in range(0, len(numbers), BATCH_ROWS))
    hashed = (place_of(f"split:{name_of(number)}") for part in parts for number in part)
    places = np.fromiter(hashed, np.float64, len(numbers))
    order = np.argsort(places, kind="stable")
    chosen = np.zeros(len(numbers), np.int8)
    limit, begin = 0.0, 0
    for number, (name, share) in enumerate(shares.items()):
        limit += share
        end = max(begin + 1, int(np.searchsorted(places, limit, sorter=order)))
        end = min(end, len(numbers) - len(shares) + number)  # the other splits need documents, too
        chosen[order[begin:end]] = SPLITS.index(name)
        begin = end
    of_texts: np.ndarray = chosen[of_text]
    return of_texts


def place_of(name: str) -> float:
    """Return a number from 0 to 1 that depends on the name alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64
