"""A causal language model that reads many texts after one beginning, which it has read once.

Texts are packed into rows without padding. Each token attends to the beginning, whose keys and values are kept, and to
the tokens of its own text; each word that may follow a text is read behind it as if it were the only one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AttentionInterface, AutoModelForCausalLM, PreTrainedModel

from samizdat.base.device import Device
from samizdat.checkpoints.packed import pack_linear_layers
from samizdat.checkpoints.side_by_side import computed_batches
from samizdat.checkpoints.unpadded import packed_rows
from samizdat.checkpoints.windows import Batch, Window

# A row has one place (for one text) for each 16 tokens: at each place the probabilities of the whole vocabulary are
# computed, whether a text is there or not.
TOKENS_PER_PLACE = 16
# Attention reads so many texts of one length at once, and zeros where there are fewer; on a CPU, as many as there are.
# How a GPU adds up depends on how many there are.
TEXTS_OF_ONE_LENGTH = {"cpu": None, "cuda": 4, "mps": 4}
_ATTENTION = "after-prefix"


class SharedPrefixModel:
    """A model on a device, in one number format, that says how probable some words are after a beginning and a text.

    Attributes:
        tail: the number of tokens that are read behind each text: of each word all but the last.
    """

    def __init__(
        self, folder: Path, device: Device, dtype: torch.dtype, prefix: Sequence[int], words: Sequence[Sequence[int]]
    ):
        """Load the checkpoint in `folder` onto the device, and read the beginning.

        Args:
            folder: of the checkpoint.
            device: where to compute.
            dtype: of weights and products.
            prefix: the tokens of the beginning, one or more.
            words: the tokens of each word, one or more.
        """
        self._device = device
        self._texts_at_once = TEXTS_OF_ONE_LENGTH[device.kind]
        self._model = cast(
            PreTrainedModel,
            AutoModelForCausalLM.from_pretrained(
                folder, dtype=dtype, use_safetensors=True, local_files_only=True, trust_remote_code=False
            ),
        )
        self._model.eval().to(device.kind)
        pack_linear_layers(self._model)
        self._length = len(prefix)
        self._read_prefix(prefix)
        self._tokens = [token for word in words for token in word[:-1]]
        self.tail = len(self._tokens)
        self._word_of = np.repeat(np.arange(len(words)), [len(word) - 1 for word in words])
        self._steps = np.concatenate([np.arange(len(word) - 1) for word in words]).astype(np.int64)
        self._first = torch.tensor([word[0] for word in words], device=device.kind)
        self._next = torch.tensor([token for word in words for token in word[1:]], device=device.kind, dtype=torch.long)

    def log_likelihoods(
        self, texts: Iterable[Window], batch_tokens: int, threads: int
    ) -> Iterator[tuple[Batch, np.ndarray]]:
        """Compute the logarithm of each word's probability after the beginning and each text, batch by batch.

        Args:
            texts: the tokens of each text, none longer than `batch_tokens` less `tail`.
            batch_tokens: tokens of a batch.
            threads: batches that a CPU computes at once.

        Returns:
            An iterator of batches, each with its `[texts, words]` in float32.
        """
        tailed = (replace(one, tokens=[*one.tokens, *self._tokens]) for one in texts)
        rows = packed_rows(
            tailed, batch_tokens=batch_tokens, first_position=self._length, tokens_per_place=TOKENS_PER_PLACE
        )
        return computed_batches(rows, self._compute, self._device.kind, threads)

    @torch.inference_mode()
    def _read_prefix(self, prefix: Sequence[int]) -> None:
        """Keep the keys and values of the beginning, of each layer `[heads, tokens, size]`."""
        tokens = torch.tensor([prefix], device=self._device.kind)
        cache = self._model(input_ids=tokens, use_cache=True, logits_to_keep=1).past_key_values
        self._prefix = [(layer.keys[0], layer.values[0]) for layer in cache.layers]
        AttentionInterface.register(_ATTENTION, _attention)
        self._model.set_attn_implementation(_ATTENTION)

    @torch.inference_mode()
    def _compute(self, batch: Batch) -> np.ndarray:
        kind, tail = self._device.kind, self.tail
        groups = batch.inputs["groups"]
        positions = batch.inputs["position_ids"]
        starts, lengths = batch.inputs["starts"].numpy(), np.full(len(batch.inputs["starts"]), tail + 1)
        lengths[: len(batch.windows)] = [len(window.tokens) for window in batch.windows]
        kept = (starts + lengths - tail - 1)[:, None] + np.arange(tail + 1)
        if tail:
            positions[0, kept[: len(batch.windows), 1:]] = positions[
                0, kept[: len(batch.windows), :1]
            ] + torch.from_numpy(self._steps + 1)
        output = self._model(
            input_ids=batch.inputs["input_ids"].to(kind),
            position_ids=positions.to(kind),
            use_cache=False,
            logits_to_keep=torch.from_numpy(kept.ravel()).to(kind),
            groups=list(_parts(groups, self._texts_at_once)),
            texts_at_once=self._texts_at_once,
            masks={length: self._mask(length) for length in {group[2] for group in groups}},
            prefix=self._prefix,
        )
        logits = output.logits[0].float().unflatten(0, (-1, tail + 1))
        said = (logits - logits.logsumexp(dim=-1, keepdim=True))[: len(batch.windows)]
        found: np.ndarray = said[:, 0, self._first].cpu().numpy()
        if tail:
            later = said[:, 1:].gather(2, self._next.expand(len(said), -1).unsqueeze(-1))[..., 0].cpu().numpy()
            # One after the other: the sum of a word doesn't depend on how many texts there are.
            for place, word in enumerate(self._word_of):
                found[:, word] += later[:, place]
        return found

    def _mask(self, length: int) -> Tensor:
        """Make the mask of a text and its words `[length, length]`: −∞ where a token doesn't see another, else 0."""
        own = np.concatenate([np.full(length - self.tail, -1), self._word_of])
        sees = np.tri(length, dtype=bool) & ((own == -1)[None, :] | (own[:, None] == own[None, :]))
        return torch.where(torch.from_numpy(sees), 0.0, -torch.inf).to(self._device.kind)


