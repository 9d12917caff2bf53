"""Make a tokenizer, trained on the train split or ready-made, and encode the corpus with it."""

import json
import re
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from samizdat.base import course_limits, stage
from samizdat.base.errors import UserError
from samizdat.base.files import replacing_folder
from samizdat.checkpoints import sources
from samizdat.checkpoints.encoding import BOUNDARY, load_tokenizer, token_dtype
from samizdat.models.encoded_corpus import encode_corpus
from samizdat.models.recipe_table import vocabulary_size
from samizdat.records.io import read_batches, write_document
from samizdat.records.models import TokenizerSummary

GPT2_FILES = ("gpt2_vocab.json", "gpt2_merges.txt")
# A vocabulary is learned from about so much text, drawn at random: more needs much memory, and brings few other tokens.
MOST_LEARNED_BYTES = 50_000_000
# The time for a run of characters without a blank grows with the square of its length: of unpunctuated Chinese, 80,000
# characters take 12 s. Longer runs are learned from in pieces, which brings few other tokens.
LONGEST_RUN = 1000


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

    `tokens/<split>.bin` is one flat array (`encoding.token_dtype`), which `encode_corpus` writes.

    Args:
        settings: where the vocabulary comes from.
        texts: the corpus.
        archive: the source package that ships GPT-2's vocabulary, for `source: gpt2`.
        out: the folder to write.

    Raises:
        UserError: the settings lack what their source needs, or a checkpoint's tokenizer can't be loaded, has no
            end-of-sequence token or gives it to other characters, too, or has no token for any character.
    """
    tokenizer = _tokenizer(settings, texts, archive)
    another = f"name another checkpoint for the tokenizer {settings.name!r}, or set `source: train`"
    if tokenizer.eos_token_id is None:
        raise UserError(
            f"the tokenizer of {settings.checkpoint} has no end-of-sequence token, which must separate the texts",
            remedy=another,
        )
    size = max(tokenizer.get_vocab().values()) + 1  # a checkpoint's tokenizer may leave out numbers
    dtype = token_dtype(size)
    with replacing_folder(out) as folder:
        tokenizer.save_pretrained(folder)
        (folder / "tokens").mkdir()
        # Byte-level vocabularies, which the other sources have, lose nothing.
        splits = encode_corpus(
            tokenizer, texts, folder / "tokens", dtype, loses_none=settings.source != "checkpoint", remedy=another
        )
        number, total = (sum(getattr(one, what) for one in splits.values()) for what in ("texts", "tokens"))
        if total == number:
            raise UserError(
                f"the tokenizer of {settings.checkpoint} has no token for any character of these texts", remedy=another
            )
        summary = TokenizerSummary(
            name=settings.name,
            vocabulary_size=size,
            tokens={split: one.tokens for split, one in splits.items()},
            utf8_bytes={split: one.utf8_bytes for split, one in splits.items()},
            changed={split: one.changed for split, one in splits.items()},
            characters_per_token=round(sum(one.characters for one in splits.values()) / (total - number), 4),
            boundary_token_id=tokenizer.eos_token_id,
            token_dtype=dtype.name,
        )
        write_document(summary, folder / "summary.json")
    if changed := sum(summary.changed.values()):
        lost = sum((one.lost for one in splits.values()), Counter[str]())
        most = f" ({', '.join(repr(character) for character, _ in lost.most_common(3))} most often)" if lost else ""
        stage.tell(
            f"tokenizer {settings.name}: {changed:,} of {number:,} texts are not the same when their tokens are "
            f"read again: characters are lost or changed{most}. They are counted as bytes but not predicted, so bits "
            "per byte are too low; `source: train` or `source: gpt2` keeps every character"
        )
    told = f"{size:,} tokens in the vocabulary, {total:,} in the corpus"
    if settings.source != "gpt2":
        return told
    kept, limits = course_limits.in_words(number, total - number)  # without a boundary token for each text
    if not kept:
        stage.tell(limits)
    return f"{told}; {limits}" if kept else told


def _tokenizer(settings: TokenizerSettings, texts: Path, archive: Path | None) -> PreTrainedTokenizerFast:
    if settings.source == "checkpoint" and settings.checkpoint is not None:
        return load_tokenizer(sources.locate(settings.checkpoint, settings.revision, sources.TOKENIZER_FILES).path)
    if settings.source == "gpt2" and archive is not None:
        backend = _gpt2(archive)
    elif settings.source == "train" and settings.vocabulary_size is not None:
        train_bytes = sum(len(text.encode()) for text in _training(texts))
        size = settings.vocabulary_size
        if size == "auto":
            size = vocabulary_size(train_bytes)
        share = min(1.0, MOST_LEARNED_BYTES / max(train_bytes, 1))
        if share < 1:
            stage.tell(
                f"tokenizer {settings.name}: the vocabulary is learned from about {MOST_LEARNED_BYTES / 1e6:.0f} MB of "
                f"{train_bytes / 1e6:,.0f} MB of training texts, drawn at random"
            )
        backend = _train(_training(texts, share), size)
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


def _training(texts: Path, share: float = 1.0) -> Iterator[str]:
    """Yield the training texts, or a share of them that the hashes of the texts draw."""
    for batch in read_batches(texts, "id", "text", "split"):
        training = batch[batch["split"] == "train"]
        for key, text in zip(training["id"], training["text"], strict=True):
            if share == 1 or int(key[:8], 16) < share * 2**32:
                yield text


def _train(texts: Iterable[str], vocabulary_size: int) -> Tokenizer:
    """Train byte-level BPE (Sennrich et al. 2016; on bytes as in Radford et al. 2019): it can encode every string."""
    backend = _byte_level(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=[BOUNDARY],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    backend.train_from_iterator((piece for text in texts for piece in _pieces(text)), trainer)
    return backend


def _pieces(text: str) -> list[str]:
    """Cut a text in its runs of more than LONGEST_RUN characters without a blank."""
    if max(map(len, text.split()), default=0) <= LONGEST_RUN:
        return [text]
    return re.split(rf"(\S{{{LONGEST_RUN}}})", text)


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
    # The first line is the version. Others begin with "#", too: they merge this character.
    lines = [line for line in files[GPT2_FILES[1]].split("\n")[1:] if " " in line]
    merges = [(left, right) for left, right in (line.split(" ") for line in lines)]
    backend = _byte_level(models.BPE(vocab=json.loads(files[GPT2_FILES[0]]), merges=merges))
    backend.add_special_tokens([AddedToken(BOUNDARY, special=True)])
    return backend


def _byte_level(model: models.BPE) -> Tokenizer:
    backend = Tokenizer(model)
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return backend


if __name__ == "__main__":
    stage.run(make_tokenizer)
