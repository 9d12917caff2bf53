"""The loss of each text of a split, as a table."""

import numpy as np
import pandas as pd
import torch

from samizdat.models.row_loss import RowLoss
from samizdat.models.rows import evaluation_rows


def text_losses(
    loss: RowLoss, tokens: np.ndarray, *, boundary: int, context_tokens: int, sequences: int
) -> pd.DataFrame:
    """Measure a model on each text of a split; the rows are those of `records.models.TEST_LOSSES`.

    Args:
        loss: of the model, which is put into evaluation mode.
        tokens: the split's tokens; each text begins with its boundary token.
        boundary: the boundary token's id, which also ends the last text.
        context_tokens: targets in a row. A text is read after those before it, as in training.
        sequences: rows that are computed at once.
    """
    loss.eval()
    rows = torch.from_numpy(evaluation_rows(tokens, boundary=boundary, context_tokens=context_tokens, rows=sequences))
    parts = [loss.of_tokens(part.to(loss.kind)).cpu() for part in torch.split(rows, sequences)]
    nats = torch.cat(parts).flatten()[: len(tokens)].double().numpy()
    # The target after a token is counted for the token's text, so a boundary is counted for the text that it ends.
    text = np.cumsum(np.asarray(tokens) == boundary) - 1
    sizes = np.bincount(text)
    return pd.DataFrame(
        {
            "nats": np.bincount(text, nats),
            "tokens": sizes.astype(np.int32),
            "token_nats": np.split(nats.astype(np.float32), np.cumsum(sizes)[:-1]),
        }
    )
