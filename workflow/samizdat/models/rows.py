"""Token streams as rows of one length: shuffled anew each epoch, nothing padded, nothing seen twice."""

from pathlib import Path

import numpy as np

from samizdat.base.seeds import derive_seed
from samizdat.models.head_loss import NO_TARGET


class TrainingRows:
    """All rows of a training run, in order: epoch after epoch, each cut elsewhere and shuffled anew.

    The texts lie end to end in the corpus's order, each behind its boundary token, as a ring. An epoch begins at
    a random place of it, cuts rows of `context_tokens` targets and shuffles the rows; the tokens behind the last
    full row, fewer than a row, sit this epoch out. So a text keeps its neighbours, which are often of the same
    document or kind, as it does when the model is validated; each token is a target at most once an epoch; and a
    row's number is all that a resumed run must know.
    """

    def __init__(self, tokens: np.ndarray, *, context_tokens: int, seed: int):
        """Take a flat array of tokens in which each text begins with its boundary token."""
        self._tokens = tokens
        self._context = context_tokens
        self._seed = seed
        self.rows_per_epoch = len(tokens) // context_tokens
        self._epoch, self._ring, self._order = -1, tokens, np.empty(0, int)

    def batch(self, first: int, count: int) -> np.ndarray:
        """Rows `first` to `first + count` as int64 `[count, context_tokens + 1]`: inputs, and one more target."""
        return np.stack([self._row(number) for number in range(first, first + count)])

    def _row(self, number: int) -> np.ndarray:
        epoch, row = divmod(number, self.rows_per_epoch)
        if epoch != self._epoch:
            draw = np.random.default_rng(derive_seed(self._seed, "epoch", epoch))
            ring = np.roll(self._tokens, draw.integers(len(self._tokens)))
            self._epoch, self._ring = epoch, np.append(ring, ring[:1])
            self._order = draw.permutation(self.rows_per_epoch)
        start = self._order[row] * self._context
        return self._ring[start : start + self._context + 1].astype(np.int64)


def evaluation_rows(tokens: np.ndarray, *, boundary: int, context_tokens: int, rows: int) -> np.ndarray:
    """Every token of a split as a target exactly once, in rows; `NO_TARGET` marks what is none.

    Args:
        tokens: flat, each text behind its boundary token.
        boundary: the boundary token's id, which also ends the last text.
        context_tokens: targets in a row.
        rows: the number of rows is a multiple of this, so that every batch has one shape.

    Returns:
        int64 `[n, context_tokens + 1]`. A row's first token is the one before its first target.
    """
    stream = np.append(tokens, boundary).astype(np.int64)
    targets = len(stream) - 1
    count = -(-targets // (context_tokens * rows)) * rows
    padded = np.full(count * context_tokens + 1, NO_TARGET, np.int64)
    padded[: len(stream)] = stream
    starts = np.arange(count)[:, None] * context_tokens
    return padded[starts + np.arange(context_tokens + 1)[None, :]]


def read_tokens(path: Path, dtype: str) -> np.ndarray:
    """The tokens of `tokens/<split>.bin`, mapped and not loaded."""
    kind = np.dtype(dtype).newbyteorder("<")
    return np.memmap(path, kind, mode="r") if path.stat().st_size else np.empty(0, kind)
