"""State to resume from: one safetensors file, replaced whole, bound to what it belongs to."""

import json
import logging
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load_file, save_file

from samizdat.files import replacing

log = logging.getLogger("samizdat")


def save_state(
    path: Path,
    fingerprint: str,
    model: torch.nn.Module,
    optimizers: list[torch.optim.Optimizer],
    position: dict[str, Any],
) -> None:
    """Write weights, optimiser state and random streams, with `position` (JSON) beside them, atomically."""
    tensors = {f"model.{name}": parameter.detach() for name, parameter in model.named_parameters()}
    for number, optimizer in enumerate(optimizers):
        for index, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{index}.{key}": value for key, value in state.items()}
    tensors["random.cpu"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    metadata = {"fingerprint": fingerprint, "position": json.dumps(position)}
    whole = {name: tensor.contiguous().cpu() for name, tensor in tensors.items()}
    with replacing(path) as temporary:
        save_file(whole, temporary, metadata)


def load_state(
    path: Path, fingerprint: str, model: torch.nn.Module, optimizers: list[torch.optim.Optimizer]
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
    torch.set_rng_state(tensors["random.cpu"])
    if "random.cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["random.cuda"])
    return json.loads(metadata["position"])
