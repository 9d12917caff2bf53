"""The processes of one training: each computes its share of every batch, on a GPU or CPU threads of its own."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from samizdat.base.errors import UserError

log = logging.getLogger("samizdat")

# The program that starts several processes. `code_digest` follows this name, so an edit there reruns training.
LAUNCHER = "samizdat.models.launch"
# Set to 1, processes share the GPUs of the machine, and their sums go through the host's memory: for tests of several
# processes on a machine with one GPU.
SHARE_GPUS = "SAMIZDAT_SHARE_GPUS"


@dataclass(frozen=True)
class Workers:
    """The processes of this training, seen from one of them. With one process, every method does nothing."""

    rank: int
    count: int
    kind: str  # of the device: "cpu", "cuda" or "mps"

    @property
    def first(self) -> bool:
        """Whether this is the one process that writes files."""
        return self.rank == 0

    @property
    def said(self) -> str:
        """The number of processes in words."""
        return "1 process" if self.count == 1 else f"{self.count} processes"

    def wrap(self, module: torch.nn.Module) -> torch.nn.Module:
        """Return the module, its gradients averaged over all processes."""
        return module if self.count == 1 else DistributedDataParallel(module)

    def accumulating(self, module: torch.nn.Module, *, last: bool) -> AbstractContextManager[None]:
        """Return a context for one micro-batch: only in the last one are gradients exchanged between processes.

        Args:
            module: as `wrap` returned it.
            last: whether the micro-batch is the last of its batch.
        """
        return module.no_sync() if isinstance(module, DistributedDataParallel) and not last else nullcontext()

    @contextmanager
    def missing_each_other(self) -> Iterator[None]:
        """Say in words that another process of this training has ended, which is found while this one waits for it.

        Raises:
            UserError: another process has ended.
        """
        try:
            yield
        except RuntimeError as error:
            # gloo has no error class of its own.
            if self.count == 1 or not (isinstance(error, distributed.DistError) or "gloo/" in str(error)):
                raise
            log.error("%s", error)
            raise UserError(
                f"another of the {self.said} of this training has ended, and this one can't go on without it",
                remedy="read what that process says here or in its log; if it says nothing, the system ended it, most "
                "often because memory was full: free some and run the same command again, which goes on from the last "
                "state. Or set training.processes or training.micro_batch_sequences lower in the config; training "
                "then begins from the start",
            ) from None

    def sum(self, value: torch.Tensor) -> float:
        """Sum a tensor of one number over all processes."""
        if self.count > 1:
            value = value.clone()
            distributed.all_reduce(value)
        return float(value.item())

    def gather(self, tensor: torch.Tensor) -> list[torch.Tensor]:
        """Collect the tensors of all processes, all of one shape, by rank, on the device of this process's."""
        if self.count == 1:
            return [tensor]
        gathered = [torch.empty_like(tensor) for _ in range(self.count)]
        distributed.all_gather(gathered, tensor)
        return gathered

    def agree(self, value: int) -> int:
        """Return the first process's value in all processes. The host doesn't wait for a GPU."""
        if self.count == 1:
            return value
        said = torch.tensor([int(value)])
        distributed.broadcast(said, src=0)
        return int(said.item())


def join(processes: int | str, kind: str) -> Workers:
    """Connect this process to the others of its training, if there are any.

    Args:
        processes: the config's number of processes; `auto`: as many as were started.
        kind: of the device; with `cuda` each process takes a GPU.

    Raises:
        UserError: another number of processes was started, or the machine has too few GPUs.
    """
    rank, count = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if processes not in ("auto", count):
        raise UserError(
            f"training.processes is {processes}, but the number of started processes is {count}",
            remedy=f"start training with: python -m {LAUNCHER} {processes} samizdat.models.train_model …",
        )
    if count == 1:
        return Workers(0, 1, kind)
    shared = os.environ.get(SHARE_GPUS) == "1"
    if kind == "mps" or (kind == "cuda" and torch.cuda.device_count() < count and not shared):
        there = torch.cuda.device_count() if kind == "cuda" else 1
        raise UserError(
            f"training.processes is {count}, but this machine has {there} GPU{'' if there == 1 else 's'}",
            remedy="lower training.processes in the config, or set `device: cpu`",
        )
    # All processes are on this machine: no host name needs to be resolved, and no network is needed.
    for library in ("GLOO", "NCCL"):
        os.environ.setdefault(f"{library}_SOCKET_IFNAME", "lo0" if sys.platform == "darwin" else "lo")
    # Numbers in the host's memory are exchanged by gloo: NCCL exchanges only what is on a GPU.
    distributed.init_process_group("cpu:gloo,cuda:nccl" if kind == "cuda" and not shared else "gloo")
    return Workers(rank, count, kind)
