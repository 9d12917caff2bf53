"""Token streams cut into rows of one length: training rows are shuffled in each epoch and have no padding."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from samizdat.base.seeds import derive_seed
from samizdat.models.head_loss import NO_TARGET


class TrainingRows:
    """All rows of a training run, in order: epoch after epoch, each cut at other places and shuffled in another order.

    All texts, in the corpus's order and each after its boundary token, form a ring of tokens. An epoch begins at a
    random place of the ring, cuts rows of `context_tokens` targets and shuffles the rows. The tokens after the last
    full row, fewer than a row, are not used in this epoch. So a text keeps its neighbours, which are often of the same
    document or kind, as it does in evaluations; each token is a target at most once an epoch; and the number of a row
    is all that a resumed run needs.
    """

    def __init__(self, tokens: np.ndarray, *, context_tokens: int, seed: int):
        """Cut a token stream.

        Args:
            tokens: flat array; each text begins with its boundary token.
            context_tokens: targets in a row.
            seed: random seed of places and orders.
        """
        self._tokens = tokens
        self._context = context_tokens
        self._seed = seed
        self.rows_per_epoch = len(tokens) // context_tokens
        self._epoch, self._begin, self._order = -1, 0, np.empty(0, int)

    def batch(self, first: int, count: int) -> np.ndarray:
        """Return `count` rows from `first` on, int64 `[count, context_tokens + 1]`: inputs, and one more target."""
        return np.stack([self._row(number) for number in range(first, first + count)])

    def _row(self, number: int) -> np.ndarray:
        epoch, row = divmod(number, self.rows_per_epoch)
        if epoch != self._epoch:
            draw = np.random.default_rng(derive_seed(self._seed, "epoch", epoch))
            self._epoch, self._begin = epoch, -int(draw.integers(len(self._tokens)))
            self._order = draw.permutation(self.rows_per_epoch)
        start = self._begin + self._order[row] * self._context
        # The tokens may be mapped into memory and many: only those of the row are read.
        places = np.arange(start, start + self._context + 1) % len(self._tokens)
        tokens: np.ndarray = self._tokens[places].astype(np.int64)
        return tokens


def evaluation_rows(tokens: np.ndarray, *, boundary: int, context_tokens: int, rows: int) -> np.ndarray:
    """Cut a split into rows with every token as a target exactly once; `NO_TARGET` fills up the last rows.

    Args:
        tokens: flat array; each text begins with its boundary token.
        boundary: the boundary token's id, which also ends the last text.
        context_tokens: targets in a row.
        rows: the number of rows is a multiple of this, so that all batches have one shape.

    Returns:
        int64 `[n, context_tokens + 1]`. The first token of a row is the one before its first target.
    """
    stream = np.append(tokens, boundary).astype(np.int64)
    targets = len(stream) - 1
    count = -(-targets // (context_tokens * rows)) * rows
    padded = np.full(count * context_tokens + 1, NO_TARGET, np.int64)
    padded[: len(stream)] = stream
    starts = np.arange(count)[:, None] * context_tokens
    rows_of_tokens: np.ndarray = padded[starts + np.arange(context_tokens + 1)[None, :]]
    return rows_of_tokens


@dataclass(frozen=True)
class TrainingData:
    """What a model is trained and selected on."""

    rows: TrainingRows
    validation: np.ndarray  # as `evaluation_rows` returns it
    validation_bytes: int  # UTF-8 bytes of the validation texts, for bits per byte


def read_tokens(path: Path, dtype: str) -> np.ndarray:
    """Map the tokens of a file `tokens/<split>.bin` into memory, without loading them."""
    kind = np.dtype(dtype).newbyteorder("<")
    return np.memmap(path, kind, mode="r") if path.stat().st_size else np.empty(0, kind)
