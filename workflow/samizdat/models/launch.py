"""Start a training in several processes: `python -m samizdat.models.launch N samizdat.models.train_model …`."""

import logging
import os
import sys
import uuid

from samizdat.base.parent import PARENT, die_with_parent


def processes_of(wanted: str, arguments: list[str]) -> int:
    """Return how many processes to start.

    Args:
        wanted: a number, or `auto`: one process for each GPU of this machine, and one on a CPU.
        arguments: the options of the program, of which `--device=cpu` counts.
    """
    if wanted != "auto":
        return int(wanted)
    import torch

    return 1 if "--device=cpu" in arguments else max(1, torch.cuda.device_count())


def launch(processes: int, module: str, arguments: list[str]) -> int:
    """Run `python -m module` in several processes, as torchrun does, and return the exit status.

    If one process is wanted, the program replaces this process. torchrun's own command line is not used: it would take
    the program's option `--log` for one of its own.
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
        rdzv_endpoint="127.0.0.1:0",  # a name may lead elsewhere, or nowhere
        local_addr="127.0.0.1",
        run_id=uuid.uuid4().hex,
        monitor_interval=0.5,
        max_restarts=0,  # a process that failed would fail again, and print its error again
    )
    os.environ[PARENT] = str(os.getpid())
    try:
        elastic_launch(config, sys.executable)("-m", module, *arguments)
    except (ChildFailedError, SignalException):
        return 1  # the process that failed, or was asked to end, has printed why
    return 0


if __name__ == "__main__":
    sys.exit(launch(processes_of(sys.argv[1], sys.argv[3:]), sys.argv[2], sys.argv[3:]))
