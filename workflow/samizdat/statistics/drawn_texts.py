"""Texts of the corpus for what needs no more of them: all of a usual corpus, and of a large one so many at random."""

from pathlib import Path

import numpy as np
import pandas as pd

from samizdat.records.corpus import DRAWN_CHARACTERS
from samizdat.records.io import read_batches, read_rows


def drawn_texts(
    texts: Path, random: np.random.Generator, split: str | None = None, characters: int = DRAWN_CHARACTERS
) -> pd.DataFrame:
    """Read the texts, or those of one split, in the order of the corpus; at random, where they are too many.

    Args:
        texts: the corpus.
        random: draws the texts; nothing is drawn of a corpus that is read whole.
        split: one of `records.corpus.SPLITS`; None for all texts.
        characters: how many the texts have together, at most.

    Returns:
        `id`, `document`, `group` and `text`, with an index from 0. If the first text that is drawn is longer than all
        may be, it is alone.
    """
    parts: list[np.ndarray] = []  # the length of each text; 0 for those of other splits
    for batch in read_batches(texts, "text", "split"):
        sizes = batch["text"].str.len().to_numpy(np.int32)
        parts.append(sizes if split is None else np.where(batch["split"] == split, sizes, 0))
    sizes = np.concatenate(parts)
    chosen = sizes > 0
    if sizes.sum() > characters:
        order = random.permutation(np.flatnonzero(chosen).astype(np.int32))
        kept = max(1, int(np.searchsorted(np.cumsum(sizes[order], dtype=np.int64), characters, side="right")))
        chosen[order[kept:]] = False
    return read_rows(texts, chosen, "id", "document", "group", "text")
