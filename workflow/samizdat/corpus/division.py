"""Give each text its split: the corpus's own splits as they are, the others by documents and their near-duplicates."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from samizdat.base import stage
from samizdat.base.errors import UserError
from samizdat.corpus.documents import Documents
from samizdat.corpus.splits import differs_within, join_copies, split
from samizdat.measures.arrays import Counts, numbered
from samizdat.records.corpus import SPLITS


@dataclass(frozen=True)
class Divided:
    """The split of each text, and what ties the splits together."""

    splits: np.ndarray  # of each text its split's place in SPLITS, `[texts]`
    left: np.ndarray  # whether a text is no held-out one that is nearly the same as one of an earlier split, `[texts]`
    own_splits: list[str]  # those of SPLITS that the corpus brings itself
    near_duplicates: int  # texts that have one
    held_out_copies: int  # texts that would not be left, but were kept
    shared_documents: int  # documents with texts in several splits
    documents: int  # that are left


def divide(
    documents: Documents,
    splits: np.ndarray,
    own: Collection[str],
    sets: Counts,
    validation_share: float,
    test_share: float,
) -> Divided:
    """Divide the texts that have no split yet, near-duplicates into one, and drop texts of which that can't be true.

    What the corpus divided itself stays as it is; a split that it lacks is divided off its training texts. Of
    near-duplicates in several splits those of the first one stay, in the order of `SPLITS`, and those of the corpus's
    own splits, and those of documents that had to stay apart.

    Args:
        documents: of the texts.
        splits: of each text its split's place in SPLITS, -1 where the corpus doesn't say it, `[texts]`.
        own: the splits that texts were in as they were read.
        sets: the set of near-duplicates of each text, `[texts]`.
        validation_share: of the documents that are divided.
        test_share: likewise.

    Raises:
        UserError: there are too few documents, of one of the corpus's own splits no text is left, or it has none to
            train on.
    """
    own_splits = sorted(own, key=SPLITS.index) if set(own) != {"train"} else []  # then all are to be divided
    _check_own(own_splits, {SPLITS[number] for number in np.unique(splits[splits >= 0])})
    shares = {"test": test_share, "validation": validation_share}
    lacking = {name: share for name, share in shares.items() if name not in own_splits}
    here = (splits <= 0) & bool(lacking)
    kept = ~here
    splits = splits.copy()
    if lacking:
        joined, kept[here] = join_copies(documents.numbers[here], sets[here])
        splits[here] = split(joined, lacking, documents.name)
    first = np.full(sets.max() + 1, len(SPLITS), splits.dtype)
    np.minimum.at(first, sets, splits)
    copies = splits > first[sets]
    left = ~copies | kept
    of_text, numbers = numbered(documents.numbers[left])
    shared = differs_within(of_text, splits[left])
    return Divided(
        splits,
        left,
        own_splits,
        near_duplicates=int((np.bincount(sets)[sets] > 1).sum()),
        held_out_copies=int((copies & kept).sum()),
        shared_documents=len(np.unique(of_text[shared])),
        documents=len(numbers),
    )


def _check_own(own: list[str], left: Collection[str]) -> None:
    if own and "train" not in own:
        raise UserError(
            f"the corpus has texts for {' and '.join(own)}, and none to train on",
            remedy="add its training texts; or set corpus.split_column to null, and all texts are divided here",
        )
    for name in own:
        if name not in left:
            raise UserError(
                f"of the corpus's own {name} split no text is left",
                remedy="look at what is dropped: duplicates, texts shorter than corpus.min_characters, and what "
                "corpus.max_texts doesn't draw; change these keys, or add texts to the split",
            )


def tell_own_splits(divided: Divided, between: int, key: str) -> None:
    """Say at the terminal that the corpus's own splits are kept, and what is in two of them.

    Args:
        divided: how the texts are divided.
        between: how many texts were dropped since an earlier split has the same text.
        key: the key of `corpus` that chose these splits.
    """
    if not divided.own_splits:
        return
    lacking = [name for name in SPLITS if name not in divided.own_splits]
    made = f"; lacking, and divided off its train split by share: {', '.join(lacking)}" if lacking else ""
    stage.tell(f"the corpus's own splits are kept: {', '.join(divided.own_splits)} (corpus.{key}){made}")
    found = {
        f"{between:,} were dropped from a later split, since an earlier one has the same text": between,
        f"{divided.held_out_copies:,} of validation or test are nearly the same as one of another split, and stay":
            divided.held_out_copies,
        f"{divided.shared_documents:,} documents have texts in several splits": divided.shared_documents,
    }  # fmt: skip
    if any(found.values()):
        stage.tell("texts in two splits: " + "; ".join(words for words, number in found.items() if number))


def tell_coarse_splits(divided: Divided, shares: dict[str, float]) -> None:
    """Say at the terminal where documents of several texts were too few, or too unequal, to divide them by the shares.

    Args:
        divided: how the texts are divided.
        shares: split → the share that it should have, of those that were made here.
    """
    splits = divided.splits
    if divided.documents == len(splits):
        return
    for name, share in shares.items():
        found = (splits == SPLITS.index(name)).mean()
        if name not in divided.own_splits and found > 2 * share:
            stage.tell(
                f"the {name} split has {found:.0%} of the texts, not {share:.0%}: there are {divided.documents:,} "
                "documents, and each is in one split; where texts of one file have nothing to do with each other, set "
                "corpus.txt_document: text; of tables, look at corpus.document_column"
            )
