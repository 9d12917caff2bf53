"""State to resume from: one safetensors file, replaced whole, bound to what it belongs to."""

import json
import logging
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load_file, save_file

from samizdat.files import replacing
from samizdat.muon import Muon
from samizdat.workers import Workers

log = logging.getLogger("samizdat")


class StateWriter:
    """Writes states in a thread of its own: training waits for the snapshot in memory, not for the disk.

    What a state holds is settled when `save` is called; when it reaches the disk decides only how much a kill costs.
    """

    def __init__(self, path: Path, fingerprint: str, workers: Workers):
        """Write to `path`, from the first process, what all of them know."""
        self._path = path
        self._fingerprint = fingerprint
        self._workers = workers
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="state")
        self._writing: Future | None = None

    def save(self, model: torch.nn.Module, optimizers: list[torch.optim.Optimizer], position: dict[str, Any]) -> None:
        """Take weights, optimiser state, random streams and `position` (JSON) as they are, to be written."""
        streams = {
            f"random.{kind}.{rank}": stream
            for kind, mine in _random_streams().items()
            for rank, stream in enumerate(self._workers.gather(mine))
        }
        if not self._workers.first:
            return
        self.wait()
        tensors = {f"model.{name}": parameter.detach() for name, parameter in model.named_parameters()}
        for number, optimizer in enumerate(optimizers):
            for index, state in optimizer.state_dict()["state"].items():
                tensors |= {f"optimizer.{number}.{index}.{key}": value for key, value in state.items()}
        metadata = {"fingerprint": self._fingerprint, "position": json.dumps(position)}
        snapshot = {name: tensor.to("cpu", copy=True).contiguous() for name, tensor in tensors.items()} | streams
        self._writing = self._thread.submit(_write, self._path, snapshot, metadata)

    def wait(self) -> None:
        """Until the state is on the disk.

        Raises:
            OSError: it could not be written.
        """
        if self._writing is not None:
            self._writing.result()
            self._writing = None


def _write(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata)


def _random_streams() -> dict[str, torch.Tensor]:
    streams = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        streams["cuda"] = torch.cuda.get_rng_state()
    return streams


def state_bytes(optimizers: list[torch.optim.Optimizer]) -> int:
    """What a state takes on the disk: float32 weights, and Muon's one or AdamW's two moments of each."""
    return sum(
        4 * parameter.numel() * (2 if isinstance(optimizer, Muon) else 3)
        for optimizer in optimizers
        for group in optimizer.param_groups
        for parameter in group["params"]
    )


def load_state(
    path: Path, fingerprint: str, model: torch.nn.Module, optimizers: list[torch.optim.Optimizer], workers: Workers
) -> dict[str, Any] | None:
    """Put a saved state back and return its position; None where there is none that belongs here.

    A state of another fingerprint (other settings, texts, seed, threads, device or code) is left alone and
    said so in the log: it would lead to other weights than a run from the start.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (FileNotFoundError, safetensors.SafetensorError):
        return None
    if metadata.get("fingerprint") != fingerprint:
        log.warning("the state in %s belongs to another run and is not resumed from", path)
        return None
    tensors = load_file(path)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(tensors[f"model.{name}"])
    for number, optimizer in enumerate(optimizers):
        state: dict[int, dict[str, torch.Tensor]] = {}
        prefix = f"optimizer.{number}."
        for name, tensor in tensors.items():
            if name.startswith(prefix):
                index, key = name.removeprefix(prefix).split(".", 1)
                state.setdefault(int(index), {})[key] = tensor
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    torch.set_rng_state(tensors[f"random.cpu.{workers.rank}"])
    if torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors[f"random.cuda.{workers.rank}"])
    return json.loads(metadata["position"])
