"""Several processes for one training: each computes its share of every batch, on a GPU or a CPU of its own."""

import contextlib
import logging
import os
import sys
import uuid
from dataclasses import dataclass

from samizdat.base.errors import UserError
from samizdat.base.stage import die_with_parent


@dataclass(frozen=True)
class Workers:
    """The processes of this training, seen from one of them; alone, every method is the identity."""

    rank: int
    count: int
    kind: str  # of the device: "cpu", "cuda" or "mps"

    @property
    def first(self) -> bool:
        """Whether this is the one process that writes files."""
        return self.rank == 0

    @property
    def said(self) -> str:
        """How many there are, in words."""
        return "1 process" if self.count == 1 else f"{self.count} processes"

    def wrap(self, module):
        """The module with gradients that are averaged over all processes."""
        if self.count == 1:
            return module
        import torch

        return torch.nn.parallel.DistributedDataParallel(module)

    def accumulating(self, module, *, last: bool):
        """A context for one micro-batch: gradients travel between processes with the last one only."""
        return contextlib.nullcontext() if last or self.count == 1 else module.no_sync()

    def sum(self, value) -> float:
        """The sum over all processes of a tensor of one number."""
        if self.count > 1:
            import torch

            value = value.clone()
            torch.distributed.all_reduce(value)
        return value.item()

    def gather(self, tensor) -> list:
        """Every process's tensor of one shape, by rank, on the device that it is on."""
        if self.count == 1:
            return [tensor]
        import torch

        gathered = [torch.empty_like(tensor) for _ in range(self.count)]
        torch.distributed.all_gather(gathered, tensor)
        return gathered

    def agree(self, value: int) -> int:
        """What the first process says; no GPU is waited for."""
        if self.count == 1:
            return value
        import torch

        said = torch.tensor([int(value)])
        torch.distributed.broadcast(said, src=0)
        return said.item()


# Set to 1, processes share the cards that are there, and their sums go by way of the host: for tests of this path on
# a machine with one card.
SHARE_CARDS = "SAMIZDAT_SHARE_CARDS"


def join(processes: int | str, kind: str) -> Workers:
    """Meet the other processes, where there are any.

    Args:
        processes: how many the config asks for; `auto` for as many as were started.
        kind: of the device; `cuda` takes a GPU for each process.

    Raises:
        UserError: another number was started, or there are too few GPUs.
    """
    rank, count = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if processes not in ("auto", count):
        raise UserError(
            f"training.processes is {processes}, but {count} were started",
            remedy=f"start it with: python -m samizdat.models.workers {processes} samizdat.models.train_model …",
        )
    if count == 1:
        return Workers(0, 1, kind)
    import torch

    shared = os.environ.get(SHARE_CARDS) == "1"
    if kind == "mps" or (kind == "cuda" and torch.cuda.device_count() < count and not shared):
        there = torch.cuda.device_count() if kind == "cuda" else 1
        raise UserError(
            f"training.processes is {count}, but this machine has {there} GPU{'' if there == 1 else 's'}",
            remedy="lower training.processes in the config, or set `device: cpu`",
        )
    # All processes are on this machine: no name needs to be looked up, no network to be there.
    for library in ("GLOO", "NCCL"):
        os.environ.setdefault(f"{library}_SOCKET_IFNAME", "lo0" if sys.platform == "darwin" else "lo")
    # What the host alone knows travels by gloo: NCCL moves only what is on a GPU.
    torch.distributed.init_process_group("cpu:gloo,cuda:nccl" if kind == "cuda" and not shared else "gloo")
    return Workers(rank, count, kind)


def processes_of(wanted: str, arguments: list[str]) -> int:
    """How many processes to start: a number, or for `auto` one for each GPU of this machine, and one on a CPU."""
    if wanted != "auto":
        return int(wanted)
    import torch

    return 1 if "--device=cpu" in arguments else max(1, torch.cuda.device_count())


def launch(processes: int, module: str, arguments: list[str]) -> int:
    """Run `python -m module` in so many processes, as torchrun does; the exit status.

    One process is this one. Not by torchrun's own command line, which takes `--log` of the module for an option of its
    own.
    """
    die_with_parent()
    if processes == 1:
        os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 - no shell is wanted
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        local_addr="localhost",
        run_id=uuid.uuid4().hex,
        monitor_interval=0.5,
        max_restarts=0,  # what failed would only fail again, and say so each time
    )
    try:
        elastic_launch(config, sys.executable)("-m", module, *arguments)
    except (ChildFailedError, SignalException):
        return 1  # the process that failed, or was asked to end, has said why
    return 0


if __name__ == "__main__":
    sys.exit(launch(processes_of(sys.argv[1], sys.argv[3:]), sys.argv[2], sys.argv[3:]))
