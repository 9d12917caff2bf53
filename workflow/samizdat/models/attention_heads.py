"""Where the attention heads of a model look, by simple measures."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from transformers import GPT2LMHeadModel

# The first token that has another token before it than the boundary token: for it, previous and first are not one.
_FIRST_MEASURED = 2


@torch.inference_mode()
def attention_of(model: GPT2LMHeadModel, tokens: Sequence[int]) -> np.ndarray:
    """Compute the attention weights of all heads in one text, `[layers, heads, tokens, tokens]`; each row sums to 1.

    Args:
        model: loaded with transformers' implementation `eager`, which gives them.
        tokens: at most as many as the model reads.
    """
    found = model(torch.tensor([tokens], device=model.device), output_attentions=True).attentions
    return np.stack([layer[0].float().cpu().numpy() for layer in found])


class HeadMeasures:
    """Sums what each head looks at over the tokens of texts; only tokens after the first one are counted.

    Shares of attention are those of Clark et al., What Does BERT Look At? (BlackboxNLP 2019); the mean distance is
    that of Vig and Belinkov, Analyzing the Structure of Attention in a Transformer Language Model (BlackboxNLP 2019).
    """

    def __init__(self, layers: int, heads: int):
        """Begin with no text."""
        self.sums = {name: np.zeros((layers, heads)) for name in ("previous", "first", "same", "distance")}
        self.texts = self.tokens = self.repeated = 0

    def add(self, tokens: Sequence[int], attention: np.ndarray) -> None:
        """Add a text.

        Args:
            tokens: of the text, the boundary token first.
            attention: as `attention_of` returns it.
        """
        numbers = np.asarray(tokens)
        measured = np.arange(len(numbers)) >= _FIRST_MEASURED
        back = np.arange(len(numbers))[:, None] - np.arange(len(numbers))[None, :]
        equal = (numbers[:, None] == numbers[None, :]) & (back > 0)
        chosen = attention[:, :, measured].astype(np.float64)
        for name, weights in (("previous", back == 1), ("distance", back.clip(min=0)), ("same", equal)):
            self.sums[name] += (chosen * weights[measured]).sum(axis=(2, 3))
        self.sums["first"] += chosen[..., 0].sum(axis=2)
        self.texts += 1
        self.tokens += int(measured.sum())
        self.repeated += int(equal[measured].any(axis=1).sum())

    def rows(self) -> Iterable[dict[str, float | None]]:
        """Yield the rows of `records.inside.HEADS`; none where no text has a token that is measured."""
        if not self.tokens:
            return
        for layer, head in np.ndindex(*self.sums["previous"].shape):
            of_head = {name: float(sums[layer, head]) for name, sums in self.sums.items()}
            yield {
                "layer": layer + 1,
                "head": head + 1,
                "previous": of_head["previous"] / self.tokens,
                "first": of_head["first"] / self.tokens,
                "same": of_head["same"] / self.repeated if self.repeated else None,
                "distance": of_head["distance"] / self.tokens,
                "texts": self.texts,
                "tokens": self.tokens,
                "repeated": self.repeated,
            }
