"""The loss of a GPT-2 on rows of tokens as one function, compiled where that is wanted."""

import math
from collections.abc import Iterable
from typing import Any, cast

import torch
from transformers import AttentionInterface, GPT2LMHeadModel
from transformers.models.gpt2.modeling_gpt2 import GPT2Block
from transformers.pytorch_utils import Conv1D

from samizdat.models.head_loss import ChunkLoss, head_loss, loss_of_chunk
from samizdat.models.int8 import Int8Affine

# On a CPU, for contexts up to this length, whole score matrices are faster than PyTorch's flash attention: with 128
# tokens, forward and backward take 37 ms, not 109 (64 sequences, 4 heads of 64, bfloat16, one Zen 4 core).
SHORT_CONTEXT_TOKENS = 256


class RowLoss(torch.nn.Module):
    """Computes the summed loss, in nats, of rows `[n, context + 1]`; `NO_TARGET` in a row is not counted."""

    def __init__(self, model: GPT2LMHeadModel, *, kind: str, dtype: torch.dtype, int8: bool = False):
        """Take a model.

        Args:
            model: on its device.
            kind: of the device: `cpu`, `cuda` or `mps`.
            dtype: number format of the matrix products.
            int8: compute products with weights in eight-bit integers if gradients are wanted; the blocks' `Conv1D`
                are replaced by modules of the same parameters and names.
        """
        super().__init__()
        self.model = model
        self.kind = kind
        self.dtype = dtype
        self.int8 = int8
        if int8:
            for part in [part for block in self._blocks for part in (block.attn, block.mlp)]:
                for name in [name for name, module in part.named_children() if isinstance(module, Conv1D)]:
                    setattr(part, name, Int8Affine(getattr(part, name), dtype))
        self.chunk_loss: ChunkLoss = loss_of_chunk

    @property
    def _blocks(self) -> Iterable[GPT2Block]:
        # The stub of ModuleList doesn't say of which modules it is a list.
        return cast(Iterable[GPT2Block], self.model.transformer.h)

    def compile_with(self, example: torch.Tensor) -> None:
        """Compile for rows of the example's shape, on a machine that can (`compiling.can_compile`)."""
        if self.kind == "cpu" and self.model.config.n_positions <= SHORT_CONTEXT_TOKENS:
            AttentionInterface.register("short", short_attention)
            self.model.set_attn_implementation("short")
        if self.kind == "cpu" and self.model.config.activation_function == "gelu_new":
            for block in self._blocks:
                block.mlp.act = GeluBySigmoid()
        # Block by block: the first is compiled, and all use its code.
        for block in self._blocks:
            block.compile(dynamic=False)
        self.chunk_loss = torch.compile(loss_of_chunk, dynamic=False)
        # In evaluation mode, as in the first validation.
        self.model.eval()
        with torch.no_grad():
            self(example)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Compute the summed loss of the rows, one number."""
        dtype, body = self.dtype, self.model.transformer
        with torch.autocast(self.kind, dtype=dtype, enabled=dtype is not torch.float32):
            # Not by the body's own `forward`: it searches the tokens for padding and for packed sequences, and each
            # search makes the host wait for a GPU.
            inputs = rows[:, :-1].clamp(min=0)
            hidden = body.drop(body.wte(inputs) + body.wpe.weight[: inputs.shape[1]])
            for block in self._blocks:
                hidden = block(hidden)
            hidden = body.ln_f(hidden)
        states, goals = hidden.flatten(0, 1).to(dtype), rows[:, 1:].flatten()
        return head_loss(states, self.model.lm_head.weight, goals, self.chunk_loss, int8=self.int8)


class GeluBySigmoid(torch.nn.Module):
    """Computes GPT-2's GELU in float32, by the identity `(1 + tanh u) / 2 = sigmoid(2 u)`.

    Compiled for a CPU, `exp` is twice as fast as `tanh`: 4,096 tokens of 1,024 numbers take 1.7 ms forward and 2.2
    backward, with `tanh` 4.2 and 4.4 (two Zen 4 cores).
    """

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        """Compute the activation, in the number format of `numbers`."""
        exact = numbers.float()
        doubled = exact * (math.sqrt(8 / math.pi) * (1 + 0.044715 * exact * exact))
        return (exact * torch.sigmoid(doubled)).to(numbers.dtype)


def short_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    **unused: Any,
) -> tuple[torch.Tensor, None]:
    """Compute causal attention with whole score matrices, in the form that transformers calls.

    Products are computed in the number format of `query`, the softmax in float32.

    Args:
        module: the attention layer; only in training mode is dropout applied.
        query: `[batch, heads, tokens, size]`, as are `key` and `value`.
        key: without padding.
        value: without padding.
        attention_mask: not used; every token attends to itself and all before it.
        scaling: factor of the scores.
        dropout: share of the attention weights that are set to 0.
        **unused: what transformers gives other kinds of attention.

    Returns:
        `[batch, tokens, heads, size]`, and None in place of the weights.
    """
    # A contiguous copy of the keys is cheaper than the transposed copy that would be made otherwise.
    scores = ((query * scaling) @ key.contiguous().transpose(-1, -2)).float()
    place = torch.arange(query.shape[2], device=query.device)
    scores = scores.masked_fill(place[:, None] < place[None, :], -torch.inf)
    shares = scores.softmax(dim=-1).to(value.dtype)
    shares = torch.nn.functional.dropout(shares, dropout, training=module.training)
    return (shares @ value).transpose(1, 2), None
