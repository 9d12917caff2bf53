"""Write a table of texts as the corpus stage does, from a list of strings."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from samizdat.records.corpus import LABEL_PREFIX, TEXTS
from samizdat.records.io import write_table


def write_texts(
    texts: Sequence[str], path: Path, held_out: int = 1, validation: int = 0, **labels: Sequence[str | None]
) -> Path:
    """Write texts, each a document of its own: the last `held_out` are the test split, those before the validation."""
    learned = len(texts) - held_out - validation
    sha256 = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    frame = pd.DataFrame(
        {
            "id": [key[:16] for key in sha256],
            "text": list(texts),
            "document": sha256,
            "group": None,
            "split": ["train"] * learned + ["validation"] * validation + ["test"] * held_out,
            "sha256": sha256,
            "ratings": None,
            "raters": None,
            **{LABEL_PREFIX + name: list(values) for name, values in labels.items()},
        }
    )
    write_table(frame, TEXTS, path)
    return path
