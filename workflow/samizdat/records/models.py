"""The summaries of a tokenizer and of a model, and the columns of a training log."""

from dataclasses import dataclass

TRAIN_LOG_COLUMNS = (
    "step",  # optimiser steps so far
    "tokens",  # training tokens seen so far
    "epoch",
    "learning_rate",  # of the AdamW parameters
    "gradient_norm",  # before clipping; empty on the row of step 0
    "train_loss",  # nats a token, mean since the row before; empty on the row of step 0
    "validation_loss",  # nats a token
    "validation_perplexity",  # over this tokenizer's tokens
    "validation_bits_per_byte",
)


@dataclass(frozen=True)
class TokenizerSummary:
    """`tokenizers/<tokenizer>/summary.json`."""

    name: str
    vocabulary_size: int
    tokens: dict[str, int]  # split → tokens, a boundary token for each text included
    utf8_bytes: dict[str, int]  # split → bytes of the texts themselves
    characters_per_token: float
    boundary_token_id: int
    token_dtype: str  # of tokens/*.bin: "uint16" or "uint32", little-endian


# The kinds of devices in words.
DEVICES = {"cpu": "a CPU", "cuda": "a GPU (cuda)", "mps": "a GPU (mps)"}


@dataclass(frozen=True)
class ModelSummary:
    """`models/<model>/summary.json`."""

    name: str
    tokenizer: str
    start: str  # "scratch", or the checkpoint that it continues
    parameters: int
    device_kind: str  # one of DEVICES
    compute_dtype: str  # of matrix products: "int8", "bfloat16", "float16" or "float32"; weights are float32
    compiled: bool  # whether torch.compile could be used
    micro_batch_sequences: int  # computed at once by each process
    processes: int  # that shared each batch
    steps_planned: int
    steps_done: int
    best_step: int
    tokens_seen: int
    validation_loss: float  # of the published (best) weights
    validation_perplexity: float
    validation_bits_per_byte: float
    checkpoints: dict[str, int]  # percent → step at which it was taken
    weights_sha256: str  # of the published model.safetensors