def _parts(groups: list[list[int]], most: int | None) -> Iterator[tuple[int, int, int]]:
    """Divide runs of texts with one length (start, number of texts, length) into runs of `most` texts."""
    for start, count, length in groups:
        step = most or count
        for first in range(0, count, step):
            yield start + first * length, min(step, count - first), length


def _attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    *,
    groups: list[tuple[int, int, int]],
    texts_at_once: int | None,
    masks: dict[int, Tensor],
    prefix: list[tuple[Tensor, Tensor]],
    **unused: Any,
) -> tuple[Tensor, None]:
    """Compute attention to the beginning and inside each text, from `[1, heads, tokens, size]` to `[1, tokens, …]`.

    The two parts have a softmax each, and are weighted by their sums. Products with the beginning have the shape of a
    whole row, all others that of one text, or of `texts_at_once`: so the bits of a text don't depend on the others in
    the row.
    """
    query = query[0] * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    # Some models have fewer keys than queries.
    times = len(query) // key.shape[1]
    key, value, keys, values = (
        part.repeat_interleave(times, dim=0) if times > 1 else part
        for part in (key[0], value[0], *prefix[cast(int, module.layer_idx)])
    )
    scores = (query @ keys.mT).float()
    top = scores.amax(dim=-1, keepdim=True)
    weights = scores.sub_(top).exp_()
    total = weights.sum(dim=-1, keepdim=True)
    found = weights.to(value.dtype) @ values / total.to(value.dtype)
    for start, count, length in groups:
        here = slice(start, start + count * length)
        missing = (texts_at_once or count) - count
        mine, own_keys, own_values = (
            functional.pad(part[:, here].unflatten(1, (count, length)), (0, 0, 0, 0, 0, missing)).contiguous()
            for part in (query, key, value)
        )
        own = (mine @ own_keys.mT).float() + masks[length]
        own_top = own.amax(dim=-1, keepdim=True)
        own_weights = own.sub_(own_top).exp_()
        own_total = own_weights.sum(dim=-1, keepdim=True)
        own_found = own_weights.to(value.dtype) @ own_values / own_total.to(value.dtype)
        before = (top[:, here] + total[:, here].log()).unflatten(1, (count, length))
        ahead = (own_top + own_total.log())[:, :count] - before
        # PyTorch's sigmoid computes the last elements of an array by other code than those before them.
        share = (1 + (-ahead).exp()).reciprocal().to(value.dtype)
        other = found[:, here].unflatten(1, (count, length))
        found[:, here] = (other + share * (own_found[:, :count] - other)).flatten(1, 2)
    return found.transpose(0, 1).unsqueeze(0).contiguous(), None
