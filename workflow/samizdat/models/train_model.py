"""Train a GPT-2 on the corpus: from tokens to a Hugging Face checkpoint with its log, tests and earlier checkpoints."""

import logging
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from samizdat.base import free_space, stage
from samizdat.base.device import Device, enough_memory, prepare, seed_everything
from samizdat.base.digest import result_digest
from samizdat.base.errors import UserError
from samizdat.base.files import replacing_folder
from samizdat.base.reuse import fingerprint, restore_result, store_result
from samizdat.base.seeds import derive_seed
from samizdat.checkpoints import sources
from samizdat.checkpoints.encoding import load_tokenizer, refuse_long_prompts
from samizdat.environment.system import how_to_install
from samizdat.models.beforehand import announce, warn
from samizdat.models.initial_model import Start, initial_model
from samizdat.models.learner import Learner
from samizdat.models.loop import STATE_FILE, TrainingLoop
from samizdat.models.micro_batch import micro_batch_sequences
from samizdat.models.recipe import decided_by_recipe
from samizdat.models.row_loss import CannotCompileError
from samizdat.models.rows import TrainingData, TrainingRows, read_tokens, text_begins
from samizdat.models.saved_weights import SavedWeights
from samizdat.models.settings import TrainingSettings, decided
from samizdat.models.state import fingerprint_of, state_bytes
from samizdat.models.trained import write_model
from samizdat.models.workers import Workers, join
from samizdat.records.io import read_document, write_document
from samizdat.records.models import ModelSummary, TokenizerSummary

log = logging.getLogger("samizdat")


def train_model(
    settings: TrainingSettings, name: str, prompts: tuple[str, ...], tokenizer: Path, out: Path, work: Path,
    device: str, threads: int, seed: int,
) -> str:  # fmt: skip
    """Train one model and write it as a Hugging Face checkpoint, with its log and its earlier checkpoints.

    The weights with the lowest loss on the validation split are published, and measured once on the test split.

    Args:
        settings: the model's shape and recipe.
        name: of the model.
        prompts: what the model shall continue when it is trained; no weight depends on them.
        tokenizer: the folder that `make_tokenizer` wrote, with the corpus in tokens.
        out: the folder to write; its `steps/<percent>/` holds the earlier checkpoints.
        work: private folder: the state to resume from, and the finished result.
        device: `auto`, `cpu`, `cuda` or `mps`.
        threads: threads of the numeric libraries.
        seed: random seed of this model.

    Raises:
        UserError: the corpus is shorter than one row, a prompt is longer than the context, memory or disk is too
            small, or the device is not there or can't compute in the wanted precision.
    """
    chosen = prepare(device, threads=threads, seed=seed)
    _refuse_int8_on_gpu(settings, chosen)
    workers = join(settings.processes, chosen.kind)
    checkpoint = None if settings.checkpoint is None else sources.locate(settings.checkpoint, settings.revision)
    start = Start(tokenizer, read_document(TokenizerSummary, tokenizer / "summary.json"), checkpoint)
    settings = _with_recipe(settings, start, processes=workers.count)
    mark = fingerprint(
        # How often a state is written changes no weight. A state has the number of processes in a field of its own, so
        # that the error about another number can name both.
        settings=asdict(replace(settings, resume_every_seconds=0.0, processes="auto")),
        start=checkpoint and checkpoint.digests(),
        inputs=start.digests(),
        # Bits per byte are of the texts: a tokenizer that changes characters gives one token to "É" and to "e".
        utf8_bytes=start.vocabulary.utf8_bytes,
        seed=seed,
        threads=threads,
        device=[chosen.kind, chosen.fastest, chosen.int8],
        code=result_digest("models.train_model"),
    )
    finished = _with_processes(mark, workers)
    with workers.missing_each_other():
        restored = workers.agree(workers.first and _restored(work, finished, out, start))
    if restored:
        if workers.first:
            _delete_leftovers(work, mark)
        summary = read_document(ModelSummary, out / "summary.json")
        return f"{summary.test_bits_per_byte:.3f} bits per byte, as trained before"

    with workers.missing_each_other():
        try:
            loop = _train(settings, start, chosen, workers, work, out, mark, seed, name, prompts)
        except CannotCompileError as error:
            log.warning("PyTorch can't compile here: %s", error)
            command = how_to_install("compiler", "install a C++ compiler and the headers of Python")
            said = "training is not compiled, and slower, because this machine can't compile"
            stage.tell(f"{said}; to change that: {command}")
            slower = replace(settings, compile=False)
            loop = _train(slower, start, chosen, workers, work, out, mark, seed, name, prompts)
    if not workers.first:
        return ""
    with replacing_folder(out) as folder:
        summary = write_model(loop, name, start, folder)
        store_result(work, finished, folder)  # not `out`, where other steps write too
    loop.weights.delete()
    (work / STATE_FILE).unlink(missing_ok=True)
    return f"{summary.test_bits_per_byte:.3f} bits per byte after {summary.best_step} steps"


def _restored(work: Path, mark: str, out: Path, start: Start) -> bool:
    """Put back a finished training; the tokenizer may have another name today."""
    if not restore_result(work, mark, out):
        return False
    summary = read_document(ModelSummary, out / "summary.json")
    write_document(replace(summary, tokenizer=start.vocabulary.name), out / "summary.json")
    return True


