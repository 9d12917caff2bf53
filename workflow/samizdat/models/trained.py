"""Write a trained model: a Hugging Face checkpoint with its log, its losses on the test split and its summary."""

import csv
import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import astuple
from pathlib import Path

import pandas as pd
from safetensors.torch import load_model

from samizdat.base.files import checked_bytes, sha256_of, write_text
from samizdat.models.initial_model import Start
from samizdat.models.loop import TrainingLoop
from samizdat.models.rows import read_tokens
from samizdat.models.text_losses import text_losses
from samizdat.records.io import read_columns, write_batches, write_document
from samizdat.records.models import TEST_LOSSES, TRAIN_LOG_COLUMNS, LogRow, ModelSummary


def write_model(loop: TrainingLoop, name: str, start: Start, folder: Path) -> ModelSummary:
    """Write the best weights, the earlier checkpoints, tokenizer, log and summary of a finished training."""
    position, learner, best = loop.position, loop.learner, loop.position.best
    loop.weights.copy_to(folder, loop.plan.kept)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        (folder / file).write_bytes(checked_bytes(start.tokenizer / file))
    write_text(folder / "train_log.csv", _as_csv(position.log))
    write_batches(_tested(loop, start, folder), TEST_LOSSES, folder / "test_losses.parquet")
    nats, tokens = read_columns(folder / "test_losses.parquet", "nats", "tokens").sum()
    test_loss = nats / tokens
    summary = ModelSummary(
        name=name,
        tokenizer=start.vocabulary.name,
        start=start.checkpoint.origin if start.checkpoint else "scratch",
        parameters=learner.model.num_parameters(),
        device_kind=learner.device.kind,
        compute_dtype=learner.compute_dtype,
        compiled=learner.compiled,
        micro_batch_sequences=loop.micro_batch_sequences,
        processes=loop.workers.count,
        recipe={key: getattr(loop.settings, key) for key in loop.settings.recipe or ()},
        steps_planned=loop.plan.steps,
        steps_done=position.step,
        best_step=position.best_step,
        tokens_seen=position.step * loop.settings.batch_tokens,
        validation_loss=best.validation_loss,
        validation_perplexity=best.validation_perplexity,
        validation_bits_per_byte=best.validation_bits_per_byte,
        test_loss=test_loss,
        test_perplexity=math.exp(min(test_loss, 700)),
        test_bits_per_byte=nats / math.log(2) / start.vocabulary.utf8_bytes["test"],
        checkpoints={**position.kept, "100": position.best_step},
        weights_sha256=sha256_of(folder / "model.safetensors"),
    )
    write_document(summary, folder / "summary.json")
    return summary


def _tested(loop: TrainingLoop, start: Start, folder: Path) -> Iterator[pd.DataFrame]:
    """Measure the published weights, which replace those in memory, on each text of the test split."""
    model = loop.learner.model
    load_model(model, folder / "model.safetensors", device=loop.learner.device.kind)
    return text_losses(
        loop.learner.loss,
        read_tokens(start.tokens_of("test"), start.vocabulary.token_dtype),
        boundary=start.vocabulary.boundary_token_id,
        context_tokens=model.config.n_positions,
        sequences=loop.micro_batch_sequences,
    )


def _as_csv(log: Iterable[LogRow]) -> str:
    """Write the log as CSV, its floats with six digits after the point; nothing depends on the locale."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(TRAIN_LOG_COLUMNS)
    for cells in map(astuple, log):
        writer.writerow("" if cell is None else f"{cell:.6f}" if isinstance(cell, float) else cell for cell in cells)
    return text.getvalue()
