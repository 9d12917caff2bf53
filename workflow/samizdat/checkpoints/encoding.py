"""Texts to tokens: what a tokenizer's special tokens spell is ordinary text when it stands in a text."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from samizdat.base.errors import UserError

BOUNDARY = "<|endoftext|>"


def load(folder: Path) -> PreTrainedTokenizerFast:
    """The tokenizer saved in a folder.

    Raises:
        UserError: there is none, or it can't be loaded.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True, trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError) as error:
        raise UserError(
            f"the tokenizer in {folder} can't be loaded: {error}", remedy="fetch or copy it again"
        ) from None
    # Without any of its files, transformers makes one that knows its special tokens and nothing else.
    if len(tokenizer) <= len(tokenizer.all_special_ids):
        raise UserError(f"{folder} holds no tokenizer", remedy="name a checkpoint that brings its own")
    return tokenizer


def encode(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> list[list[int]]:
    """The token ids of each text, without any special token.

    A text that spells `<|endoftext|>` gets the tokens of these characters, never the boundary token: a text
    can't end itself.
    """
    if not texts:
        return []
    encoded = tokenizer(
        list(texts),
        add_special_tokens=False,
        split_special_tokens=True,
        return_attention_mask=False,
        return_token_type_ids=False,
        verbose=False,
    )
    return encoded["input_ids"]


def token_dtype(vocabulary_size: int) -> np.dtype:
    """How `tokens/*.bin` hold an id: little-endian, as small as the vocabulary allows."""
    return np.dtype("<u2" if vocabulary_size <= 2**16 else "<u4")