def _delete_leftovers(work: Path, mark: str) -> None:
    """Delete state and weights of a finished training that was killed before it did; those of another one stay."""
    path = work / STATE_FILE
    if path.is_file() and fingerprint_of(path) in {fingerprint(run=mark, compile=one) for one in (True, False)}:
        SavedWeights(work, writes=True).delete()
        path.unlink()


def _with_processes(mark: str, workers: Workers) -> str:
    """Return the fingerprint of what depends on the number of processes, too."""
    return fingerprint(run=mark, processes=workers.count)


def _with_recipe(settings: TrainingSettings, start: Start, *, processes: int) -> TrainingSettings:
    """Decide what the config leaves to a recipe."""
    if not settings.recipe:
        return settings
    tokens = read_tokens(start.tokens_of("train"), start.vocabulary.token_dtype)
    lengths = np.diff(text_begins(tokens, start.vocabulary.boundary_token_id), append=len(tokens))
    return decided_by_recipe(settings, tokens=len(tokens), lengths=lengths, processes=processes)


def _refuse_int8_on_gpu(settings: TrainingSettings, device: Device) -> None:
    if settings.precision == "int8" and device.kind != "cpu":
        raise UserError(
            f"precision: int8 is for training on a CPU, and the device is {device.kind}",
            remedy="set training.precision to auto in the config",
        )


def _train(
    settings: TrainingSettings, start: Start, device: Device, workers: Workers, work: Path, out: Path, mark: str,
    seed: int, name: str, prompts: tuple[str, ...],
) -> TrainingLoop:  # fmt: skip
    """Train from the beginning, or from a saved state.

    Raises:
        CannotCompileError: nothing was trained; the same call without `compile` will.
    """
    seed_everything(seed)
    loop = _make_loop(settings, start, device, workers, work, mark, seed)
    # A training may take hours, and only after it would the step that writes samples refuse a prompt.
    context = loop.learner.model.config.n_positions
    refuse_long_prompts(load_tokenizer(start.tokenizer), prompts, context_tokens=context, name=name)
    if workers.first:
        warn(loop, name)
    _check_disk(loop, out)
    what = f"{loop.micro_batch_sequences} sequences at once"
    remedy = "halve training.micro_batch_sequences in the config, or set it to auto; batch_tokens stays as it is"
    with enough_memory(device, what, remedy=remedy):
        if workers.first:
            announce(loop, name)
        loop.go(name)
    return loop


def _make_loop(
    settings: TrainingSettings, start: Start, device: Device, workers: Workers, work: Path, mark: str, seed: int
) -> TrainingLoop:
    """Make the model, read its data and decide what the config leaves to `auto`."""
    vocabulary = start.vocabulary
    model = initial_model(settings, start)
    model.to(device.kind)  # type: ignore[arg-type]  # as the stub has it, the first argument is `self`
    context = model.config.n_positions
    train, validation = (
        read_tokens(start.tokens_of(split), vocabulary.token_dtype) for split in ("train", "validation")
    )
    if len(train) < context:
        raise UserError(
            f"the train split has {len(train)} tokens, fewer than one row of {context} (context_tokens)",
            remedy="add texts, or "
            + (
                "lower training.context_tokens in the config"
                if start.checkpoint is None
                else "set `checkpoint: null`: a new model may have a shorter context than this checkpoint"
            ),
        )
    settings = decided(settings, device, parameters=model.num_parameters(), tokens=len(train))
    record = work / "micro_batch.json"
    sequences = micro_batch_sequences(settings, model, device, workers, record, _with_processes(mark, workers))
    data = TrainingData(
        TrainingRows(train, context_tokens=context, seed=seed),
        validation,
        vocabulary.boundary_token_id,
        vocabulary.utf8_bytes["validation"],
    )
    if workers.rank:  # each process draws its own dropout; all have made the same model by now
        torch.manual_seed(derive_seed(seed, "process", workers.rank))
    # A machine may compile today what it could not yesterday, in another number format: such a state is not resumed.
    mark = fingerprint(run=mark, compile=settings.compile)
    return TrainingLoop(settings, Learner(settings, model, device, workers), data, workers, sequences, work, mark)


def _check_disk(loop: TrainingLoop, out: Path) -> None:
    """Refuse to begin a training that the disk has no room for.

    Raises:
        UserError: as `disk.require`.
    """
    weights = 4 * loop.learner.model.num_parameters()
    kept = len(loop.plan.kept)
    # While a new state or new best weights are being written, the old ones are still there.
    at_most = 2 * state_bytes(loop.learner.optimizers) + (2 + kept) * weights
    there = free_space.size_of(loop.work / STATE_FILE) + loop.weights.size()
    # The result is kept in a second copy, when the state is still there.
    at_most += (1 + kept) * weights
    free_space.require(
        {loop.work: max(0, at_most - there), out: (1 + kept) * weights},
        "training",
        remedy="free some disk space, or keep fewer checkpoints (training.keep_percents in the config)",
    )


if __name__ == "__main__":
    stage.run(train_model)
