"""Compute validation bits per byte of any GPT-2, by the same definition for ours and the peers (docs/methods.md)."""

import math

import torch
from torch.nn import functional

from samizdat.models.head_loss import NO_TARGET
from samizdat.models.rows import evaluation_batches


class Scorer:
    """Scores a model on the validation split, with every token as a target once."""

    def __init__(self, tokens, *, boundary: int, context: int, rows: int, utf8_bytes: int):
        """Take the split's tokens, each text after its boundary token, and its UTF-8 bytes."""
        self.rows = [
            torch.from_numpy(part)
            for part in evaluation_batches(tokens, boundary=boundary, context_tokens=context, rows=rows)
        ]
        self.utf8_bytes = utf8_bytes

    @torch.no_grad()
    def bits_per_byte(self, logits_of) -> float:
        """Score a function from inputs `[n, context]` to logits `[n, context, vocabulary]`."""
        nats = 0.0
        for part in self.rows:
            logits = logits_of(part[:, :-1].clamp(min=0)).float().cpu()
            targets = part[:, 1:].flatten()
            nats += functional.cross_entropy(
                logits.flatten(0, 1), targets, ignore_index=NO_TARGET, reduction="sum"
            ).item()
        return nats / math.log(2) / self.utf8_bytes
