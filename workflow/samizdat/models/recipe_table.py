"""Settings for corpora of several sizes, as docs/recipes.md has them; imports no torch."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """Settings for corpora of about so many tokens."""

    tokens: int  # of the train split
    vocabulary_size: int
    layers: int
    width: int
    epochs: float
    batch_tokens: int
    matrix_learning_rate: float
    learning_rate: float
    weight_decay: float
    dropout: float


# docs/recipes.md has what was measured.
ROWS = (
    Row(7_500, 512, 2, 128, 20.0, 128, 0.004, 0.01, 1.3, 0.0),
    Row(31_000, 1024, 2, 128, 12.0, 512, 0.004, 0.01, 1.3, 0.0),
    Row(140_000, 2048, 3, 192, 8.0, 1024, 0.004, 0.01, 1.3, 0.0),
    Row(580_000, 6144, 4, 256, 4.5, 8192, 0.006, 0.014, 1.3, 0.0),
)
BYTES_PER_TOKEN = 2.5  # about, with these vocabularies; before there is a vocabulary


def row_for(tokens: float) -> Row:
    """Return the row that is nearest by ratio."""
    return min(ROWS, key=lambda row: abs(math.log(max(1.0, tokens) / row.tokens)))


def vocabulary_size(utf8_bytes: int) -> int:
    """Return how many tokens a vocabulary has that suits a train split of so many bytes."""
    return row_for(utf8_bytes / BYTES_PER_TOKEN).vocabulary_size
