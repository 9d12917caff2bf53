"""Packing of windows into rows without padding between them, for an encoder on a CPU."""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AttentionInterface, PreTrainedConfig, PreTrainedModel
from transformers.utils.generic import ModelOutput

from samizdat.checkpoints import disentangled
from samizdat.checkpoints.each_window import Row, attend, row
from samizdat.checkpoints.windows import Batch, Window

# In these models tokens interact only in attention, positions can be given, and the head reads a text's first token.
MODEL_TYPES = frozenset({"bert", "camembert", "deberta-v2", "distilbert", "electra", "roberta", "xlm-roberta"})
# A row has one place (for one window) for each 4 tokens; few windows are shorter.
TOKENS_PER_PLACE = 4
# Windows for this many rows are collected before a row is filled. So nearly always some window fits into the rest of a
# row, and most of a row has windows of one length, whose attention is one product.
ROWS_WAITING = 64
# A window that has waited for so many rows comes first: without this, one of a rare length waits for the end of the
# corpus, and the scores of its text's other windows wait with it.
MOST_ROWS_WAITED = 2048

# Windows by length, in the order in which they came; each with the number of rows that were made before.
_Waiting = dict[int, deque[tuple[int, Window]]]


def supports_packing(config: PreTrainedConfig) -> bool:
    """Whether a model of this config can read packed rows; a causal model can't, because attention here is two-way."""
    if config.model_type == "deberta-v2" and not disentangled.is_supported(config):
        return False
    return config.model_type in MODEL_TYPES and not getattr(config, "is_decoder", False)


def enable_packing(model: PreTrainedModel) -> None:
    """Change a model so that it reads the batches of `packed_rows`, and no others.

    Every matrix product has the shape of a whole row or of all its places, or in attention of one window, however many
    windows of that length are computed at once. So a window's score has the same bits at every place in a row, next to
    any others. The head reads first tokens alone, so the last layer computes no others; DistilBERT's and DeBERTa's do
    in attention.
    """
    encoder: Any = model.base_model
    if model.config.model_type == "deberta-v2":
        disentangled.replace_attention(encoder)
    else:
        AttentionInterface.register("each-window", _attention)
        model.set_attn_implementation("each-window")
    model.register_forward_pre_hook(_remember_row, with_kwargs=True)
    if model.config.model_type == "distilbert":
        encoder.transformer.layer[-1].sa_layer_norm.register_forward_hook(lambda *call: _first_tokens(call[-1]))
    else:
        last = encoder.encoder.layer[-1].attention
        if model.config.model_type == "deberta-v2":
            last.self.register_forward_hook(lambda *call: (_first_tokens(call[-1][0]), None))
        else:
            last.self = _FirstTokenAttention(last.self)
        last.output.register_forward_pre_hook(lambda _, inputs: (inputs[0], _first_tokens(inputs[1])))
    encoder.register_forward_hook(_one_sequence_each)


