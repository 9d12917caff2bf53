"""Train a GPT-2 on the corpus: from tokens to a Hugging Face checkpoint with its log and earlier checkpoints."""

import csv
import io
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, GPT2Config, GPT2LMHeadModel

from samizdat.base import disk, stage
from samizdat.base.device import enough_memory, prepare
from samizdat.base.digest import result_digest
from samizdat.base.errors import UserError
from samizdat.base.files import replacing_folder, sha256_of, write_text
from samizdat.base.reuse import fingerprint, keep, restore
from samizdat.base.seeds import derive_seed
from samizdat.checkpoints import sources
from samizdat.models.loop import TrainingLoop
from samizdat.models.micro_batch import micro_batch_sequences
from samizdat.models.rows import TrainingRows, evaluation_rows, read_tokens
from samizdat.models.settings import TrainingSettings, decided
from samizdat.models.state import state_bytes
from samizdat.models.workers import join
from samizdat.records.io import read_document, write_document
from samizdat.records.models import TRAIN_LOG_COLUMNS, ModelSummary, TokenizerSummary


def train_model(
    settings: TrainingSettings, name: str, tokenizer: Path, out: Path, work: Path, device: str, threads: int, seed: int
) -> str:
    """Train one model and write it as a Hugging Face checkpoint, with its log and the checkpoints on the way.

    Args:
        settings: the model's shape and recipe.
        name: what the model is called.
        tokenizer: a folder as `make_tokenizer` writes it, with the corpus in tokens.
        out: the folder to write; `steps/<percent>/` below it holds the earlier checkpoints.
        work: private state: what to resume from, and the finished result.
        device: `auto`, `cpu`, `cuda` or `mps`.
        threads: threads of the numeric libraries.
        seed: of this model's own stream.

    Raises:
        UserError: the corpus is shorter than one row, memory or disk is short, or the device is not there or
            can't compute in the precision that is asked for.
    """
    chosen = prepare(device, threads=threads, seed=seed)
    if settings.precision == "int8" and chosen.kind != "cpu":
        raise UserError(
            f"precision: int8 is for training on a CPU, and the device is {chosen.kind}",
            remedy="set training.precision to auto in the config",
        )
    workers = join(settings.processes, chosen.kind)
    vocabulary = read_document(TokenizerSummary, tokenizer / "summary.json")
    token_files = {split: tokenizer / "tokens" / f"{split}.bin" for split in vocabulary.tokens}
    found = None if settings.checkpoint is None else sources.locate(settings.checkpoint, settings.revision)
    mark = fingerprint(
        settings=asdict(replace(settings, resume_every_seconds=0.0)),  # it changes no weight
        start=found and found.digests(),
        inputs={path.name: sha256_of(path) for path in [*token_files.values(), tokenizer / "tokenizer.json"]},
        seed=seed,
        threads=threads,
        device=[chosen.kind, chosen.fastest, chosen.int8],
        torch=torch.__version__,
        code=result_digest("models.train_model"),
    )
    # A state of another number of processes is refused with both numbers; a finished model is of the number too.
    finished = fingerprint(run=mark, processes=workers.count)
    if workers.agree(workers.first and restore(work, finished, out)):
        summary = read_document(ModelSummary, out / "summary.json")
        return f"{summary.validation_bits_per_byte:.3f} bits per byte, as trained before"

    model = _make_model(settings, vocabulary, found)
    model.to(chosen.kind)
    context = model.config.n_positions
    tokens = {split: read_tokens(path, vocabulary.token_dtype) for split, path in token_files.items()}
    if len(tokens["train"]) < context:
        raise UserError(
            f"the train split has {len(tokens['train'])} tokens, fewer than one row of {context} (context_tokens)",
            remedy="add texts, or lower training.context_tokens in the config",
        )
    parameters = sum(parameter.numel() for parameter in model.parameters())
    settings = decided(settings, chosen, parameters=parameters, tokens=len(tokens["train"]))
    rows = TrainingRows(tokens["train"], context_tokens=context, seed=seed)
    sequences = micro_batch_sequences(settings, model, chosen, workers, work / "micro_batch.json", mark)
    held_out = evaluation_rows(
        tokens["validation"],
        boundary=vocabulary.boundary_token_id,
        context_tokens=context,
        rows=sequences,
    )
    if workers.rank:  # dropout of its own; all processes have made the same model by now
        torch.manual_seed(derive_seed(seed, "process", workers.rank))
    run = TrainingLoop(
        settings, model, chosen, workers, rows, held_out, vocabulary.utf8_bytes["validation"], sequences, work, mark
    )
    _check_disk(run, work, out)
    remedy = "halve training.micro_batch_sequences in the config, or set it to auto; batch_tokens stays as it is"
    with enough_memory(chosen, f"{sequences} sequences at once", remedy=remedy):
        run.go(name)
    if not workers.first:
        return ""
    position = run.position
    best = next(row for row in position.log if row["step"] == position.best_step)
    with replacing_folder(out) as folder:
        shutil.copytree(work / "best", folder, dirs_exist_ok=True)
        for percent in settings.keep_percents[:-1]:
            shutil.copytree(work / "kept" / str(percent), folder / "steps" / str(percent))
        for file in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(tokenizer / file, folder / file)
        write_text(folder / "train_log.csv", _as_csv(position.log))
        summary = ModelSummary(
            name=name,
            tokenizer=vocabulary.name,
            start=found.origin if found else "scratch",
            parameters=parameters,
            device_kind=chosen.kind,
            compute_dtype="int8" if run.int8 else str(run.dtype).removeprefix("torch."),
            compiled=run.compiled,
            micro_batch_sequences=sequences,
            processes=workers.count,
            steps_planned=run.steps,
            steps_done=position.step,
            best_step=position.best_step,
            tokens_seen=position.step * settings.batch_tokens,
            validation_loss=best["validation_loss"],
            validation_perplexity=best["validation_perplexity"],
            validation_bits_per_byte=best["validation_bits_per_byte"],
            checkpoints={**position.kept, "100": position.best_step},
            weights_sha256=sha256_of(folder / "model.safetensors"),
        )
        write_document(summary, folder / "summary.json")
    keep(work, finished, out)
    for leftover in ("best", "kept"):
        shutil.rmtree(work / leftover, ignore_errors=True)
    (work / "state.safetensors").unlink(missing_ok=True)
    return f"{summary.validation_bits_per_byte:.3f} bits per byte after {summary.best_step} steps"


