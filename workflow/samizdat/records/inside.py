"""The schemas of what was found inside a model: what tokens cost, what it expects next, where its heads look."""

import pyarrow as pa

from samizdat.records.io import table_schema

# `models/<model>/inside/tokens.parquet`: two texts, token by token, for each kept checkpoint.
TOKENS = table_schema(
    source=pa.string(),  # "held_out": a text of the test split; "sample": a text that the model wrote
    id=pa.string(),  # of the text or of the sample
    percent=pa.int16(),  # percent of training of the checkpoint; 100 is the published model
    step=pa.int32(),  # optimiser steps of the checkpoint
    position=pa.int32(),  # of the token in the text, from 1
    token=pa.string(),  # its characters; a byte that is a part of a character is written as \\xe2
    bits=pa.float32(),  # -log2 of the probability of the token after those before it
    rank=pa.int32(),  # 1: no token of the vocabulary was more probable
)

# `models/<model>/inside/next_tokens.parquet`: the most probable tokens behind one prompt of the config, for each kept
# checkpoint.
NEXT_TOKENS = table_schema(
    prompt=pa.string(),
    percent=pa.int16(),
    step=pa.int32(),
    place=pa.int32(),  # 1: the most probable
    token=pa.string(),  # as in `tokens.parquet`; null for the token that ends a text
    probability=pa.float32(),
)

# `models/<model>/inside/heads.parquet`: where each attention head of the published weights looks,
# averaged over tokens of held-out texts.
HEADS = table_schema(
    layer=pa.int32(),  # from 1
    head=pa.int32(),  # from 1
    previous=pa.float32(),  # share of its attention that is on the token before
    first=pa.float32(),  # on the boundary token, with which each text begins
    same=pa.float32(),  # on earlier tokens that are the same, where there are any; null where no text has any
    distance=pa.float32(),  # how many tokens back it looks on average
    texts=pa.int64(),  # that were read
    tokens=pa.int64(),  # whose attention was averaged
    repeated=pa.int64(),  # of these, tokens that are in their text before
)

# `models/<model>/inside/attention.parquet`: the attention of each head in the beginning of the held-out text of
# `tokens.parquet`; the published weights.
ATTENTION = table_schema(
    layer=pa.int32(),
    head=pa.int32(),
    position=pa.int32(),  # of the token that looks; 0 is the boundary token before the text
    at=pa.int32(),  # of the token that is looked at
    weight=pa.float32(),
)

# `models/<model>/inside/token_kinds.parquet`: what tokens of each kind cost in held-out texts, by the losses of
# `test_losses.parquet`.
TOKEN_KINDS = table_schema(
    division=pa.string(),  # "place": where in its word a token is; "kind": what the word is
    part=pa.string(),  # "whole", "beginning", "inside", "end", "between", "ending"; or "capitalised", "number", "other"
    tokens=pa.int64(),
    bytes=pa.int64(),
    bits=pa.float64(),
    bits_per_byte=pa.float64(),  # null for the token that ends a text, like its interval
    low=pa.float64(),  # over documents; null with too few
    high=pa.float64(),
    texts=pa.int64(),  # that were looked at
    documents=pa.int64(),  # of these texts, those with such a token
)

INSIDE = {
    "tokens": TOKENS,
    "next_tokens": NEXT_TOKENS,
    "heads": HEADS,
    "attention": ATTENTION,
    "token_kinds": TOKEN_KINDS,
}
