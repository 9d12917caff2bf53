"""The number of sequences that a step computes at once: the config's, or the largest that fits into memory."""

import json
import logging
import math
from pathlib import Path

import torch
from transformers import GPT2LMHeadModel

from samizdat.base import stage
from samizdat.base.device import Device, enough_memory
from samizdat.base.errors import UserError
from samizdat.base.files import checked_bytes, write_text
from samizdat.models.row_loss import RowLoss
from samizdat.models.settings import TrainingSettings, number_formats
from samizdat.models.workers import Workers

log = logging.getLogger("samizdat")

# More tokens at once make no step faster; on a CPU, fewer fit better into its caches.
MOST_TOKENS = {"cpu": 8192, "cuda": 65536, "mps": 8192}
# Bytes of a float32 weight's gradient and optimiser state (AdamW's two moments), which a dry step doesn't have.
BYTES_PER_PARAMETER = 12
# Share of a GPU's memory that is left free for what the allocator can't use.
ROOM = 0.06


def micro_batch_sequences(
    settings: TrainingSettings, model: GPT2LMHeadModel, device: Device, workers: Workers, record: Path, fingerprint: str
) -> int:
    """Return the number of sequences that each process computes at once.

    With `auto` a dry step is tried, with the largest number first. It is not compiled, which takes more memory than
    compiled. The number that was found is recorded, so that a resumed run and a rerun compute the same sums in the
    same order.

    Args:
        settings: the recipe.
        model: on its device; neither its weights nor the random streams are changed.
        device: where the model is.
        workers: the processes that share a batch.
        record: JSON file for the number that was found.
        fingerprint: of all else that the weights depend on.

    Raises:
        UserError: a batch can't be shared evenly, or not even one sequence fits into memory.
    """
    least = settings.context_tokens * workers.count
    share, left = divmod(settings.batch_tokens, least)
    if left:
        raise UserError(
            f"batch_tokens {settings.batch_tokens} can't be shared evenly by {workers.said} in sequences of "
            f"{settings.context_tokens} tokens (context_tokens)",
            remedy=f"set training.batch_tokens to a multiple of {least} in the config",
        )
    if settings.micro_batch_sequences != "auto":
        if share % settings.micro_batch_sequences:
            raise UserError(
                f"each of {workers.count} processes has {share} sequences of a batch, which is not a multiple of "
                f"micro_batch_sequences {settings.micro_batch_sequences}",
                remedy=f"set training.micro_batch_sequences to auto in the config, or to a divisor of {share}",
            )
        return settings.micro_batch_sequences
    found = _recorded(record, fingerprint) if workers.first else None
    if not workers.agree(found is not None):
        found = _largest_that_fits(settings, model, device, share, least)
        if workers.first:
            write_text(record, json.dumps({"fingerprint": fingerprint, "sequences": found}) + "\n")
    return workers.agree(found or 0)  # only the first process has read the record


def _recorded(record: Path, fingerprint: str) -> int | None:
    """Return the recorded number; None if there is none of this fingerprint."""
    try:
        kept = json.loads(checked_bytes(record))
    except (OSError, ValueError, UserError):
        return None
    return int(kept["sequences"]) if kept.get("fingerprint") == fingerprint else None


def _largest_that_fits(
    settings: TrainingSettings, model: GPT2LMHeadModel, device: Device, share: int, least: int
) -> int:
    """Return the largest divisor of `share`, a process's sequences of a batch, that fits into memory.

    Where the next larger number that may fit is more than twice as large, a batch that has other divisors is told of;
    `least` is the tokens of a batch with one sequence for each process.
    """
    context = settings.context_tokens
    most = max(1, MOST_TOKENS[device.kind] // context)
    larger = min(share, most)
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
            larger = number
        else:
            log.info("%d sequences at once", number)
            if larger > 2 * number:
                even = least * 2 ** round(math.log2(share))
                stage.tell(
                    f"only {number} of the {share} sequences of a batch at once, since {share} has few divisors, so "
                    f"training may be slow; to change that, set training.batch_tokens in the config, such as to {even}"
                )
            return number
    raise AssertionError("one sequence is always tried")


def _dry_step(settings: TrainingSettings, model: GPT2LMHeadModel, device: Device, sequences: int) -> None:
    """Compute gradients as a step would, while the memory of the optimisers is taken, and delete them."""
    loss = RowLoss(model, kind=device.kind, dtype=number_formats(settings, device)[1])
    rows = torch.zeros((sequences, settings.context_tokens + 1), dtype=torch.long, device=device.kind)
    size = BYTES_PER_PARAMETER * model.num_parameters()
    on_gpu = device.kind == "cuda"
    streams = torch.random.fork_rng(devices=[torch.cuda.current_device()] if on_gpu else [])
    try:
        with streams:
            if on_gpu:
                # While the model is evaluated, the memory of the recorded passes stays taken.
                torch.cuda.reset_peak_memory_stats()
                before = torch.cuda.memory_allocated()
                with torch.no_grad():
                    loss(rows)
                size += torch.cuda.max_memory_allocated() - before
                size += int(ROOM * torch.cuda.get_device_properties().total_memory)
            ballast = torch.empty(size if on_gpu else 0, dtype=torch.uint8, device=device.kind)
            loss(rows).backward()
            del ballast
    finally:
        model.zero_grad()
        if on_gpu:
            torch.cuda.empty_cache()
