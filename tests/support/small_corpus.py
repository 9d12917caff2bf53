"""Write a table of texts as the corpus stage does, from a list of strings."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from samizdat.records.corpus import LABEL_PREFIX, TEXTS
from samizdat.records.io import write_table


def write_texts(texts: Sequence[str], path: Path, held_out: int = 1, **labels: Sequence[str | None]) -> Path:
    """Write texts, each a document of its own, the last `held_out` of them the validation split."""
    sha256 = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    frame = pd.DataFrame(
        {
            "id": [key[:16] for key in sha256],
            "text": list(texts),
            "document": sha256,
            "group": None,
            "split": ["train"] * (len(texts) - held_out) + ["validation"] * held_out,
            "sha256": sha256,
            "ratings": None,
            **{LABEL_PREFIX + name: list(values) for name, values in labels.items()},
        }
    )
    write_table(frame, TEXTS, path)
    return path
