"""Token streams cut into rows of one length: training rows are shuffled in each epoch and have no padding."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from samizdat.base.seeds import derive_seed
from samizdat.models.head_loss import NO_TARGET

BLOCK_TOKENS = 2**17  # at once from a file


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


def evaluation_batches(tokens: np.ndarray, *, boundary: int, context_tokens: int, rows: int) -> Iterator[np.ndarray]:
    """Cut a split into rows with every token as a target exactly once; `NO_TARGET` fills up the last rows.

    Args:
        tokens: flat array, which may be mapped into memory; each text begins with its boundary token.
        boundary: the boundary token's id, which also ends the last text.
        context_tokens: targets in a row.
        rows: of a batch: all batches have one shape.

    Yields:
        int64 `[rows, context_tokens + 1]`. The first token of a row is the one before its first target.
    """
    targets = rows * context_tokens
    for begin in range(0, len(tokens), targets):
        stream = np.full(targets + 1, NO_TARGET, np.int64)
        some = tokens[begin : begin + targets + 1]
        stream[: len(some)] = some
        if len(some) <= targets:
            stream[len(some)] = boundary
        yield sliding_window_view(stream, context_tokens + 1)[::context_tokens].copy()


def text_begins(tokens: np.ndarray, boundary: int) -> np.ndarray:
    """Find the boundary tokens of a token stream, which may be mapped into memory and is read in blocks, `[texts]`."""
    blocks = range(0, len(tokens), BLOCK_TOKENS)
    found = [begin + np.flatnonzero(tokens[begin : begin + BLOCK_TOKENS] == boundary) for begin in blocks]
    return np.concatenate([np.empty(0, np.int64), *found])


@dataclass(frozen=True)
class TrainingData:
    """What a model is trained and selected on."""

    rows: TrainingRows
    validation: np.ndarray  # the split's tokens
    boundary: int  # the boundary token's id
    validation_bytes: int  # UTF-8 bytes of the validation texts, for bits per byte


def read_tokens(path: Path, dtype: str) -> np.ndarray:
    """Map the tokens of a file `tokens/<split>.bin` into memory, without loading them."""
    kind = np.dtype(dtype).newbyteorder("<")
    return np.memmap(path, kind, mode="r") if path.stat().st_size else np.empty(0, kind)
