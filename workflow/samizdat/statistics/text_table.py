"""The table of all texts as the statistics hold it: numbers in place of names, and no text."""

from pathlib import Path

import numpy as np
import pandas as pd

from samizdat.records.codes import Codes, Owners
from samizdat.records.corpus import LABEL_PREFIX, TEXTS
from samizdat.records.io import checked_columns, read_batches

# What single people said is compared on held-out texts alone.
_OF_HELD_OUT = ("ratings", "raters")


def text_table(texts: Path) -> pd.DataFrame:
    """Read what statistics need of all texts, in their order: about 50 bytes for each.

    Args:
        texts: the corpus.

    Returns:
        `id`; `document`, a number; `group`, `split` and the label columns, as categories; `ratings` and `raters`, null
        where a text isn't held out; `bytes`, the length of a held-out text, else 0; and `text` of held-out texts that
        are rated, where there are any.

    Raises:
        UserError: the corpus is missing or damaged.
    """
    names = checked_columns(texts, TEXTS)
    coded = {name: Codes() for name in names if name in ("group", "split") or name.startswith(LABEL_PREFIX)}
    owners, parts = Owners(), []
    for batch in read_batches(texts, *(name for name in names if name != "sha256")):
        held_out = batch["split"] == "test"
        owners.add(batch["document"])
        sizes = np.zeros(len(batch), np.int32)
        sizes[held_out] = [len(text.encode()) for text in batch["text"][held_out]]
        said = batch[[*_OF_HELD_OUT]].astype(object).where(held_out, None)
        rated = batch["text"].where(said["ratings"].notna())
        parts.append(batch[["id"]].assign(bytes=sizes, **said, text=rated))
        for name, codes in coded.items():
            codes.add(batch[name])
    frame = pd.concat(parts, ignore_index=True).assign(document=owners.numbers())
    if frame["text"].isna().all():
        del frame["text"]
    return frame.assign(**{name: codes.categories() for name, codes in coded.items()})