def packed_rows(
    windows: Iterable[Window], *, batch_tokens: int, first_position: int, tokens_per_place: int = TOKENS_PER_PLACE
) -> Iterator[Batch]:
    """Fill rows of `batch_tokens` tokens, each with windows of as few lengths as possible.

    No window waits for many more than MOST_ROWS_WAITED rows, whatever lengths the others have.

    The tensors are `input_ids` and `position_ids`, `[1, batch_tokens]`, where a window has segments `token_type_ids`,
    too, and `starts`, `[places]`: where the window of each place begins. `groups` are runs of windows with one length:
    start, number of windows, length.

    Args:
        windows: the windows, none longer than `batch_tokens`.
        batch_tokens: tokens in a row.
        first_position: position id of a text's first token.
        tokens_per_place: a row has one place for so many tokens.

    Raises:
        ValueError: a window is longer than a row.
    """
    places = max(1, batch_tokens // tokens_per_place)
    waiting: _Waiting = defaultdict(deque)
    tokens = rows = 0
    for window in windows:
        if len(window.tokens) > batch_tokens:
            raise ValueError(f"a window of {len(window.tokens)} tokens does not fit into a row of {batch_tokens}")
        waiting[len(window.tokens)].append((rows, window))
        tokens += len(window.tokens)
        while tokens >= ROWS_WAITING * batch_tokens:
            chosen = _take_windows(waiting, batch_tokens, places, overdue=rows - MOST_ROWS_WAITED)
            tokens -= sum(len(window.tokens) for window in chosen)
            rows += 1
            yield _row(chosen, batch_tokens, places, first_position)
    while waiting:
        chosen = _take_windows(waiting, batch_tokens, places, overdue=rows - MOST_ROWS_WAITED)
        rows += 1
        yield _row(chosen, batch_tokens, places, first_position)


def _take_windows(waiting: _Waiting, batch_tokens: int, places: int, overdue: int) -> list[Window]:
    """Take the windows of one row out of `waiting`.

    Each time those of one length are taken that fill the most of what is left; but first those of the lengths that have
    a window that came before row `overdue`. If the longest were taken first, each row would have a few windows of many
    lengths: of the demo's 18 in place of 2, and a sixth of the time went there.
    """
    chosen: list[Window] = []
    left = batch_tokens

    def fitting(length: int) -> int:
        return min(left // length, len(waiting[length]), places - len(chosen))

    def worth(length: int) -> tuple[bool, int, int]:
        count = fitting(length)
        return count > 0 and waiting[length][0][0] < overdue, count * length, length

    while waiting:
        length = max(waiting, key=worth)
        count = fitting(length)
        if not count:
            break
        chosen += [waiting[length].popleft()[1] for _ in range(count)]
        left -= count * length
        if not waiting[length]:
            del waiting[length]
    return chosen


def _row(chosen: list[Window], batch_tokens: int, places: int, first_position: int) -> Batch:
    """Put windows into one row."""
    input_ids = np.zeros((1, batch_tokens), np.int64)
    position_ids = np.full((1, batch_tokens), first_position)
    starts = np.zeros(places, np.int64)  # a place without a window has the first window's start
    token_type_ids = np.zeros((1, batch_tokens), np.int64)
    groups: list[list[int]] = []
    start = 0
    for place, window in enumerate(chosen):
        length = len(window.tokens)
        input_ids[0, start : start + length] = window.tokens
        position_ids[0, start : start + length] += np.arange(length)
        starts[place] = start
        if window.types is not None:
            token_type_ids[0, start : start + length] = window.types
        if groups and groups[-1][2] == length:
            groups[-1][1] += 1
        else:
            groups.append([start, 1, length])
        start += length
    inputs = {"input_ids": input_ids, "position_ids": position_ids, "starts": starts}
    if any(window.types is not None for window in chosen):
        inputs["token_type_ids"] = token_type_ids
    return Batch(chosen, {name: torch.from_numpy(value) for name, value in inputs.items()} | {"groups": groups})


def _attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **unused: Any,
) -> tuple[Tensor, None]:
    """Compute attention inside each window of a row, from `[1, heads, tokens, size]` to `[1, tokens, heads, size]`."""
    scaled = query[0] * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    return attend(scaled, key[0], value[0]).unsqueeze(0), None


class _FirstTokenAttention(nn.Module):
    """The attention of a layer of which only first tokens are needed."""

    def __init__(self, own: nn.Module):
        """Take over a layer's attention."""
        super().__init__()
        self._own: Any = own

    def forward(self, hidden_states: Tensor, *unused: object, **more: object) -> tuple[Tensor, None]:
        """Compute attention inside each window, from `[1, tokens, width]` to `[1, places, width]`."""
        own, states = self._own, hidden_states[0]
        first = states[row.get().starts]
        query, key, value = (
            project(read).unflatten(-1, (own.num_attention_heads, -1)).transpose(0, 1)
            for project, read in ((own.query, first), (own.key, states), (own.value, states))
        )
        return attend(query * own.scaling, key, value).flatten(1).unsqueeze(0), None


def _remember_row(
    model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Take the windows' places out of a model's arguments; its modules read them in `row`."""
    row.set(Row(kwargs["starts"], kwargs["groups"]))
    return args, {name: value for name, value in kwargs.items() if name not in Row._fields}


def _first_tokens(states: Tensor) -> Tensor:
    """Take the first token of each place: from `[1, tokens, width]` to `[1, places, width]`."""
    return states[:, row.get().starts]


def _one_sequence_each(encoder: nn.Module, args: tuple[Any, ...], output: ModelOutput) -> ModelOutput:
    """Make each first token a sequence of its own, for the head to read."""
    first = output["last_hidden_state"].transpose(0, 1)
    output["last_hidden_state"] = first
    pooler = getattr(encoder, "pooler", None)
    if pooler is not None:
        output["pooler_output"] = pooler(first)
    return output
