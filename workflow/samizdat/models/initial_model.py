"""The model before its first step: a new GPT-2 with random weights, or a checkpoint to continue."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from tokenizers import Tokenizer
from transformers import AutoConfig, GPT2Config, GPT2LMHeadModel

from samizdat.base import stage
from samizdat.base.errors import UserError
from samizdat.base.files import checked_sha256
from samizdat.checkpoints import sources
from samizdat.models.settings import TrainingSettings
from samizdat.records.models import TokenizerSummary

# Rows are added up to a multiple of a power of two, since such products are faster: 50,304 for GPT-2's 50,257 tokens.
MOST_PADDING = 512


@dataclass(frozen=True)
class Start:
    """What a training starts from."""

    tokenizer: Path  # the folder
    vocabulary: TokenizerSummary
    checkpoint: sources.Located | None  # None: random weights

    def tokens_of(self, split: str) -> Path:
        """Return the file of a split's tokens."""
        return self.tokenizer / "tokens" / f"{split}.bin"

    def digests(self) -> dict[str, str]:
        """Return file → SHA-256 of what the weights depend on, without the checkpoint."""
        files = [*(self.tokens_of(split) for split in self.vocabulary.tokens), self.tokenizer / "tokenizer.json"]
        return {path.name: checked_sha256(path) for path in files}


def initial_model(settings: TrainingSettings, start: Start) -> GPT2LMHeadModel:
    """Make the model, in float32 on the CPU.

    Args:
        settings: the model's shape.
        start: its tokenizer, and the checkpoint to continue.

    Raises:
        UserError: the checkpoint can't be loaded, is not a GPT-2, lacks weights, or has another vocabulary or context.
    """
    vocabulary, checkpoint = start.vocabulary, start.checkpoint
    if checkpoint is not None:
        model = _load_model(settings, vocabulary, checkpoint)
        _refuse_other_tokens(start.tokenizer, vocabulary, checkpoint)
        return model
    boundary = vocabulary.boundary_token_id
    config = GPT2Config(
        vocab_size=vocabulary.vocabulary_size,
        n_positions=settings.context_tokens,
        n_embd=settings.width,
        n_layer=settings.layers,
        n_head=settings.heads,
        resid_pdrop=settings.dropout,
        embd_pdrop=settings.dropout,
        attn_pdrop=settings.dropout,
        bos_token_id=boundary,
        eos_token_id=boundary,
        use_cache=True,
    )
    return GPT2LMHeadModel(config)


def _load_model(
    settings: TrainingSettings, vocabulary: TokenizerSummary, checkpoint: sources.Located
) -> GPT2LMHeadModel:
    with sources.loading(checkpoint):
        config = AutoConfig.from_pretrained(checkpoint.path, local_files_only=True, trust_remote_code=False)
        if config.model_type != "gpt2":
            raise ValueError(f"it is a {config.model_type}, not a GPT-2")
        config.resid_pdrop = config.embd_pdrop = config.attn_pdrop = settings.dropout
        config.output_attentions = False  # wanted only by who looks inside; such a config can't be saved
        loaded = GPT2LMHeadModel.from_pretrained(
            checkpoint.path,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            output_loading_info=True,
        )
        # The stub knows nothing of the report.
        model, report = cast(tuple[GPT2LMHeadModel, dict[str, set[str]]], loaded)
    sources.refuse_missing_weights(report["missing_keys"], checkpoint, "GPT-2 of its config.json")
    # A text ends with the tokenizer's boundary, whatever the checkpoint's own files say.
    for one in (model.config, model.generation_config):
        one.bos_token_id = one.eos_token_id = vocabulary.boundary_token_id
    rows, tokens = config.vocab_size, vocabulary.vocabulary_size
    if 0 < rows - tokens < min(rows & -rows, MOST_PADDING):
        model.resize_token_embeddings(tokens, mean_resizing=False)
        stage.tell(
            f"{checkpoint.origin} has {rows:,} rows of embeddings for the {tokens:,} tokens of {vocabulary.name!r}; "
            f"the last {rows - tokens:,} are padding and are cut off"
        )
    elif rows != tokens:
        raise UserError(
            f"{checkpoint.origin} has {rows} tokens in its vocabulary, the tokenizer {vocabulary.name!r} has {tokens}",
            remedy="give the model a tokenizer with `source: checkpoint` and the same checkpoint; if it has that one, "
            f"load the checkpoint with transformers, call `model.resize_token_embeddings({tokens})`, save it in a "
            "folder, and name that folder as the checkpoint",
        )
    if config.n_positions != settings.context_tokens:
        raise UserError(
            f"{checkpoint.origin} reads {config.n_positions} tokens at once; context_tokens is "
            f"{settings.context_tokens}",
            remedy=f"set context_tokens of this model to {config.n_positions} in the config",
        )
    return model


def _refuse_other_tokens(tokenizer: Path, vocabulary: TokenizerSummary, checkpoint: sources.Located) -> None:
    """Refuse a checkpoint whose own tokenizer, where it has one, gives the numbers to other tokens."""
    own, old_form = checkpoint.path / "tokenizer.json", checkpoint.path / "vocab.json"
    with sources.loading(checkpoint):
        if own.is_file():
            learned = Tokenizer.from_file(str(own)).get_vocab()
        elif old_form.is_file():
            learned = json.loads(old_form.read_text(encoding="utf-8"))
        else:
            return
    given = Tokenizer.from_file(str(tokenizer / "tokenizer.json")).get_vocab()
    other = [
        token for token, number in learned.items() if number < vocabulary.vocabulary_size and given.get(token) != number
    ]
    if other:
        raise UserError(
            f"{checkpoint.origin} has learned other tokens than those of {vocabulary.name!r}: {len(other):,} of its "
            f"{len(learned):,} have another number there, or none, such as {other[0]!r}",
            remedy="give the model a tokenizer with `source: checkpoint` and the same checkpoint",
        )
