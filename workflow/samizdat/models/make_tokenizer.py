"""Make a tokenizer, trained on the train split or ready-made, and encode the corpus with it."""

import json
import tarfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from samizdat.base import course_limits, stage
from samizdat.base.errors import UserError
from samizdat.base.files import replacing_folder
from samizdat.checkpoints import sources
from samizdat.checkpoints.encoding import BOUNDARY, encode, load_tokenizer, token_dtype
from samizdat.models.recipe_table import vocabulary_size
from samizdat.records.corpus import SPLITS, TEXTS
from samizdat.records.io import read_table, write_document
from samizdat.records.models import TokenizerSummary

GPT2_FILES = ("gpt2_vocab.json", "gpt2_merges.txt")
TEXTS_AT_ONCE = 2048


@dataclass(frozen=True)
class TokenizerSettings:
    """An item of `tokenizers` in the config, where each key is explained."""

    name: str
    source: str
    vocabulary_size: int | Literal["auto"] | None
    checkpoint: str | None
    revision: str | None


def make_tokenizer(settings: TokenizerSettings, texts: Path, archive: Path | None, out: Path) -> str:
    """Make the tokenizer, encode all splits with it, and write them with a summary.

    `tokens/<split>.bin` is one flat array (`encoding.token_dtype`): for each text of the split, in the table's order,
    the boundary token and then the text's tokens.

    Args:
        settings: where the vocabulary comes from.
        texts: the corpus.
        archive: the source package that ships GPT-2's vocabulary, for `source: gpt2`.
        out: the folder to write.

    Raises:
        UserError: the settings lack what their source needs, or a checkpoint's tokenizer can't be loaded, has no
            end-of-sequence token or gives it to other characters, too.
    """
    corpus = read_table(texts, TEXTS)
    tokenizer = _tokenizer(settings, corpus, archive)
    boundary = tokenizer.eos_token_id
    if boundary is None:
        raise UserError(
            f"the tokenizer of {settings.checkpoint} has no end-of-sequence token, which must separate the texts",
            remedy=f"name another checkpoint for the tokenizer {settings.name!r}, or set `source: train`",
        )
    size = max(tokenizer.get_vocab().values()) + 1  # a checkpoint's tokenizer may leave out numbers
    dtype = token_dtype(size)
    counts: dict[str, int] = {}
    utf8_bytes: dict[str, int] = {}
    changed: dict[str, int] = {}
    lost: Counter[str] = Counter()
    with replacing_folder(out) as folder:
        tokenizer.save_pretrained(folder)
        (folder / "tokens").mkdir()
        for split in SPLITS:
            part = corpus.loc[corpus["split"] == split, "text"].tolist()
            arrays = list(_encoded(tokenizer, part, boundary, dtype))
            tokens = np.concatenate(arrays) if arrays else np.empty(0, dtype)
            if (tokens == boundary).sum() != len(part):
                raise UserError(
                    f"the tokenizer of {settings.checkpoint} gives characters that it doesn't know its end-of-sequence "
                    f"token, so the texts of the {split} split can't be told apart",
                    remedy=f"name another checkpoint for the tokenizer {settings.name!r}, or set `source: train`",
                )
            (folder / "tokens" / f"{split}.bin").write_bytes(tokens.tobytes())
            counts[split] = len(tokens)
            utf8_bytes[split] = sum(len(text.encode()) for text in part)
            # Byte-level vocabularies, which the other sources have, lose nothing.
            changed[split] = _changed(tokenizer, part, arrays, lost) if settings.source == "checkpoint" else 0
        characters = int(corpus["text"].str.len().sum())
        summary = TokenizerSummary(
            name=settings.name,
            vocabulary_size=size,
            tokens=counts,
            utf8_bytes=utf8_bytes,
            changed=changed,
            characters_per_token=round(characters / (sum(counts.values()) - len(corpus)), 4),
            boundary_token_id=boundary,
            token_dtype=dtype.name,
        )
        write_document(summary, folder / "summary.json")
    if number := sum(changed.values()):
        most = f" ({', '.join(repr(character) for character, _ in lost.most_common(3))} most often)" if lost else ""
        stage.tell(
            f"tokenizer {settings.name}: {number:,} of {len(corpus):,} texts are not the same when their tokens are "
            f"read again: characters are lost or changed{most}. They are counted as bytes but not predicted, so bits "
            "per byte are too low; `source: train` or `source: gpt2` keeps every character"
        )
    total = sum(counts.values())
    told = f"{size:,} tokens in the vocabulary, {total:,} in the corpus"
    if settings.source != "gpt2":
        return told
    kept, limits = course_limits.in_words(len(corpus), total - len(corpus))  # without a boundary token for each text
    if not kept:
        stage.tell(limits)
    return f"{told}; {limits}" if kept else told


