"""Encoding of texts as tokens; the name of a special token inside a text is encoded as ordinary text."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from transformers import BatchEncoding, PreTrainedTokenizerFast

from samizdat.base.errors import UserError
from samizdat.checkpoints import sources

BOUNDARY = "<|endoftext|>"
# A tokenizer whose tokens of a corpus are unknown to a larger share can't read it.
MOST_UNKNOWN = 0.1
# While texts are encoded, each of their tokens takes about 120 bytes. So this many texts are encoded together, but of
# long ones fewer: of books one or two.
TEXTS_AT_ONCE, CHARACTERS_AT_ONCE = 2048, 2_000_000
# Settings of a normaliser or pre-tokeniser that tokenizer_config.json decides, or the class, where it says nothing.
_OF_CONFIG = {"add_prefix_space", "clean_text", "handle_chinese_chars", "lowercase", "strip_accents"}


def load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Load the tokenizer in a folder.

    Raises:
        UserError: the folder has no tokenizer, or it can't be loaded, or only as a slow one.
    """
    # This class imports torch, which takes a second; a tokenizer that is made here needs none.
    from transformers import AutoTokenizer

    none = UserError(
        f"{folder} has no tokenizer",
        remedy="name a checkpoint that has its own tokenizer; into a folder of your own, write it with transformers: "
        f"`tokenizer.save_pretrained({str(folder)!r})`",
    )
    if not any(path for pattern in sources.VOCABULARY_FILES for path in folder.glob(pattern)):
        raise none
    with sources.loading(sources.Located(folder, f"the tokenizer in {folder}")):
        tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True, trust_remote_code=False, local_files_only=True)
        if isinstance(tokenizer, PreTrainedTokenizerFast) and not _cuts_as_its_file(tokenizer, folder):
            tokenizer = _of_its_file(tokenizer, folder)
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise UserError(
            f"the tokenizer in {folder} can't be loaded as a fast tokenizer",
            remedy="name a checkpoint that has a tokenizer.json",
        )
    # If its files are missing, transformers makes a tokenizer that has only special tokens.
    if len(tokenizer) <= len(tokenizer.all_special_ids):
        raise none
    return tokenizer


def _cuts_as_its_file(tokenizer: PreTrainedTokenizerFast, folder: Path) -> bool:
    """Whether a tokenizer normalises and cuts texts as its tokenizer.json says, if it has one.

    Of many classes (those of GPT-2, Qwen and RoBERTa) transformers 5 takes only the vocabulary from this file. What
    `_OF_CONFIG` names is not compared: there transformers follows tokenizer_config.json, and always did.
    """
    if not (folder / "tokenizer.json").is_file():
        return True
    own, made = Tokenizer.from_file(str(folder / "tokenizer.json")), tokenizer.backend_tokenizer
    return _settings_of(own) == _settings_of(made)


def _settings_of(tokenizer: Tokenizer) -> list[object]:
    """Return the settings of a tokenizer's normaliser and pre-tokeniser; what is pickled of each is their JSON."""
    parts = (tokenizer.normalizer, tokenizer.pre_tokenizer)
    return [None if part is None else _without_config(json.loads(part.__getstate__())) for part in parts]


def _without_config(settings: object) -> object:
    """Leave out, in all depths, what tokenizer_config.json decides."""
    if isinstance(settings, dict):
        return {key: _without_config(value) for key, value in settings.items() if key not in _OF_CONFIG}
    return [_without_config(one) for one in settings] if isinstance(settings, list) else settings


def _of_its_file(tokenizer: PreTrainedTokenizerFast, folder: Path) -> PreTrainedTokenizerFast:
    """Load the tokenizer.json as it is, with the special tokens and sides of the class that transformers chose."""
    kept = ("model_input_names", "padding_side", "truncation_side")
    settings = tokenizer.special_tokens_map | {name: getattr(tokenizer, name) for name in kept}
    found: PreTrainedTokenizerFast = PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True, **settings)
    return found