def _check_disk(run: TrainingLoop, work: Path, out: Path) -> None:
    """Refuse to begin what the disk can't hold to its end."""
    weights = 4 * sum(parameter.numel() for parameter in run.model.parameters())
    kept = len(run.keep_steps)
    # State and best weights stand twice for as long as the new ones take the old ones' place.
    at_most = 2 * state_bytes(run.optimizers) + (2 + kept) * weights
    there = sum(disk.size_of(work / name) for name in ("state.safetensors", "best", "kept"))
    disk.require({work: max(0, at_most - there), out: (1 + kept) * weights}, "training")


def _make_model(
    settings: TrainingSettings, vocabulary: TokenizerSummary, found: sources.Located | None
) -> GPT2LMHeadModel:
    """The model before its first step, in float32."""
    if found is not None:
        return _load_model(settings, vocabulary, found)
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


def _load_model(settings: TrainingSettings, vocabulary: TokenizerSummary, found: sources.Located) -> GPT2LMHeadModel:
    """A checkpoint to continue, which must be what the config takes it for."""
    with sources.loading(found):
        config = AutoConfig.from_pretrained(found.path, local_files_only=True, trust_remote_code=False)
        if config.model_type != "gpt2":
            raise ValueError(f"it is a {config.model_type}, not a GPT-2")
        model = GPT2LMHeadModel.from_pretrained(
            found.path, config=config, dtype=torch.float32, use_safetensors=True, local_files_only=True
        )
    if config.vocab_size != vocabulary.vocabulary_size:
        raise UserError(
            f"{found.origin} has {config.vocab_size} tokens in its vocabulary, the tokenizer "
            f"{vocabulary.name!r} has {vocabulary.vocabulary_size}",
            remedy="give the model a tokenizer with `source: checkpoint` and the same checkpoint",
        )
    if config.n_positions != settings.context_tokens:
        raise UserError(
            f"{found.origin} reads {config.n_positions} tokens at once; context_tokens is {settings.context_tokens}",
            remedy=f"set context_tokens of this model to {config.n_positions} in the config",
        )
    return model


def _as_csv(rows: list[dict[str, Any]]) -> str:
    """The log with six significant digits after the point, none of which depends on the locale."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(TRAIN_LOG_COLUMNS)
    for row in rows:
        cells = (row[column] for column in TRAIN_LOG_COLUMNS)
        writer.writerow("" if cell is None else f"{cell:.6f}" if isinstance(cell, float) else cell for cell in cells)
    return text.getvalue()


if __name__ == "__main__":
    stage.run(train_model)