def _tokenizer(settings: TokenizerSettings, corpus: pd.DataFrame, archive: Path | None) -> PreTrainedTokenizerFast:
    if settings.source == "checkpoint" and settings.checkpoint is not None:
        return load_tokenizer(sources.locate(settings.checkpoint, settings.revision, sources.TOKENIZER_FILES).path)
    if settings.source == "gpt2" and archive is not None:
        backend = _gpt2(archive)
    elif settings.source == "train" and settings.vocabulary_size is not None:
        texts = corpus.loc[corpus["split"] == "train", "text"].tolist()
        size = settings.vocabulary_size
        if size == "auto":
            size = vocabulary_size(sum(len(text.encode()) for text in texts))
        backend = _train(texts, size)
        if (found := backend.get_vocab_size()) < size:
            stage.tell(
                f"tokenizer {settings.name}: the vocabulary has {found:,} tokens, not {size:,}: "
                "these texts have no more parts that occur twice; tokenizers.vocabulary_size may be smaller"
            )
    else:
        raise UserError(
            f"the tokenizer {settings.name!r} lacks what `source: {settings.source}` needs",
            remedy="give it `vocabulary_size` for train, `checkpoint` for checkpoint, or --archive for gpt2",
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token=BOUNDARY,
        eos_token=BOUNDARY,
        unk_token=BOUNDARY,
        clean_up_tokenization_spaces=False,
    )


def _train(texts: list[str], vocabulary_size: int) -> Tokenizer:
    """Train byte-level BPE (Sennrich et al. 2016; on bytes as in Radford et al. 2019): it can encode every string."""
    backend = _byte_level(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=[BOUNDARY],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    return backend


def _gpt2(archive: Path) -> Tokenizer:
    """Read GPT-2's own vocabulary from a package that ships its two files."""
    files: dict[str, str] = {}
    with tarfile.open(archive) as package:
        for member in package.getmembers():
            name = member.name.rsplit("/", 1)[-1]
            if name in GPT2_FILES and (content := package.extractfile(member)):
                files[name] = content.read().decode()
    if set(files) != set(GPT2_FILES):
        raise UserError(
            f"{archive} does not ship {' and '.join(GPT2_FILES)}",
            remedy="delete it and run again; the version in envs/archives.txt is then fetched again",
        )
    lines = [line for line in files[GPT2_FILES[1]].split("\n") if " " in line and line[0] != "#"]
    merges = [(left, right) for left, right in (line.split(" ") for line in lines)]
    backend = _byte_level(models.BPE(vocab=json.loads(files[GPT2_FILES[0]]), merges=merges))
    backend.add_special_tokens([AddedToken(BOUNDARY, special=True)])
    return backend


def _byte_level(model: models.BPE) -> Tokenizer:
    backend = Tokenizer(model)
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return backend


def _encoded(
    tokenizer: PreTrainedTokenizerFast, texts: list[str], boundary: int, dtype: np.dtype
) -> Iterator[np.ndarray]:
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        for tokens in encode(tokenizer, texts[start : start + TEXTS_AT_ONCE]):
            yield np.array([boundary, *tokens], dtype)


def _changed(tokenizer: PreTrainedTokenizerFast, texts: list[str], arrays: list[np.ndarray], lost: Counter[str]) -> int:
    """Count the texts that their tokens don't give back, and in `lost` the characters that they lack then."""
    changed = 0
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        ids = [tokens[1:].tolist() for tokens in arrays[start : start + TEXTS_AT_ONCE]]
        decoded = tokenizer.backend_tokenizer.decode_batch(ids, skip_special_tokens=False)
        for text, again in zip(texts[start : start + TEXTS_AT_ONCE], decoded, strict=True):
            if again not in (text, f" {text}"):  # some tokenizers put a blank before each text
                changed += 1
                lost.update(Counter(text) - Counter(again))
    return changed


if __name__ == "__main__":
    stage.run(make_tokenizer)