def encode(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> list[list[int]]:
    """Encode each text as token ids, without special tokens.

    The characters `<|endoftext|>` in a text become the tokens of these characters, never the boundary token, so that
    no text can end itself.
    """
    # Without the places of tokens, and without what transformers makes of them: a sixth faster.
    found = backend_of(tokenizer).encode_batch_fast(list(texts), add_special_tokens=False)
    return [one.ids for one in found]


def few_at_once(texts: Iterable[str], most: int | None = None) -> Iterator[list[str]]:
    """Divide texts, in their order, into lists of so few that their tokens take little memory.

    Args:
        texts: the texts.
        most: texts in a list; None: TEXTS_AT_ONCE.
    """
    some: list[str] = []
    characters = 0
    for text in texts:
        if some and (len(some) == (most or TEXTS_AT_ONCE) or characters + len(text) > CHARACTERS_AT_ONCE):
            yield some
            some, characters = [], 0
        some.append(text)
        characters += len(text)
    if some:
        yield some


def backend_of(tokenizer: PreTrainedTokenizerFast) -> Tokenizer:
    """Return the tokenizer's own tokenizer, which cuts, pads and reads no special tokens by itself."""
    backend: Tokenizer = tokenizer.backend_tokenizer
    backend.no_truncation()
    backend.no_padding()
    backend.encode_special_tokens = True  # their names in a text are ordinary text
    return backend


def encode_with_offsets(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> BatchEncoding:
    """Encode texts as `encode` does; `offset_mapping` has the characters that each token begins and ends at."""
    encoded: BatchEncoding = tokenizer(
        list(texts),
        add_special_tokens=False,
        split_special_tokens=True,
        return_attention_mask=False,
        return_token_type_ids=False,
        return_offsets_mapping=True,
        verbose=False,
    )
    return encoded


def unknown_share(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]) -> float:
    """Return the share of the texts' tokens that the vocabulary lacks; 0 where it can spell every text."""
    if tokenizer.unk_token_id is None:
        return 0.0
    unknown = tokens = 0
    for ids in (ids for some in few_at_once(texts) for ids in encode(tokenizer, some)):
        unknown += ids.count(tokenizer.unk_token_id)
        tokens += len(ids)
    return unknown / max(1, tokens)


def refuse_unread_texts(tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], origin: str, *, remedy: str) -> None:
    """Refuse a model whose vocabulary lacks much of the texts: it sees hardly more than their lengths.

    Raises:
        UserError: more than MOST_UNKNOWN of the tokens are unknown.
    """
    unread = unknown_share(tokenizer, texts)
    if unread > MOST_UNKNOWN:
        raise UserError(
            f"{origin} doesn't know {unread:.0%} of the tokens in these texts, so it can't learn from them",
            remedy=remedy,
        )


def refuse_long_prompts(
    tokenizer: PreTrainedTokenizerFast, prompts: Sequence[str], *, context_tokens: int, name: str
) -> None:
    """Refuse prompts that fill a model's context; the boundary before them and what is written need a place each.

    Args:
        tokenizer: the model's.
        prompts: beginnings of texts.
        context_tokens: the model's context.
        name: of the model.

    Raises:
        UserError: names the first such prompt.
    """
    for prompt, tokens in zip(prompts, encode(tokenizer, prompts), strict=True):
        if len(tokens) > context_tokens - 2:
            raise UserError(
                f"the prompt {prompt[:60]!r} has {len(tokens)} tokens; the model {name!r} can continue at most "
                f"{context_tokens - 2}",
                remedy="shorten it under `prompts` in the config, or raise training.context_tokens",
            )


def token_dtype(vocabulary_size: int) -> np.dtype:
    """Return the number format of ids in `tokens/*.bin`: little-endian, and as small as the vocabulary allows."""
    return np.dtype("<u2" if vocabulary_size <= 2**16 else "<u4")
