"""DeBERTa's attention in packed rows: content and relative position (He et al., DeBERTa, ICLR 2021).

transformers multiplies each token with the embedding of every relative position that the model knows, 512 in
DeBERTa-v3, and then picks those that a window has. Here a window of L tokens is multiplied with its own 2 L - 1. The
embeddings' products with the weights are the same for every text, and are computed once.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedConfig
from transformers.models.deberta_v2.modeling_deberta_v2 import (
    DebertaV2Model,
    DisentangledSelfAttention,
    build_relative_position,
)

from samizdat.checkpoints.each_window import attend


def is_supported(config: PreTrainedConfig) -> bool:
    """Whether a DeBERTa's tokens interact only in attention, and it knows relative positions."""
    return bool(config.relative_attention) and not getattr(config, "conv_kernel_size", 0)


@torch.inference_mode()
def replace_attention(model: DebertaV2Model) -> None:
    """Give a model attention that reads packed rows."""
    encoder = model.encoder
    # Rows and columns of a long text's attention have every distance between two tokens, less to greater.
    longest = torch.empty(model.config.max_position_embeddings, 0)
    between = build_relative_position(longest, longest, encoder.position_buckets, encoder.max_relative_positions)[0]
    distances = torch.cat([between[0].flip(0), between[1:, 0]])
    embeddings = encoder.get_rel_embedding()
    for layer in encoder.layer:
        attention: Any = layer.attention
        attention.self = PackedAttention(attention.self, embeddings, distances)
    encoder.relative_attention = False  # else it would compute the distances of a whole row
    # Without a mask, transformers would make one for each two tokens of a row.
    nothing = {"attention_mask": torch.ones(1, 1, 1)}
    model.register_forward_pre_hook(lambda _, args, kwargs: (args, kwargs | nothing), with_kwargs=True)


class PackedAttention(nn.Module):
    """The attention of one layer, for packed rows."""

    def __init__(self, own: DisentangledSelfAttention, embeddings: Tensor, distances: Tensor):
        """Take over a layer's attention.

        Args:
            own: of transformers.
            embeddings: of relative positions, `[positions, width]`.
            distances: the relative position of two tokens, by their distance: `[2 longest - 1]`, less to greater.
        """
        super().__init__()
        self._own = own
        self._scale = (own.attention_head_size * (1 + len(own.pos_att_type))) ** -0.5
        middle = own.pos_ebd_size
        chosen = embeddings[(distances + middle).clamp(0, 2 * middle - 1)]
        shared = own.share_att_key
        self._positions: dict[str, Tensor] = {}  # [heads, 2 longest - 1, size]
        if "c2p" in own.pos_att_type:
            keys = (own.key_proj if shared else own.pos_key_proj)(chosen.flip(0))
            self._positions["c2p"] = self._heads(keys)
        if "p2c" in own.pos_att_type:
            queries = (own.query_proj if shared else own.pos_query_proj)(chosen)
            self._positions["p2c"] = self._heads(queries) * self._scale

    def forward(self, hidden_states: Tensor, *unused: object, **more: object) -> tuple[Tensor, None]:
        """Compute attention inside each window, from `[1, tokens, width]` to the same."""
        own, states = self._own, hidden_states[0]
        query, key, value = (self._heads(project(states)) for project in (own.query_proj, own.key_proj, own.value_proj))
        return attend(query * self._scale, key, value, self._of_positions).flatten(1).unsqueeze(0), None

    def _heads(self, states: Tensor) -> Tensor:
        heads: Tensor = states.unflatten(-1, (self._own.num_attention_heads, -1)).transpose(0, 1)
        return heads

    def _of_positions(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Add up how well queries fit to the positions of keys, and keys to those of queries."""
        _, windows, length, _ = queries.shape
        found = queries.new_zeros(())
        for name, positions in self._positions.items():
            middle = positions.shape[1] // 2
            # A copy for each window: without, a small product has other last bits where there is one window.
            mine = positions[:, None, middle - length + 1 : middle + length].expand(-1, windows, -1, -1).contiguous().mT
            found = found + (_skewed(queries @ mine) if name == "c2p" else _skewed(keys @ mine).mT)
        return found


def _skewed(scores: Tensor) -> Tensor:
    """Take `length` columns of each row i of `[heads, windows, length, 2 length - 1]`, from length - 1 - i on."""
    heads, windows, length, _ = scores.shape
    strides = (*scores.stride()[:2], scores.stride(2) - 1, 1)
    return scores.as_strided((heads, windows, length, length), strides, length - 1)
