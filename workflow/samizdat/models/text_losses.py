"""The loss of each text of a split, as a table."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import torch

from samizdat.models.row_loss import RowLoss
from samizdat.models.rows import evaluation_batches, text_begins
from samizdat.records.io import BATCH_ROWS

TEXTS_AT_ONCE = 10_000


def text_losses(
    loss: RowLoss, tokens: np.ndarray, *, boundary: int, context_tokens: int, sequences: int
) -> Iterator[pd.DataFrame]:
    """Measure a model on each text of a split; the rows are those of `records.models.TEST_LOSSES`, in batches.

    Args:
        loss: of the model, which is put into evaluation mode.
        tokens: the split's tokens; each text begins with its boundary token.
        boundary: the boundary token's id, which also ends the last text.
        context_tokens: targets in a row. A text is read after those before it, as in training.
        sequences: rows that are computed at once.

    Yields:
        Frames of BATCH_ROWS texts, the last one of fewer; at least one.
    """
    loss.eval()
    nats = np.empty(len(tokens), np.float32)
    end = 0
    for rows in evaluation_batches(tokens, boundary=boundary, context_tokens=context_tokens, rows=sequences):
        found = loss.of_tokens(torch.from_numpy(rows).to(loss.kind)).flatten().cpu().numpy()
        begin, end = end, min(end + len(found), len(tokens))
        nats[begin:end] = found[: end - begin]
    # The target after a token is counted for the token's text, so a boundary is counted for the text that it ends.
    begins = text_begins(tokens, boundary)
    sizes = np.diff(begins, append=len(tokens))
    end = 0
    for first in range(0, max(len(sizes), 1), BATCH_ROWS):
        own = sizes[first : first + BATCH_ROWS]
        begin, end = end, end + int(own.sum())
        ends = np.cumsum(own)
        yield pd.DataFrame(
            {
                "nats": np.concatenate([np.empty(0), *_sums(nats[begin:end], ends - own, own)]),
                "tokens": own.astype(np.int32),
                "token_nats": np.split(nats[begin:end], ends)[:-1],
            }
        )


def _sums(nats: np.ndarray, begins: np.ndarray, sizes: np.ndarray) -> Iterator[np.ndarray]:
    """Sum the loss of each text in float64, some texts at a time: of all tokens, that would be many numbers."""
    for first in range(0, len(sizes), TEXTS_AT_ONCE):
        some = sizes[first : first + TEXTS_AT_ONCE]
        of_some = nats[begins[first] : begins[first] + some.sum()].astype(np.float64)
        yield np.bincount(np.repeat(np.arange(len(some)), some), of_some)
