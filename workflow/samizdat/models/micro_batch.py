"""How many sequences a step computes at once: the config's number, or the largest that the memory holds."""

import json
import logging
from pathlib import Path

import torch
from transformers import GPT2LMHeadModel

from samizdat.base.device import Device, enough_memory
from samizdat.base.errors import UserError
from samizdat.base.files import write_text
from samizdat.models.row_loss import RowLoss
from samizdat.models.settings import TrainingSettings, number_formats
from samizdat.models.workers import Workers

log = logging.getLogger("samizdat")

# More tokens at once make no step faster; on a CPU, fewer stay nearer to its caches.
MOST_TOKENS = {"cpu": 8192, "cuda": 65536, "mps": 8192}
# Gradients and optimiser state of a float32 weight (AdamW's two moments), which the dry step lacks, in bytes; and room
# for what the allocator can't use.
BYTES_PER_PARAMETER = 12
ROOM = 0.06


def micro_batch_sequences(
    settings: TrainingSettings, model: GPT2LMHeadModel, device: Device, workers: Workers, record: Path, fingerprint: str
) -> int:
    """The sequences that each process computes at once.

    With `auto` a dry step is tried with the largest number first, uncompiled, which takes more memory than compiled.
    What was found is recorded, so that a resumed run and a rerun compute the same sums in the same order.

    Args:
        settings: the recipe.
        model: on its device; neither its weights nor the random streams are changed.
        device: where it is.
        workers: the processes that share a batch.
        record: JSON file for what was found.
        fingerprint: of all else that the weights depend on.

    Raises:
        UserError: a batch can't be shared evenly, or not even one sequence fits.
    """
    least = settings.context_tokens * workers.count
    share, left = divmod(settings.batch_tokens, least)
    if left:
        raise UserError(
            f"batch_tokens {settings.batch_tokens} can't be shared by {workers.said} in sequences of "
            f"{settings.context_tokens} tokens (context_tokens)",
            remedy=f"set training.batch_tokens to a multiple of {least} in the config",
        )
    if settings.micro_batch_sequences != "auto":
        if share % settings.micro_batch_sequences:
            raise UserError(
                f"each of {workers.count} processes has {share} sequences of a batch, which is no multiple of "
                f"micro_batch_sequences {settings.micro_batch_sequences}",
                remedy="set training.micro_batch_sequences to auto in the config, or to a divisor of that",
            )
        return settings.micro_batch_sequences
    found = _recorded(record, fingerprint) if workers.first else None
    if not workers.agree(found is not None):
        found = _largest_that_fits(settings, model, device, share)
        if workers.first:
            write_text(record, json.dumps({"fingerprint": fingerprint, "sequences": found}) + "\n")
    return workers.agree(found)


def _recorded(record: Path, fingerprint: str) -> int | None:
    try:
        kept = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return kept["sequences"] if kept.get("fingerprint") == fingerprint else None


def _largest_that_fits(settings: TrainingSettings, model: GPT2LMHeadModel, device: Device, share: int) -> int:
    """The largest number of sequences that `share`, a process's part of a batch, is a multiple of, and that fits."""
    context = settings.context_tokens
    most = max(1, MOST_TOKENS[device.kind] // context)
    candidates = [number for number in range(min(share, most), 0, -1) if share % number == 0]
    for number in candidates:
        what = f"{number} sequence{'s' if number > 1 else ''} of {context} tokens"
        try:
            with enough_memory(device, what, remedy="lower training.context_tokens in the config"):
                _dry_step(settings, model, device, number)
        except UserError:
            if number == 1:
                raise
            log.info("%d sequences at once are too many for the %s", number, device.name)
        else:
            log.info("%d sequences at once", number)
            return number
    raise AssertionError("one sequence is always tried")


def _dry_step(settings: TrainingSettings, model: GPT2LMHeadModel, device: Device, sequences: int) -> None:
    """Compute gradients of so many sequences beside as much memory as the optimisers will take, and forget them."""
    loss = RowLoss(model, kind=device.kind, dtype=number_formats(settings, device)[1])
    rows = torch.zeros((sequences, settings.context_tokens + 1), dtype=torch.long, device=device.kind)
    size = BYTES_PER_PARAMETER * sum(parameter.numel() for parameter in model.parameters())
    on_card = device.kind == "cuda"
    streams = torch.random.fork_rng(devices=[torch.cuda.current_device()] if on_card else [])
    try:
        with streams:
            if on_card:
                # A validation finds the memory of the recorded passes taken, though they don't run then.
                torch.cuda.reset_peak_memory_stats()
                before = torch.cuda.memory_allocated()
                with torch.no_grad():
                    loss(rows)
                size += torch.cuda.max_memory_allocated() - before
                size += int(ROOM * torch.cuda.get_device_properties().total_memory)
            ballast = torch.empty(size if on_card else 0, dtype=torch.uint8, device=device.kind)
            loss(rows).backward()
            del ballast
    finally:
        model.zero_grad()
        if on_card:
            torch.cuda.empty_cache()
