"""Windows end to end in one row: an encoder that computes no padding, for a CPU."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

import numpy as np
import torch
from transformers import AttentionInterface, PreTrainedConfig, PreTrainedModel

from samizdat.checkpoints.windows import Batch, Window

# Their tokens meet nowhere but in attention, positions can be given, and their heads read a text's first token.
MODEL_TYPES = frozenset({"bert", "camembert", "distilbert", "electra", "roberta", "xlm-roberta"})
# A row has places for so many windows as it has tokens, divided by this: few windows are shorter.
TOKENS_PER_PLACE = 4
# As many rows' worth of windows wait until one is filled: so nearly always some length fits what is left of it, and
# many of one length stand side by side, whose attention is one product.
ROWS_WAITING = 64
# From so many tokens on PyTorch's softmax is faster in float32 than in bfloat16, by half to two thirds; below, slower.
LONG_ENOUGH = 16


def can_read_end_to_end(config: PreTrainedConfig) -> bool:
    """Whether a model of that config can be given rows; a causal one can't, since windows look both ways here."""
    return config.model_type in MODEL_TYPES and not getattr(config, "is_decoder", False)


def read_end_to_end(model: PreTrainedModel) -> None:
    """Let a model that can take the rows of `rows`; it takes no others from now on.

    Every product has the shape of a whole row, or in attention of a single window, however many of its length are
    computed at once; so a window's score has the same bits wherever it stands and whatever stands beside it.
    """
    AttentionInterface.register("each-window", _attention)
    model.set_attn_implementation("each-window")
    model.base_model.register_forward_hook(_keep_first_tokens, with_kwargs=True)


def rows(windows: Iterable[Window], *, batch_tokens: int, first_position: int) -> Iterator[Batch]:
    """Rows of `batch_tokens` tokens, each filled with the longest windows that fit, and what is left in the end.

    Args:
        windows: none longer than `batch_tokens`.
        batch_tokens: in a row.
        first_position: the number that the model gives to a text's first token.
    """
    waiting: dict[int, list[Window]] = defaultdict(list)
    tokens = 0
    for window in windows:
        waiting[len(window.tokens)].append(window)
        tokens += len(window.tokens)
        while tokens >= ROWS_WAITING * batch_tokens:
            batch = _row(waiting, batch_tokens, first_position)
            tokens -= sum(len(window.tokens) for window in batch.windows)
            yield batch
    while waiting:
        yield _row(waiting, batch_tokens, first_position)


def _row(waiting: dict[int, list[Window]], batch_tokens: int, first_position: int) -> Batch:
    """Take windows out of those that wait."""
    places = max(1, batch_tokens // TOKENS_PER_PLACE)
    chosen: list[Window] = []
    left = batch_tokens
    for length in sorted(waiting, reverse=True):
        count = min(left // length, len(waiting[length]), places - len(chosen))
        if count:
            chosen += waiting[length][:count]
            left -= count * length
            del waiting[length][:count]
        if not waiting[length]:
            del waiting[length]
    input_ids = np.zeros((1, batch_tokens), np.int64)
    position_ids = np.full((1, batch_tokens), first_position)
    starts = np.zeros(places, np.int64)  # of places without a window: the first one's
    groups = []
    start = 0
    for place, window in enumerate(chosen):
        length = len(window.tokens)
        input_ids[0, start : start + length] = window.tokens
        position_ids[0, start : start + length] += np.arange(length)
        starts[place] = start
        if groups and groups[-1][2] == length:
            groups[-1][1] += 1
        else:
            groups.append([start, 1, length])
        start += length
    inputs = {"input_ids": input_ids, "position_ids": position_ids, "starts": starts}
    return Batch(chosen, {name: torch.from_numpy(value) for name, value in inputs.items()} | {"groups": groups})


def _attention(module, query, key, value, attention_mask, scaling=None, dropout=0.0, *, groups, **unused):
    """Attention inside of each window of a row, `[1, heads, tokens, size]` to `[1, tokens, heads, size]`.

    `groups` are runs of windows of one length: where they start, how many they are, and their length.
    """
    query = query[0] * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    found = torch.zeros_like(query)
    for start, count, length in groups:
        here = slice(start, start + count * length)
        mine, keys, values = (
            part[:, here].unflatten(1, (count, length)).contiguous() for part in (query, key[0], value[0])
        )
        scores = mine @ keys.mT
        shares = scores.softmax(dim=-1, dtype=torch.float32 if length >= LONG_ENOUGH else None).to(scores.dtype)
        found[:, here] = (shares @ values).flatten(1, 2)
    return found.transpose(0, 1).unsqueeze(0).contiguous(), None


def _keep_first_tokens(encoder, args, kwargs, output):
    """In place of the row, each place's first token as a sequence of its own, for the head to read."""
    output.last_hidden_state = output.last_hidden_state[0, kwargs["starts"]].unsqueeze(1)
    if getattr(encoder, "pooler", None) is not None:
        output.pooler_output = encoder.pooler(output.last_hidden_state)
    return output
