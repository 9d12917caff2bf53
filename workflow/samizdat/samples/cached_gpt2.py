"""GPT-2 one token at a time, for many texts at once, with fixed shapes and a cache of fixed length."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import cast

import torch
from torch import nn
from torch.nn import functional
from transformers import GPT2LMHeadModel
from transformers.models.gpt2.modeling_gpt2 import GPT2Attention, GPT2Block

from samizdat.checkpoints.gpt2 import TANH_GELU, attention_scales

# Tokens of a text whose keys and values are stored together.
BLOCK = 32


class Decoder:
    """Computes the forward pass of a GPT-2 in float32: one token for each slot in a call.

    Every matrix product has one shape, whatever is in the slots. Attention adds up blocks of one length in their order,
    and blocks that are not yet written add exactly 0. So a text's logits have the same bits in any slot, among any
    other texts, and for any number of blocks that are read; on a CPU, if each thread computes alone.
    """

    def __init__(self, model: GPT2LMHeadModel, slots: int, cache_tokens: int):
        """Make a cache for `slots` texts.

        Args:
            model: in evaluation mode, on its device; its layers are called, not copied.
            slots: texts at once.
            cache_tokens: the longest text, in tokens; at most the model's context.
        """
        config = model.config
        self._model, self._slots, self.cache_tokens = model, slots, cache_tokens
        # The stub of ModuleList doesn't say of which modules it is a list.
        self._blocks = list(cast(Iterable[GPT2Block], model.transformer.h))
        self._heads, self._head_width = config.n_head, config.n_embd // config.n_head
        activation = self._blocks[0].mlp.act
        # What transformers computes in six passes; in packed layers the product before it has computed it.
        tanh = config.activation_function in TANH_GELU and not isinstance(activation, nn.Identity)
        self._activation = (lambda hidden: functional.gelu(hidden, approximate="tanh")) if tanh else activation
        self._scales = attention_scales(config)
        device = self.device = model.device
        # Keys and values of each layer: the first block of all heads of all slots, then the second, …
        blocks = -(-cache_tokens // BLOCK)
        self._cache = torch.zeros(
            (config.n_layer, 2, blocks, slots * config.n_head, BLOCK, self._head_width), device=device
        )
        self._places = torch.arange(blocks * BLOCK, device=device).view(blocks, 1, BLOCK)
        self._rows = torch.arange(slots * config.n_head, device=device).view(slots, -1)
        self._tokens = torch.zeros(slots, dtype=torch.long, device=device)
        self._positions = torch.zeros(slots, dtype=torch.long, device=device)
        # On a GPU, one graph for each number of blocks that are read; all write into the same logits.
        self._graphs: dict[int, torch.cuda.CUDAGraph] = {}
        self._memory = torch.cuda.graph_pool_handle() if device.type == "cuda" else None
        self._logits = torch.empty(slots if device.type == "cuda" else 0, config.vocab_size, device=device)

    @torch.inference_mode()
    def step(self, tokens: torch.Tensor, positions: torch.Tensor, longest: int) -> torch.Tensor:
        """Read one token of each slot.

        Args:
            tokens: token ids `[slots]`.
            positions: how many tokens of its text precede each, `[slots]`; 0 begins a new text in the slot.
            longest: the greatest of `positions`; the host knows it and doesn't wait for the device.

        Returns:
            Logits of the next token, `[slots, vocabulary]`; on a GPU the next call overwrites them.
        """
        self._tokens.copy_(tokens)
        self._positions.copy_(positions)
        blocks = longest // BLOCK + 1
        if self._memory is None:
            return self._forward(blocks)
        if blocks not in self._graphs:
            self._graphs[blocks] = self._capture(blocks)
        self._graphs[blocks].replay()
        return self._logits

    def _capture(self, blocks: int) -> torch.cuda.CUDAGraph:
        """Record the forward pass over `blocks` blocks as a CUDA graph: one launch replaces hundreds of small ones."""
        with _unique_places():
            stream = torch.cuda.Stream()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                self._forward(blocks)  # what libraries set up at their first call can't be recorded
            torch.cuda.current_stream().wait_stream(stream)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, pool=self._memory):
                self._logits.copy_(self._forward(blocks))
        return graph

    def _forward(self, blocks: int) -> torch.Tensor:
        """Compute the logits, reading the first `blocks` blocks of the cache."""
        body = self._model.transformer
        hidden = body.wte.weight[self._tokens] + body.wpe.weight[self._positions]
        starts = self._positions.div(BLOCK, rounding_mode="floor") * self._rows.numel()
        places = ((starts[:, None] + self._rows) * BLOCK + (self._positions % BLOCK)[:, None]).flatten()
        unwritten = self._places[:blocks] > self._positions.repeat_interleave(self._heads)[:, None]
        bias = torch.zeros_like(unwritten, dtype=hidden.dtype).masked_fill_(unwritten, -torch.inf)
        for layer, block in enumerate(self._blocks):
            attended = self._attend(layer, block.attn, _normalise(block.ln_1, hidden), places, bias)
            hidden = hidden + block.attn.c_proj(attended)
            inner = self._activation(block.mlp.c_fc(_normalise(block.ln_2, hidden)))
            hidden = hidden + block.mlp.c_proj(inner)
        logits: torch.Tensor = self._model.lm_head(_normalise(body.ln_f, hidden))
        return logits

    def _attend(
        self, layer: int, attention: GPT2Attention, hidden: torch.Tensor, places: torch.Tensor, bias: torch.Tensor
    ) -> torch.Tensor:
        """Write the new tokens' keys and values into the cache, and compute their attention to all that it holds.

        Args:
            layer: number of the layer.
            attention: the layer's weights.
            hidden: the new tokens, `[slots, width]`.
            places: the row of the cache for each head of each slot, in rows of a head's width, `[slots * heads]`.
            bias: 0, or minus infinity for what is not yet written, `[blocks, slots * heads, BLOCK]`.

        Returns:
            `[slots, width]`.
        """
        blocks, heads, width = len(bias), self._rows.numel(), self._head_width
        query, key, value = attention.c_attn(hidden).view(self._slots, 3, -1, width).unbind(1)
        keys, values = self._cache[layer]
        keys.view(-1, width).index_copy_(0, places, key.reshape(heads, width))
        values.view(-1, width).index_copy_(0, places, value.reshape(heads, width))
        keys, values = keys[:blocks].flatten(0, 1), values[:blocks].flatten(0, 1)
        query = query.expand(blocks, -1, -1, width).reshape(-1, 1, width)
        scores = torch.baddbmm(bias.view(-1, 1, BLOCK), query, keys.transpose(1, 2), alpha=self._scales[layer])
        scores = scores.view(blocks, heads, BLOCK)
        weights = (scores - scores.amax(dim=(0, 2), keepdim=True)).exp_()
        mixed = torch.bmm(weights.view(-1, 1, BLOCK), values).view(blocks, heads, width)
        return (_in_order(mixed) / _in_order(weights.sum(dim=2, keepdim=True))).view(self._slots, -1)


@contextmanager
def _unique_places() -> Iterator[None]:
    """Let a GPU write to places without sorting them.

    Deterministic algorithms sort them in case two writes go to one place; here all places are different.
    """
    torch.use_deterministic_algorithms(False)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(True)


def _in_order(parts: torch.Tensor) -> torch.Tensor:
    """Sum `parts` along the first axis, from first to last: zeros at the end change no bit."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _normalise(norm: torch.nn.LayerNorm, hidden: torch.Tensor) -> torch.Tensor:
    return functional.layer_norm(hidden, norm.normalized_shape, norm.weight, norm.bias, norm.eps)
