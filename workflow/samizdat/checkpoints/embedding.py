"""Texts as points: the mean of a sentence encoder's outputs, as unit vectors."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional
from transformers import AutoModel

from samizdat.checkpoints import sources
from samizdat.checkpoints.encoding import load
from samizdat.checkpoints.windows import batches, cut

# Of a text, what stands behind this many tokens is not read: encoders of sentences were not made for more.
LONGEST_TOKENS = 128
BATCH_TOKENS = 4096


@torch.inference_mode()
def embed(texts: Sequence[str], encoder: str, revision: str | None, device: str) -> np.ndarray:
    """The mean over a text's tokens of the encoder's last layer, scaled to length 1 (Reimers and Gurevych 2019).

    Args:
        texts: one without any token is the origin.
        encoder: as `hub.locate` takes it.
        revision: its commit on the Hub.
        device: `cpu`, `cuda` or `mps`.

    Returns:
        `[texts, width]`, float32.

    Raises:
        UserError: the encoder can't be had.
    """
    found = sources.locate(encoder, revision)
    tokenizer = load(found.path)
    model = AutoModel.from_pretrained(
        found.path, dtype=torch.float32, use_safetensors=True, local_files_only=True, trust_remote_code=False
    )
    model.eval().to(device)
    points = np.zeros((len(texts), model.config.hidden_size), np.float32)
    firsts: Counter[int] = Counter()
    windows = []
    for window in cut(tokenizer, texts, LONGEST_TOKENS, 0):
        firsts[window.text] += 1
        if firsts[window.text] == 1:
            windows.append(window)
    for batch in batches(windows, batch_tokens=BATCH_TOKENS, padding_id=tokenizer.pad_token_id, kind=device):
        inputs = {name: values.to(device) for name, values in batch.inputs.items()}
        states, mask = model(**inputs).last_hidden_state, inputs["attention_mask"]
        weights = mask[:, :, None].float()
        means = (states * weights).sum(dim=1) / weights.sum(dim=1)
        vectors = functional.normalize(means, dim=1).cpu().numpy()
        points[[window.text for window in batch.windows]] = vectors[: len(batch.windows)]
    return points
