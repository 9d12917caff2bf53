"""States to resume from: one safetensors file, replaced as a whole, with the fingerprint of its training."""

import json
import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load_file, save_file

from samizdat.base import stage
from samizdat.base.errors import UserError
from samizdat.base.files import is_intact, replacing
from samizdat.models.learner import Learner
from samizdat.models.position import Position
from samizdat.models.saved_weights import SavedWeights
from samizdat.models.workers import Workers
from samizdat.optimization.muon import Muon

log = logging.getLogger("samizdat")


class StateWriter:
    """Writes states in a thread of its own: training waits neither for the device nor for the disk.

    `save` fixes what a state holds. When the state reaches the disk decides only how many steps are lost if the
    process is killed.
    """

    def __init__(self, path: Path, fingerprint: str, workers: Workers, every_seconds: float):
        """Prepare to write; the first state is due after `every_seconds`.

        Args:
            path: the file, which the first process writes for all of them.
            fingerprint: of all that the weights depend on.
            workers: the processes of the training.
            every_seconds: the least time between two states.
        """
        self._path = path
        self._fingerprint = fingerprint
        self._workers = workers
        self._every_seconds = every_seconds
        self._last = time.monotonic()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="state")
        self._writing: Future[None] | None = None
        self._buffers: dict[str, torch.Tensor] = {}

    @property
    def due(self) -> bool:
        """Whether it is time for a state; not while one is being written. All processes get the same answer."""
        free = self._writing is None or self._writing.done()
        return bool(self._workers.agree(free and time.monotonic() - self._last >= self._every_seconds))

    def save(self, learner: Learner, position: Position) -> None:
        """Copy weights, optimiser state, random streams and position as they are now, and begin to write them.

        Args:
            learner: of this process; its sum of losses and its random streams are its own, all else is the same in
                all processes.
            position: the same in all processes.
        """
        mine = _random_streams() | {"loss_sum": learner.loss_sum}
        everyones = {
            f"process.{rank}.{name}": tensor
            for name, own in mine.items()
            for rank, tensor in enumerate(self._workers.gather(own))
        }
        if not self._workers.first:
            return
        self.wait()
        tensors = {f"model.{name}": parameter.detach() for name, parameter in learner.model.named_parameters()}
        tensors |= everyones
        for number, optimizer in enumerate(learner.optimizers):
            for index, state in optimizer.state_dict()["state"].items():
                tensors |= {f"optimizer.{number}.{index}.{key}": value for key, value in state.items()}
        metadata = {
            "fingerprint": self._fingerprint,
            "processes": str(self._workers.count),
            "position": position.to_json(),
            "loss_scaler": json.dumps(learner.scaler.state_dict()),
        }
        snapshot, copied = self._snapshot(tensors)
        self._writing = self._thread.submit(_write, self._path, snapshot, metadata, copied)
        self._last = time.monotonic()

    def _snapshot(self, tensors: dict[str, torch.Tensor]) -> tuple[dict[str, torch.Tensor], "torch.cuda.Event | None"]:
        """Copy tensors into the host's memory; copies from a GPU are complete when the event has happened.

        They go into memory pages that stay pinned, in the order of the GPU's stream: the next step changes nothing
        that is not yet copied, and the host doesn't wait.
        """
        if not any(tensor.is_cuda for tensor in tensors.values()):
            return {name: tensor.to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}, None
        for name, tensor in tensors.items():
            if name not in self._buffers:
                self._buffers[name] = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            self._buffers[name].copy_(tensor, non_blocking=True)
        copied = torch.cuda.Event()
        copied.record()
        return self._buffers, copied

    def wait(self) -> None:
        """Wait until the state is on the disk.

        Raises:
            OSError: it could not be written.
        """
        if self._writing is not None:
            self._writing.result()
            self._writing = None


def _write(
    path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str], copied: "torch.cuda.Event | None"
) -> None:
    if copied is not None:
        copied.synchronize()
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata)


def _random_streams() -> dict[str, torch.Tensor]:
    """Return the state of every random generator that dropout may draw from, on the CPU."""
    streams = {"random.cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        streams["random.cuda"] = torch.cuda.get_rng_state()
    if torch.backends.mps.is_available():
        streams["random.mps"] = torch.mps.get_rng_state()
    return streams


def _set_random_streams(streams: dict[str, torch.Tensor]) -> None:
    """Restore what `_random_streams` returned."""
    torch.set_rng_state(streams["random.cpu"])
    if "random.cuda" in streams:
        torch.cuda.set_rng_state(streams["random.cuda"])
    if "random.mps" in streams:
        torch.mps.set_rng_state(streams["random.mps"])


def state_bytes(optimizers: list[torch.optim.Optimizer]) -> int:
    """Return the size of a state on the disk: float32 weights, and Muon's one or AdamW's two moments of each."""
    return sum(
        4 * parameter.numel() * (2 if isinstance(optimizer, Muon) else 3)
        for optimizer in optimizers
        for group in optimizer.param_groups
        for parameter in group["params"]
    )


def fingerprint_of(path: Path) -> str | None:
    """Read of which training a state is; None where that can't be read."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return (file.metadata() or {}).get("fingerprint")
    except (OSError, safetensors.SafetensorError):
        return None


def load_state(
    path: Path, fingerprint: str, learner: Learner, workers: Workers, weights: SavedWeights
) -> Position | None:
    """Restore a saved state and return its position; None if there is none of this training.

    A state with another fingerprint (of other settings, texts, seed, threads, device or code) is not used, and the log
    says so: it would lead to other weights than a run from the start. A damaged state is not used
    either, which is told at the terminal.

    Args:
        path: the file.
        fingerprint: of all that the weights depend on.
        learner: gets the weights, the optimisers' state and this process's sum of losses.
        workers: the processes of the training.
        weights: that were saved before the state, without which it can't be resumed from.

    Raises:
        UserError: the state was made by another number of processes.
    """
    if not path.is_file():
        return None
    if not is_intact(path):
        stage.tell(f"the state in {path} is damaged, so training begins again")
        return None
    with safetensors.safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
    if metadata.get("fingerprint") != fingerprint:
        log.warning("the state in %s belongs to another training and is not resumed from", path)
        return None
    if metadata["processes"] != str(workers.count):
        raise UserError(
            f"the state in {path} was made by {metadata['processes']} processes, but this training has {workers.said}",
            remedy=f"to resume it, set training.processes to {metadata['processes']} in the config; to start again, "
            "delete the file",
        )
    position = Position.from_json(metadata["position"])
    if not weights.are_intact(position.kept):
        stage.tell(f"weights that were saved before the state in {path} are damaged, so training begins again")
        return None
    _restore(load_file(path), learner, workers.rank)
    learner.scaler.load_state_dict(json.loads(metadata["loss_scaler"]))
    return position


def _restore(tensors: dict[str, torch.Tensor], learner: Learner, rank: int) -> None:
    """Copy the tensors of a state into the learner and the random generators."""
    mine = _below(tensors, f"process.{rank}.")
    with torch.no_grad():
        for name, parameter in learner.model.named_parameters():
            parameter.copy_(tensors[f"model.{name}"])
        learner.loss_sum.copy_(mine.pop("loss_sum"))
    for number, optimizer in enumerate(learner.optimizers):
        state: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in _below(tensors, f"optimizer.{number}.").items():
            index, key = name.split(".", 1)
            state.setdefault(int(index), {})[key] = tensor
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    _set_random_streams(mine)


def _below(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """Return the tensors whose names begin with the prefix, under the rest of their names."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
