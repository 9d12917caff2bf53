"""The corpus in tokens: a file for each split, written batch by batch, and what is counted on the way."""

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from transformers import PreTrainedTokenizerFast

from samizdat.base.errors import UserError
from samizdat.checkpoints.encoding import encode, few_at_once
from samizdat.records.corpus import SPLITS
from samizdat.records.io import read_batches


@dataclass
class EncodedSplit:
    """What is counted of the texts of a split."""

    texts: int = 0
    tokens: int = 0  # with a boundary token for each text
    characters: int = 0
    utf8_bytes: int = 0
    changed: int = 0  # texts that their tokens don't give back
    lost: Counter[str] = field(default_factory=Counter)  # the characters that these lack then


def encode_corpus(
    tokenizer: PreTrainedTokenizerFast,
    texts: Path,
    folder: Path,
    dtype: np.dtype,
    *,
    loses_none: bool,
    remedy: str,
) -> dict[str, EncodedSplit]:
    """Write `<split>.bin` for each split: for each text, in the table's order, the boundary token and its tokens.

    Args:
        tokenizer: what cuts texts into tokens; its end-of-sequence token is the boundary.
        texts: the corpus.
        folder: where to write.
        dtype: of the tokens.
        loses_none: the tokenizer is known to give every text back, so none is decoded to see that.
        remedy: of the error.

    Raises:
        UserError: the tokenizer gives the boundary token to characters, too.
    """
    found = {split: EncodedSplit() for split in SPLITS}
    with ExitStack() as stack:
        files = {split: stack.enter_context((folder / f"{split}.bin").open("wb")) for split in SPLITS}
        for batch in read_batches(texts, "text", "split"):
            for split in SPLITS:
                for some in few_at_once(batch.loc[batch["split"] == split, "text"]):
                    ids = encode(tokenizer, some)
                    boundary = tokenizer.eos_token_id
                    if any(boundary in tokens for tokens in ids):
                        raise UserError(
                            f"the tokenizer {tokenizer.name_or_path} gives its end-of-sequence token to characters, "
                            "since it doesn't know them or they are that token's name, so the texts of the "
                            f"{split} split can't be told apart",
                            remedy=remedy,
                        )
                    files[split].write(np.concatenate([np.array([boundary, *one], dtype) for one in ids]).tobytes())
                    _count(found[split], some, ids)
                    if not loses_none:
                        _compare(tokenizer, found[split], some, ids)
    return found


def _count(split: EncodedSplit, texts: list[str], ids: list[list[int]]) -> None:
    split.texts += len(texts)
    split.tokens += len(texts) + sum(map(len, ids))
    split.characters += sum(map(len, texts))
    split.utf8_bytes += sum(len(text.encode()) for text in texts)


def _compare(tokenizer: PreTrainedTokenizerFast, split: EncodedSplit, texts: list[str], ids: list[list[int]]) -> None:
    """Count the texts that their tokens don't give back."""
    decoded = tokenizer.backend_tokenizer.decode_batch(ids, skip_special_tokens=False)
    for text, again in zip(texts, decoded, strict=True):
        if again not in (text, f" {text}"):  # some tokenizers put a blank before each text
            split.changed += 1
            split.lost.update(Counter(text) - Counter(again))
