"""The process that started this one: when it ends, so does this one; checked before anything heavy is imported."""

import ctypes
import os
import signal
import sys
from types import TracebackType

# The environment variable with the number of the process that starts a step.
PARENT = "SAMIZDAT_PARENT"
# What libraries say that have no error class of their own for it.
_NO_MEMORY = (
    "cannot allocate memory", "can't allocate memory", "failed to map segment", "can't start new thread",
    "not enough memory", "bad_alloc", "paging file is too small", "out of memory", "status_alloc_failed",
)  # fmt: skip
MEMORY_REMEDY = (
    "close other programs, raise the limit on this process's memory (`ulimit -v`, or that of the batch job or "
    "container), or choose a smaller model or fewer texts at once in the config; `device: cpu` in "
    "the config needs no GPU"
)


def begin_step() -> None:
    """End this process if the one that started it is gone already, and let Linux end it when that happens later.

    It also tells of too little memory in words while the libraries are imported.
    """
    parent = int(os.environ.pop(PARENT))
    die_with_parent()
    if os.getppid() != parent:
        os._exit(1)
    sys.excepthook = _tell


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies, so that it can't write into files of the next run."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def ran_out_of_memory(error: BaseException | None) -> bool:
    """Whether an error, or one that it follows, says that the system or a GPU gave no memory.

    While a CUDA graph is captured, another error hides it.
    """
    while error is not None:
        said = f"{type(error).__name__} {error}".lower()
        if isinstance(error, MemoryError) or any(sign in said for sign in ("outofmemoryerror", *_NO_MEMORY)):
            return True
        error = error.__cause__ or error.__context__
    return False


def _tell(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if not ran_out_of_memory(error):
        sys.__excepthook__(kind, error, traceback)
        return
    said = f"too little memory to start ({kind.__name__}: {error})"
    print(f"✗ {sys.argv[0]}: {said}.\n  What to do: {MEMORY_REMEDY}", file=sys.stderr, flush=True)
