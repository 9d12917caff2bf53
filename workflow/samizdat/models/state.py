"""State to resume from: one safetensors file, replaced whole, bound to what it belongs to."""

import json
import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load_file, save_file

from samizdat.base.errors import UserError
from samizdat.base.files import replacing
from samizdat.models.workers import Workers
from samizdat.optimization.muon import Muon

log = logging.getLogger("samizdat")


class StateWriter:
    """Writes states in a thread of its own: training waits neither for the device nor for the disk.

    What a state holds is settled when `save` is called; when it reaches the disk decides only how much a kill costs.
    """

    def __init__(self, path: Path, fingerprint: str, workers: Workers, every_seconds: float):
        """Write to `path`, from the first process, what all of them know; a state is due every so many seconds."""
        self._path = path
        self._fingerprint = fingerprint
        self._workers = workers
        self._every_seconds = every_seconds
        self._last = time.monotonic()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="state")
        self._writing: Future | None = None
        self._buffers: dict[str, torch.Tensor] = {}

    @property
    def due(self) -> bool:
        """Whether it is time for a state; not while one is still being written. All processes are told the same."""
        free = self._writing is None or self._writing.done()
        return self._workers.agree(free and time.monotonic() - self._last >= self._every_seconds)

    def save(
        self,
        model: torch.nn.Module,
        optimizers: list[torch.optim.Optimizer],
        loss_sum: torch.Tensor,
        position: dict[str, Any],
    ) -> None:
        """Take weights, optimiser state, random streams and `position` (JSON) as they are, to be written.

        Args:
            model: what learns.
            optimizers: what moves it.
            loss_sum: this process's sum of losses since the last evaluation, one number.
            position: the same in all processes.
        """
        mine = _random_streams() | {"loss_sum": loss_sum}
        everyones = {
            f"process.{rank}.{name}": tensor
            for name, own in mine.items()
            for rank, tensor in enumerate(self._workers.gather(own))
        }
        if not self._workers.first:
            return
        self.wait()
        tensors = {f"model.{name}": parameter.detach() for name, parameter in model.named_parameters()} | everyones
        for number, optimizer in enumerate(optimizers):
            for index, state in optimizer.state_dict()["state"].items():
                tensors |= {f"optimizer.{number}.{index}.{key}": value for key, value in state.items()}
        metadata = {
            "fingerprint": self._fingerprint,
            "processes": str(self._workers.count),
            "position": json.dumps(position),
        }
        snapshot, copied = self._snapshot(tensors)
        self._writing = self._thread.submit(_write, self._path, snapshot, metadata, copied)
        self._last = time.monotonic()

    def _snapshot(self, tensors: dict[str, torch.Tensor]) -> tuple[dict[str, torch.Tensor], "torch.cuda.Event | None"]:
        """Copies in the host's memory; from a GPU they are complete when the event has happened.

        The copies of a GPU go into pages that stay pinned, in the order of the stream: the next step changes nothing
        before it was copied, and the host doesn't wait.
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
        """Until the state is on the disk.

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
    """The state of every random generator that dropout may draw from, on the CPU."""
    streams = {"random.cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        streams["random.cuda"] = torch.cuda.get_rng_state()
    if torch.backends.mps.is_available():
        streams["random.mps"] = torch.mps.get_rng_state()
    return streams


def _set_random_streams(streams: dict[str, torch.Tensor]) -> None:
    """Put back what `_random_streams` gave."""
    torch.set_rng_state(streams["random.cpu"])
    if "random.cuda" in streams:
        torch.cuda.set_rng_state(streams["random.cuda"])
    if "random.mps" in streams:
        torch.mps.set_rng_state(streams["random.mps"])


def state_bytes(optimizers: list[torch.optim.Optimizer]) -> int:
    """What a state takes on the disk: float32 weights, and Muon's one or AdamW's two moments of each."""
    return sum(
        4 * parameter.numel() * (2 if isinstance(optimizer, Muon) else 3)
        for optimizer in optimizers
        for group in optimizer.param_groups
        for parameter in group["params"]
    )


def load_state(
    path: Path,
    fingerprint: str,
    model: torch.nn.Module,
    optimizers: list[torch.optim.Optimizer],
    loss_sum: torch.Tensor,
    workers: Workers,
) -> dict[str, Any] | None:
    """Put a saved state back and return its position; None where there is none that belongs here.

    A state of another fingerprint (other settings, texts, seed, threads, device or code) is left alone and
    said so in the log: it would lead to other weights than a run from the start.

    Raises:
        UserError: another number of processes made the state.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (FileNotFoundError, safetensors.SafetensorError):
        return None
    if metadata.get("fingerprint") != fingerprint:
        log.warning("the state in %s belongs to another run and is not resumed from", path)
        return None
    if metadata["processes"] != str(workers.count):
        raise UserError(
            f"the state in {path} is of a training by {metadata['processes']} at once, and now there "
            f"{'is' if workers.count == 1 else 'are'} {workers.said}",
            remedy=f"set training.processes to {metadata['processes']} in the config to go on, or delete that file to "
            "begin anew",
        )
    tensors = load_file(path)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(tensors[f"model.{name}"])
        mine = _below(tensors, f"process.{workers.rank}.")
        loss_sum.copy_(mine.pop("loss_sum"))
    for number, optimizer in enumerate(optimizers):
        state: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in _below(tensors, f"optimizer.{number}.").items():
            index, key = name.split(".", 1)
            state.setdefault(int(index), {})[key] = tensor
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    _set_random_streams(mine)
    return json.loads(metadata["position"])


def _below(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """The tensors whose names begin with the prefix, under the rest of their names."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
