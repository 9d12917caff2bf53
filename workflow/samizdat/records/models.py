"""The summaries of a tokenizer and a model, its losses of test texts, and the rows of its training log."""

from dataclasses import dataclass, fields

import pyarrow as pa

from samizdat.base.language import message
from samizdat.records.io import table_schema


@dataclass(frozen=True)
class LogRow:
    """`models/<model>/train_log.csv`: one row for each evaluation."""

    step: int  # optimiser steps so far
    tokens: int  # training tokens seen so far
    epoch: float
    learning_rate: float  # of the AdamW parameters
    gradient_norm: float | None  # before clipping; empty in the row of step 0
    train_loss: float | None  # nats per token, mean since the previous row; empty in the row of step 0
    validation_loss: float  # nats per token
    validation_perplexity: float  # per token of this tokenizer
    validation_bits_per_byte: float


TRAIN_LOG_COLUMNS = tuple(field.name for field in fields(LogRow))


# `models/<model>/test_losses.parquet`: the published weights' loss of each test text, in the order of the corpus.
TEST_LOSSES = table_schema(
    nats=pa.float64(),  # summed over the tokens of the text and the boundary token that ends it
    tokens=pa.int32(),  # of these
    token_nats=pa.list_(pa.float32()),  # the summands, in the order of the text
)


@dataclass(frozen=True)
class TokenizerSummary:
    """`tokenizers/<tokenizer>/summary.json`."""

    name: str
    vocabulary_size: int
    tokens: dict[str, int]  # split → tokens, with one boundary token for each text
    utf8_bytes: dict[str, int]  # split → bytes of the texts
    changed: dict[str, int]  # split → texts that their tokens don't give back, so that their bits per byte are too low
    characters_per_token: float
    boundary_token_id: int
    token_dtype: str  # number format of tokens/*.bin: "uint16" or "uint32", little-endian


# Kind of device → words for people.
DEVICES = {"cpu": message("a CPU"), "cuda": message("a GPU (cuda)"), "mps": message("a GPU (mps)")}


@dataclass(frozen=True)
class ModelSummary:
    """`models/<model>/summary.json`."""

    name: str
    tokenizer: str
    start: str  # "scratch", or the checkpoint that its training continued
    parameters: int
    device_kind: str  # a key of DEVICES
    compute_dtype: str  # of matrix products: "int8", "bfloat16", "float16" or "float32"; weights are float32
    compiled: bool  # whether torch.compile was used
    micro_batch_sequences: int  # sequences that each process computes at once
    processes: int  # processes that share each batch
    recipe: dict[str, float]  # key of `training` → its value, where a recipe decided it
    steps_planned: int
    steps_done: int
    best_step: int
    tokens_seen: int
    validation_loss: float  # of the published (best) weights, nats per token; they were selected by it
    validation_perplexity: float
    validation_bits_per_byte: float
    test_loss: float  # of the published weights on texts that nothing was selected on
    test_perplexity: float
    test_bits_per_byte: float
    checkpoints: dict[str, int]  # percent of training → step of the checkpoint
    weights_sha256: str  # of the published model.safetensors


@dataclass(frozen=True)
class RoundedModel:
    """`models/<model>/eight_bits/summary.json`: a model whose weights are rounded to eight bits.

    Beside it are the weights of each kept checkpoint, `<percent>.safetensors`. A matrix has a row for each output, in
    int8, and its float32 `<name>.scales`; a vector is float32. Names are transformers', without "transformer.".
    """

    layers: int
    heads: int
    width: int
    inner_width: int  # of the feed-forward layers
    context_tokens: int
    vocabulary_size: int
    boundary_token_id: int
    epsilon: float  # of the normalisations
    attention_scales: list[float]  # of each layer, for the products of queries and keys
    steps: dict[str, int]  # percent of training → step of the checkpoint
    bits_per_byte: dict[str, float]  # percent → bits per byte of the validation texts, with the weights as trained
    rounded_bits_per_byte: dict[str, float]  # percent → the same, with the rounded weights
