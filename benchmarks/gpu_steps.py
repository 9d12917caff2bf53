"""Measure one training step on a GPU: what takes its time, how much memory it takes, and that it never waits."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from gpu_training import Sizes, settings_for
from record import Figure
from torch.overrides import TorchFunctionMode
from torch.profiler import ProfilerActivity, profile

from samizdat.base.errors import UserError
from samizdat.models import micro_batch
from samizdat.models.loop import TrainingLoop
from samizdat.models.settings import TrainingSettings
from samizdat.models.train_model import train_model

# What a kernel does → parts of its name. The first kind with a matching part counts.
KINDS = {
    "attention": ("flash", "fmha", "attention", "cudnn"),
    "matrix products": ("gemm", "nvjet", "cutlass", "cublas", "xmma"),
    "optimiser": ("adam", "multi_tensor", "lerp"),
    "compiled passes between them": ("triton",),
}


class _Done(Exception):
    """Ends the training after the measurement."""


def look_into(
    settings: TrainingSettings, tokenizer: Path, folder: Path, device: str, look: Callable[[Any], Any]
) -> Any:
    """Let the stage set up its training loop; return what `look` measures in it, and end the training."""
    found = []

    def instead(self: TrainingLoop, name: str) -> None:
        self.set_up()
        for _ in range(4):  # the first steps set things up, which is not measured
            self._learn()
        found.append(look(self))
        raise _Done

    go = TrainingLoop.go
    TrainingLoop.go = instead
    try:
        train_model(settings, "m", (), tokenizer, folder / "out", folder / "work", device, threads=2, seed=1)
    except _Done:
        return found[0]
    finally:
        TrainingLoop.go = go


def waiting(settings: TrainingSettings, tokenizer: Path, folder: Path, device: str) -> dict[str, Figure]:
    """Count how often the host waits for the device in three steps of each optimizer and number format."""
    waits = 0
    for changes in ({"optimizer": "muon", "precision": "bfloat16"}, {"optimizer": "muon", "precision": "float16"},
                    {"optimizer": "adamw", "precision": "bfloat16"}):  # fmt: skip
        look = _waits_on_gpu if device == "cuda" else reads
        waits += look_into(replace(settings, **changes), tokenizer, folder, device, look)
    return {"waits": Figure("waits of the host for the device in three steps each", waits, 0, less_is_better=True)}


def _waits_on_gpu(loop: TrainingLoop) -> int:
    waits = 0
    for _ in range(3):
        torch.cuda.set_sync_debug_mode("error")
        try:
            loop._learn()
        except RuntimeError as error:
            print(f"a step waits: {error}", flush=True)
            waits += 1
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return waits


class _Reads(TorchFunctionMode):
    """Counts the calls that read a number from a tensor: on a GPU, the host would wait at each."""

    NAMES = frozenset({"item", "tolist", "numpy", "nonzero", "cpu", "__bool__", "__float__", "__int__", "__index__"})

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        """Count the call and run it."""
        self.count += getattr(function, "__name__", "") in self.NAMES
        return function(*args, **(kwargs or {}))


def reads(loop: TrainingLoop) -> int:
    """Count how often three steps read a number from a tensor."""
    with _Reads() as seen:
        for _ in range(3):
            loop._learn()
    return seen.count


def profiled(tokenizer: Path, folder: Path, device: str, sizes: Sizes) -> dict[str, Figure]:
    """Measure the share of each kind of kernel in the time of a step with the settings of gpt2-small.yaml."""
    settings = settings_for("gpt2-small.yaml", tokenizer, sizes, precision="bfloat16")
    kernels, busy, whole = look_into(settings, tokenizer, folder, device, _kernels_of_steps)
    for name, microseconds in kernels.most_common(30):
        print(f"{100 * microseconds / whole:6.2f} %  {name[:150]}", flush=True)
    shares: Counter[str] = Counter()
    for name, microseconds in kernels.items():
        kind = next((kind for kind, parts in KINDS.items() if any(part in name.lower() for part in parts)), "the rest")
        shares[kind] += microseconds
    figures = {
        f"step {kind}": Figure(f"share of a step's time: {kind}, percent", 100 * shares[kind] / whole)
        for kind in [*KINDS, "the rest"]
    }
    return figures | {"step idle": Figure("share of a step's time in which nothing is computed, percent",
                                          100 * max(0.0, 1 - busy / whole))}  # fmt: skip


def _kernels_of_steps(loop: TrainingLoop, steps: int = 5) -> tuple[Counter[str], float, float]:
    """Return the microseconds of each kernel, of all kernels together, and of the steps from start to end."""
    on_gpu = loop.learner.device.kind == "cuda"
    with profile(activities=[ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]) as seen:
        for _ in range(steps):
            loop._learn()
        if on_gpu:
            torch.cuda.synchronize()
    kernels: Counter[str] = Counter()
    spans = []
    for event in seen.events():
        if (
            (event.device_type == torch.autograd.DeviceType.CUDA) is on_gpu
            and not event.cpu_children
            and not event.is_user_annotation
        ):
            kernels[event.name] += event.time_range.elapsed_us()
            spans.append((event.time_range.start, event.time_range.end))
    whole = max(end for _, end in spans) - min(start for start, _ in spans)
    return kernels, sum(kernels.values()), whole


def memory(tokenizer: Path, folder: Path, device: str, sizes: Sizes) -> dict[str, Figure]:
    """Measure the memory of a dry step of GPT-2 124M for several micro-batches; the presets are computed from it."""
    settings = settings_for("gpu.yaml", tokenizer, sizes, precision="bfloat16", compile=False)
    context = settings.context_tokens

    def look(loop: TrainingLoop) -> dict[int, float]:
        loop.learner.optimizers.clear()
        loop.learner.gradients = None
        loop.learner.model.zero_grad()
        found = {}
        for sequences in (1, 2, 4, 8, 16, 32):
            if device == "cuda":
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats()
            try:
                micro_batch._dry_step(settings, loop.learner.model, loop.learner.device, sequences)
            except (UserError, torch.OutOfMemoryError):
                break
            if device == "cuda":
                room = micro_batch.ROOM * torch.cuda.get_device_properties().total_memory
                found[sequences] = (torch.cuda.max_memory_reserved() - room) / 1e9
        return found

    return {
        f"memory_{sequences}": Figure(f"GB that a step of {sequences} sequences of {context} tokens takes", gigabytes)
        for sequences, gigabytes in look_into(settings, tokenizer, folder, device, look).items()
    }
