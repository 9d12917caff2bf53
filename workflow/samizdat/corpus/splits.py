"""Divide the documents of the corpus between training, validation and test."""

import hashlib
from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from samizdat.base.errors import UserError
from samizdat.corpus.near_duplicates import connected
from samizdat.measures.arrays import Counts
from samizdat.records.corpus import SPLITS

PART_TEXTS = 20
FEWEST_PARTS = 50
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


def cut_largest(documents: pd.Series, files: Collection[str]) -> tuple[pd.Series, int]:
    """Cut a .txt file that has half of all texts or more into parts, each of which is a document of its own.

    Such a file can't be held out, and is often the whole corpus. Of two files of one length the first is cut. A part is
    `PART_TEXTS` texts in a row, or one `FEWEST_PARTS`-th of the file's texts where that is fewer, so that a short file
    has parts enough to hold some out.
    Texts that are added at the end of a long file move no others.

    Args:
        documents: the document of each text, in the order of the file.
        files: the documents that are .txt files.

    Returns:
        the document of each text, and the number of parts; 0 if no file was cut.
    """
    sizes = documents.value_counts()
    largest, size = sizes.index[0], int(sizes.iloc[0])
    if largest not in files or size * 2 < len(documents) or size == 1:
        return documents, 0
    part = np.arange(size) // max(1, min(PART_TEXTS, size // FEWEST_PARTS)) + 1
    documents = documents.copy()
    documents[documents == largest] = [f"{largest}, part {number}" for number in part]
    return documents, int(part[-1])


def join_copies(documents: pd.Series, sets: Counts) -> tuple[pd.Series, np.ndarray]:
    """Join documents of which at least half of the texts are nearly the same as texts of others.

    Such a document is joined to the first document with that text that is not such a one, else to the first of all; so
    a title page that many books have in common doesn't join the books. Joined documents that would be half of the
    corpus or more stay apart, since the corpus could not be split otherwise.

    Args:
        documents: the document of each text.
        sets: the set of near-duplicates of each text.

    Returns:
        for each text the first of the documents that its own is joined with, and whether it had to stay apart.
    """
    codes, names = pd.factorize(documents)
    frame = pd.DataFrame({"document": codes, "set": sets})
    frame["copied"] = frame.groupby("set")["document"].transform("nunique") > 1
    frame["joins"] = frame.groupby("document")["copied"].transform("mean") >= JOINED_SHARE
    # In a set, texts of documents that are joined to others come last, so the first one is what they are joined to.
    copied = frame[frame["copied"]].sort_values(["set", "joins"], kind="stable")
    copied["anchor"] = copied.groupby("set")["document"].transform("first")
    pairs = copied.loc[copied["joins"], ["document", "anchor"]]
    joined = connected(len(names), pairs.to_numpy())[codes]
    frame["first"] = frame.groupby(joined)["document"].transform("min")
    apart = (frame.groupby("first")["document"].transform("size") * 2 >= len(frame)) & (
        frame.groupby("first")["document"].transform("nunique") > 1
    )
    return pd.Series(names[frame["first"].mask(apart, frame["document"])], documents.index), apart.to_numpy()


def split(documents: pd.Series, shares: Mapping[str, float]) -> np.ndarray:
    """Divide documents by the hashes of their names; return the split of each text.

    A document is in the first split of `shares` if its hash, as a number from 0 to 1, is below that split's share, in
    the next one if it is below the sum of both, and else in `train`. Each split has at least one document: if no hash
    is low enough, the documents with the lowest ones are taken.

    Raises:
        UserError: there are fewer documents than splits.
    """
    place = {document: place_of(f"split:{document}") for document in documents.unique()}
    if len(place) <= len(shares):
        few = "one single document" if len(place) == 1 else f"only {len(place)} documents"
        texts = "1 text" if len(documents) == 1 else f"{len(documents)} texts"
        what = "the corpus is" if len(shares) == len(SPLITS) - 1 else "in the corpus's own train split is"
        raise UserError(
            f"{what} {few} ({texts}), and {len(shares) + 1} are needed, one for each of the splits "
            f"train, {', '.join(sorted(shares, key=SPLITS.index))}; documents that are nearly the same count as one",
            remedy="add texts; or set corpus.txt_unit to line or block; or name a corpus.document_column (or none) "
            "that tells documents apart",
        )
    names = sorted(place, key=place.__getitem__)
    places = [place[name] for name in names]
    chosen: dict[str, str] = {}
    limit = 0.0
    for number, (name, share) in enumerate(shares.items()):
        limit += share
        end = max(len(chosen) + 1, int(np.searchsorted(places, limit)))
        end = min(end, len(names) - len(shares) + number)  # the other splits need documents, too
        chosen |= dict.fromkeys(names[len(chosen) : end], name)
    return documents.map(chosen).fillna("train").to_numpy(object)


def place_of(name: str) -> float:
    """Return a number from 0 to 1 that depends on the name alone."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64
