"""Labels of raters as `samizdat label read` writes them, and put together as the statistics do."""

import hashlib

import numpy as np
import pandas as pd

from samizdat.records.labels import HUMAN_LABELS
from samizdat.statistics.rater_agreement import wide


def labels_of(rows, raters=("anna", "ben")):
    """Make a table of labels of rows (subset, id, text, stratum, size, label of each rater)."""
    return pd.DataFrame(
        [
            {"question": "sentiment", "words": "", "subset": subset, "id": key,
             "sha256": hashlib.sha256(text.encode()).hexdigest(), "stratum": stratum, "stratum_size": size,
             "rater": rater, "label": label, "labels": None, "number": np.nan}
            for subset, key, text, stratum, size, given in rows
            for rater, label in zip(raters, given, strict=True)
        ],
        columns=HUMAN_LABELS.names,
    )  # fmt: skip


def several(kind, column, rows):
    """Put rows together as `wide` does: what people and the classifier said of each text, its stratum and its size."""
    table = pd.concat(
        labels_of([("texts", str(number), "x", stratum, size, given)]).assign(**{"label": None, column: given})
        for number, (given, _, stratum, size) in enumerate(rows)
    )
    return wide(table, kind).assign(predicted=[said for _, said, *_ in rows])
