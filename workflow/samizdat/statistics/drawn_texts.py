"""Texts of the corpus for what needs no more of them: all of a usual corpus, and of a large one so many at random."""

from pathlib import Path

import numpy as np
import pandas as pd

from samizdat.records.io import read_batches, read_columns

# A corpus with no more characters is read whole: ten million tokens of English.
MOST_CHARACTERS = 40_000_000


def drawn_texts(texts: Path, random: np.random.Generator, split: str | None = None) -> pd.DataFrame:
    """Read the texts, or those of one split, in the order of the corpus; at random, where they are too many.

    Args:
        texts: the corpus.
        random: draws the texts; nothing is drawn of a corpus that is read whole.
        split: one of `records.corpus.SPLITS`; None for all texts.

    Returns:
        `id`, `document`, `group` and `text`, with an index from 0: together at most MOST_CHARACTERS characters, or one
        text.
    """
    only = {} if split is None else {"split": split}
    sizes = np.concatenate(
        [[0], *(_only(batch, only)["text"].str.len().to_numpy() for batch in read_batches(texts, "text", *only))]
    )[1:]
    chosen = np.ones(len(sizes), bool)
    if sizes.sum() > MOST_CHARACTERS:
        order = random.permutation(len(sizes))
        kept = max(1, int(np.searchsorted(np.cumsum(sizes[order]), MOST_CHARACTERS, side="right")))
        chosen[order[kept:]] = False
    begin, parts = 0, []
    for batch in read_batches(texts, "id", "document", "group", "text", *only):
        part = _only(batch, only).drop(columns=[*only])
        parts.append(part[chosen[begin : begin + len(part)]])
        begin += len(part)
    if not parts:
        return read_columns(texts, "id", "document", "group", "text")
    return pd.concat(parts, ignore_index=True)


def _only(batch: pd.DataFrame, only: dict[str, str]) -> pd.DataFrame:
    return batch if not only else batch[batch["split"] == only["split"]]
