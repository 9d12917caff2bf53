"""The loss of rows of tokens as one function of a GPT-2, compiled where the machine can."""

import logging
import math
from collections.abc import Callable

import torch
from torch._inductor import config as inductor
from transformers import AttentionInterface, GPT2LMHeadModel
from transformers.pytorch_utils import Conv1D

from samizdat.models.head_loss import head_loss, loss_of_chunk
from samizdat.models.int8 import Int8Affine

log = logging.getLogger("samizdat")

# On a CPU, up to this many tokens, whole score matrices are faster than PyTorch's flash attention: with 128
# tokens, forward and backward in 37 ms against 109 (64 sequences, 4 heads of 64, bfloat16, one Zen 4 core).
SHORT_CONTEXT_TOKENS = 256


class RowLoss(torch.nn.Module):
    """From rows `[n, context + 1]` to their summed loss in nats; `NO_TARGET` marks what is no target."""

    def __init__(self, model: GPT2LMHeadModel, *, kind: str, dtype: torch.dtype, int8: bool = False):
        """Take a model on a device of that kind; its matrix products are computed in `dtype`.

        With `int8` those with weights are computed in eight-bit integers where gradients are wanted: modules of the
        same parameters and names take the place of the blocks' `Conv1D`.
        """
        super().__init__()
        self.model = model
        self.kind = kind
        self.dtype = dtype
        self.int8 = int8
        if int8:
            for part in [part for block in model.transformer.h for part in (block.attn, block.mlp)]:
                for name in [name for name, module in part.named_children() if isinstance(module, Conv1D)]:
                    setattr(part, name, Int8Affine(getattr(part, name), dtype))
        self.chunk_loss: Callable = loss_of_chunk

    def compile_with(self, example: torch.Tensor) -> bool:
        """Compile for rows of the example's shape; False where the machine can't, which is logged."""
        if self.kind == "cpu" and self.model.config.n_positions <= SHORT_CONTEXT_TOKENS:
            AttentionInterface.register("short", short_attention)
            self.model.set_attn_implementation("short")
        if self.kind == "cpu" and self.model.config.activation_function == "gelu_new":
            for block in self.model.transformer.h:
                block.mlp.act = GeluBySigmoid()
        # Else three programs are compiled and run to see what /proc/cpuinfo says: six seconds.
        inductor.cpp.vec_isa_ok = True
        # Block by block: one is compiled, all use it.
        for block in self.model.transformer.h:
            block.compile(dynamic=False)
        self.chunk_loss = torch.compile(loss_of_chunk, dynamic=False)
        self.model.eval()  # as the first validation will find it
        try:
            with torch.no_grad():
                self(example)
        except Exception as error:
            # Any of a dozen exceptions where a machine lacks a C++ compiler or Python's headers.
            log.warning("can't compile here, so training runs uncompiled and slower: %s", error)
            torch.compiler.set_stance("force_eager")
            return False
        return True

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """The summed loss of the rows."""
        dtype, body = self.dtype, self.model.transformer
        with torch.autocast(self.kind, dtype=dtype, enabled=dtype is not torch.float32):
            # Not by the body's own `forward`: it looks at the tokens for padding and for packed sequences, and each
            # look makes the host wait for a GPU.
            inputs = rows[:, :-1].clamp(min=0)
            hidden = body.drop(body.wte(inputs) + body.wpe.weight[: inputs.shape[1]])
            for block in body.h:
                hidden = block(hidden)
            hidden = body.ln_f(hidden)
        states, goals = hidden.flatten(0, 1).to(dtype), rows[:, 1:].flatten()
        return head_loss(states, self.model.lm_head.weight, goals, self.chunk_loss, int8=self.int8)


class GeluBySigmoid(torch.nn.Module):
    """GPT-2's GELU, by the identity `(1 + tanh u) / 2 = sigmoid(2 u)`, computed in float32.

    Compiled for a CPU, `exp` is twice as fast as `tanh`: 4,096 tokens of 1,024 numbers take 1.7 ms forward and 2.2
    backward against 4.2 and 4.4 (two Zen 4 cores).
    """

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        """The activation, in the format of `numbers`."""
        exact = numbers.float()
        doubled = exact * (math.sqrt(8 / math.pi) * (1 + 0.044715 * exact * exact))
        return (exact * torch.sigmoid(doubled)).to(numbers.dtype)


def short_attention(module, query, key, value, attention_mask, scaling=None, dropout=0.0, **unused):
    """Causal attention by whole score matrices, for `[batch, heads, tokens, size]` without padding.

    Products in the format of `query`, softmax in float32.
    """
    # A copy of the keys, then read across, is cheaper than the transposed copy that would be made otherwise.
    scores = ((query * scaling) @ key.contiguous().transpose(-1, -2)).float()
    place = torch.arange(query.shape[2], device=query.device)
    scores = scores.masked_fill(place[:, None] < place[None, :], -torch.inf)
    shares = scores.softmax(dim=-1).to(value.dtype)
    shares = torch.nn.functional.dropout(shares, dropout, training=module.training)
    return (shares @ value).transpose(1, 2), None
