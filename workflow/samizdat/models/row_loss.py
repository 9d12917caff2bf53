"""The loss of a GPT-2 on rows of tokens as one function, compiled where that is wanted."""

from collections.abc import Iterable
from typing import cast

import torch
from torch._inductor import config as inductor
from transformers import AttentionInterface, GPT2LMHeadModel
from transformers.models.gpt2.modeling_gpt2 import GPT2Block
from transformers.pytorch_utils import Conv1D

from samizdat.models.cpu_layers import SHORT_CONTEXT_TOKENS, GeluBySigmoid, short_attention
from samizdat.models.head_loss import ChunkLoss, head_loss, loss_of_chunk, token_losses
from samizdat.models.int8 import Int8Affine


class CannotCompileError(Exception):
    """PyTorch can't compile on this machine. What it tried to compile is of no further use."""


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
        """Compile for rows of the example's shape.

        Raises:
            CannotCompileError: the machine lacks what PyTorch compiles with.
        """
        if self.kind == "cpu" and self.model.config.n_positions <= SHORT_CONTEXT_TOKENS:
            AttentionInterface.register("short", short_attention)
            self.model.set_attn_implementation("short")
        if self.kind == "cpu" and self.model.config.activation_function == "gelu_new":
            for block in self._blocks:
                block.mlp.act = GeluBySigmoid()
        # Otherwise three programs are compiled and run to find out what /proc/cpuinfo says: six seconds.
        inductor.cpp.vec_isa_ok = True
        # Block by block: the first is compiled, and all use its code.
        for block in self._blocks:
            block.compile(dynamic=False)
        self.chunk_loss = torch.compile(loss_of_chunk, dynamic=False)
        # In evaluation mode, as in the first validation.
        self.model.eval()
        try:
            with torch.no_grad():
                self(example)
        except Exception as error:
            # A dozen kinds of exceptions are possible on a machine without a C++ compiler or Python's headers.
            raise CannotCompileError(str(error)) from error

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Compute the summed loss of the rows, one number."""
        states, weight = self._states(rows), self.model.lm_head.weight
        return head_loss(states, weight, rows[:, 1:].flatten(), self.chunk_loss, int8=self.int8)

    def of_tokens(self, rows: torch.Tensor) -> torch.Tensor:
        """Compute the loss of each target, `[n, context]`, 0 where there is none; gradients are off."""
        with torch.no_grad():
            return token_losses(self._states(rows), self.model.lm_head.weight, rows[:, 1:].flatten()).view(
                len(rows), -1
            )

    def _states(self, rows: torch.Tensor) -> torch.Tensor:
        """Compute what the head reads, `[n · context, width]`."""
        dtype, body = self.dtype, self.model.transformer
        with torch.autocast(self.kind, dtype=dtype, enabled=dtype is not torch.float32):
            # Not by the body's own `forward`: it searches the tokens for padding and for packed sequences, and each
            # search makes the host wait for a GPU.
            inputs = rows[:, :-1].clamp(min=0)
            hidden = body.drop(body.wte(inputs) + body.wpe.weight[: inputs.shape[1]])
            for block in self._blocks:
                hidden = block(hidden)
            hidden = body.ln_f(hidden)
        states: torch.Tensor = hidden.flatten(0, 1).to(dtype)
        return states
