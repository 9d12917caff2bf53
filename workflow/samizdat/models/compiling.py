"""Whether PyTorch can compile on this machine."""

import functools
import logging

import torch
from torch._inductor import config as inductor

from samizdat.base import stage
from samizdat.environment.system import how_to_install

log = logging.getLogger("samizdat")


@functools.cache
def can_compile(kind: str) -> bool:
    """Compile and run a small function; if that fails, say so at the terminal once, and why in the log.

    Args:
        kind: of the device: `cpu`, `cuda` or `mps`.
    """
    # Otherwise three programs are compiled and run to find out what /proc/cpuinfo says: six seconds.
    inductor.cpp.vec_isa_ok = True
    try:
        torch.compile(_probe, dynamic=False)(torch.ones(8, device=kind))
    except Exception as error:
        # A dozen kinds of exceptions are possible on a machine without a C++ compiler or Python's headers.
        log.warning("PyTorch can't compile here: %s", error)
        command = how_to_install("compiler", "install a C++ compiler and the headers of Python")
        said = "training is not compiled, and slower, because this machine can't compile"
        stage.tell(f"{said}; to change that: {command}")
        return False
    return True


def _probe(numbers: torch.Tensor) -> torch.Tensor:
    return numbers * numbers + 1
