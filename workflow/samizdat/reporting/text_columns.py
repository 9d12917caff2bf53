"""The table of all texts as the report holds it: without the texts, of which a corpus may have a gigabyte."""

from pathlib import Path

import pandas as pd
import pyarrow.compute as pc

from samizdat.records.codes import Codes, Owners
from samizdat.records.corpus import TEXTS
from samizdat.records.io import checked_columns, read_record_batches

_NOT_HELD = ("id", "sha256", "ratings")


def text_columns(texts: Path) -> pd.DataFrame:
    """Read what the report needs of all texts, in their order: about 60 bytes for each.

    Args:
        texts: the corpus.

    Returns:
        `document`, a number; `group`, `split`, `raters` and the label columns of `records.corpus.TEXTS`; and the
        lengths `characters` and `bytes`.

    Raises:
        UserError: the corpus is missing or damaged.
    """
    names = [name for name in checked_columns(texts, TEXTS) if name not in _NOT_HELD]
    coded = {name: Codes() for name in names if name not in ("text", "document", "raters")}
    owners, parts = Owners(), []
    for batch in read_record_batches(texts, *names):
        frame = batch.drop_columns(["text"]).to_pandas()
        owners.add(frame["document"])
        for name, codes in coded.items():
            codes.add(frame[name])
        lengths = {"characters": pc.utf8_length(batch["text"]), "bytes": pc.binary_length(batch["text"])}
        parts.append(frame[["raters"]].assign(**{name: found.to_numpy() for name, found in lengths.items()}))
    found: pd.DataFrame = pd.concat(parts, ignore_index=True).assign(document=owners.numbers())
    parts.clear()
    for name in list(coded):  # one by one: what numbers become names from is as large as the names
        found[name] = coded.pop(name).categories().astype(object)
    return found
