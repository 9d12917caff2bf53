"""The table of all texts as the statistics hold it: numbers in place of names, and no text."""

from pathlib import Path

import numpy as np
import pandas as pd

from samizdat.records.codes import Codes, Owners
from samizdat.records.corpus import LABEL_PREFIX, TEXTS
from samizdat.records.io import checked_columns, read_batches

# Of texts that single people judged: what is compared on held-out texts alone.
_OF_JUDGED = ("id", "text", "ratings", "raters")


def text_table(texts: Path) -> pd.DataFrame:
    """Read what statistics need of all texts, in their order: about 20 bytes for each.

    Args:
        texts: the corpus.

    Returns:
        `document`, a number; `group`, `split` and the label columns, as categories; `bytes`, the length of a held-out
        text, else 0; and `id`, `text`, `ratings` and `raters`, null where a text isn't held out or no single person
        judged it.

    Raises:
        UserError: the corpus is missing or damaged.
    """
    names = checked_columns(texts, TEXTS)
    coded = {name: Codes() for name in names if name in ("group", "split") or name.startswith(LABEL_PREFIX)}
    owners, sizes, judged, begin = Owners(), [], [], 0
    for batch in read_batches(texts, *(name for name in names if name != "sha256")):
        batch.index += begin
        held_out = batch["split"] == "test"
        owners.add(batch["document"])
        size = np.zeros(len(batch), np.int32)
        size[held_out] = [len(text.encode()) for text in batch["text"][held_out]]
        sizes.append(size)
        by_people = held_out & (batch["ratings"].notna() | batch["raters"].notna())
        judged.append(batch.loc[by_people, [*_OF_JUDGED]].astype(object))
        for name, codes in coded.items():
            codes.add(batch[name])
        begin += len(batch)
    frame = pd.DataFrame({"bytes": np.concatenate(sizes), "document": owners.numbers()})
    frame = frame.assign(**{name: codes.categories() for name, codes in coded.items()})
    if len(found := pd.concat(judged)):
        return frame.join(found)
    nothing = pd.Categorical.from_codes(np.full(begin, -1, np.int8), pd.Index([], dtype="str"))
    return frame.assign(**dict.fromkeys(_OF_JUDGED, nothing))
