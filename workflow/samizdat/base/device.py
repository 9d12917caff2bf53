"""The device that computes: its choice, number formats, threads, memory, random seeds and determinism."""

import ctypes
import logging
import os
import platform
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy

from samizdat.base import hardware
from samizdat.base.errors import UserError
from samizdat.base.parent import ran_out_of_memory

if TYPE_CHECKING:
    import torch

log = logging.getLogger("samizdat")

# The first CUDA compute capability whose tensor cores multiply float16 (Volta); bfloat16 came with 8.0 (Ampere).
FLOAT16_CAPABILITY = (7, 0)
# Functions that PyTorch computes with MKL's vector mathematics (its header ATen/cpu/vml.h).
MKL_VECTOR_FUNCTIONS = (
    "acos", "asin", "atan", "cos", "erf", "erfc", "erfinv", "exp", "log", "log10", "log2", "sin", "sqrt", "tan",
    "tanh", "trunc",
)  # fmt: skip


@dataclass(frozen=True)
class Device:
    """The device that was chosen and set up."""

    kind: str  # "cpu", "cuda" or "mps"
    name: str  # for people, such as "NVIDIA H200"
    fastest: str  # its fastest float format for matrix products: "bfloat16", "float16" or "float32"
    int8: bool  # whether its int8 products are fast enough to train with; only CPUs

    def number_format(self, precision: str) -> "torch.dtype":
        """Return the number format of a stage's matrix products.

        Args:
            precision: `float32`, `bfloat16`, `float16`, or `auto` for the fastest.
        """
        import torch

        dtype: torch.dtype = getattr(torch, self.fastest if precision == "auto" else precision)
        return dtype


def ask_for_equal_bits() -> None:
    """Ask the libraries of matrix products for the same bits each time; they read the variables when they start."""
    # Without it, cuBLAS's sums may differ from run to run.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    if hardware.is_intel():
        # Without it, MKL multiplies the last rows of a small product by other code than those before them, on Intel's
        # processors, so that a text's score would depend on its place in a batch. Other processors can't do this.
        os.environ.setdefault("MKL_CBWR", "AUTO,STRICT")


def prepare(requested: str, *, threads: int, seed: int) -> Device:
    """Choose the device, and set the number of threads, the random seeds and deterministic algorithms.

    Args:
        requested: `auto`, `cpu`, `cuda` or `mps`.
        threads: threads of the numeric libraries on the CPU. Sums are split among threads, so the number is a part
            of a result's fingerprint.
        seed: random seed of Python, NumPy and torch.

    Raises:
        UserError: CUDA or MPS is requested and is not available.
    """
    ask_for_equal_bits()
    # oneDNN would keep code for 1,024 shapes of products, up to 0.6 MB each; texts of many lengths have as many.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")
    import torch

    kind = _chosen_kind(requested)
    _keep_freed_memory()
    torch.set_num_threads(threads)
    _let_mkl_choose_its_code()
    if kind == "cuda":
        # Before anything else uses CUDA, or every process of a training takes memory of the first GPU.
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    seed_everything(seed)
    torch.use_deterministic_algorithms(True, warn_only=kind == "mps")
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined] # torch sets it at runtime
    # No TF32, in products or convolutions: it would multiply float32 numbers with only ten bits of their fractions.
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    if kind == "cuda":
        # cuDNN's attention makes a new plan for each shape in each thread, which takes 70 ms for every text length.
        torch.backends.cuda.enable_cudnn_sdp(False)
        return Device(kind, torch.cuda.get_device_name(), fastest=_fastest_on_gpu(), int8=False)
    if kind == "mps":
        return Device(kind, platform.processor() or "Apple GPU", fastest="float32", int8=False)
    # Without one of these, bfloat16 is slower than float32. With AMX, int8 is slower than bfloat16.
    native = _cpu_has("avx512_bf16", "amx_bf16", "amx_tile", "bf16", "arm_bf16")
    int8 = _cpu_has("avx512_vnni") and not _cpu_has("amx_tile")
    return Device(kind, hardware.processor_name(), fastest="bfloat16" if native else "float32", int8=int8)


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch; NumPy takes only the low 32 bits."""
    import torch

    random.seed(seed)
    numpy.random.seed(seed & 0xFFFFFFFF)
    torch.manual_seed(seed)


def _chosen_kind(requested: str) -> str:
    """Choose `cpu`, `cuda` or `mps`; warn if an NVIDIA GPU is there and can't be used."""
    import torch

    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if requested == "auto":
        kind = next(kind for kind in ("cuda", "mps", "cpu") if available[kind])
        if kind == "cpu" and hardware.has_nvidia_gpu():
            log.warning("%s", hardware.unused_gpu_reason(torch.__version__, torch.version.cuda))
        return kind
    if not available.get(requested):
        built = torch.version.cuda or "no CUDA"
        raise UserError(
            f"device: {requested} is asked for, but torch {torch.__version__} (built with {built}) finds none",
            remedy="set `device: auto` or `device: cpu` in the config, or install the driver and a torch build for it",
        )
    return requested


def _fastest_on_gpu() -> str:
    """Return the fastest format of the GPU's tensor cores; float32 if it has none."""
    import torch

    if torch.cuda.is_bf16_supported(including_emulation=False):
        return "bfloat16"
    return "float16" if torch.cuda.get_device_capability() >= FLOAT16_CAPABILITY else "float32"


@contextmanager
def enough_memory(device: Device, what: str, *, remedy: str) -> Iterator[None]:
    """Replace an out-of-memory error inside the block by an error that says what to change.

    Args:
        device: the device whose memory is used.
        what: what needs the memory, such as "32 texts at once".
        remedy: what the user can change.

    Raises:
        UserError: the device ran out of memory.
    """
    try:
        yield
    except Exception as error:
        if not ran_out_of_memory(error):
            raise
        raise UserError(f"the {device.name} has too little memory for {what}", remedy=remedy) from None


def _keep_freed_memory() -> None:
    """Tell glibc to keep freed memory: to request it from the system again in each step took half of a CPU's time."""
    if platform.libc_ver()[0] == "glibc":
        m_trim_threshold, m_mmap_max = -1, -4  # <malloc.h>
        libc = ctypes.CDLL(None)
        libc.mallopt(m_mmap_max, 0)
        libc.mallopt(m_trim_threshold, -1)


def _let_mkl_choose_its_code() -> None:
    """Call each of MKL's vector functions once, in one thread, so that MKL has chosen its code for this processor.

    MKL chooses at the first call. If two threads make it at once, one of them may compute its part with an error of up
    to 0.015 %, so that a step gives other bits now and then (https://github.com/pytorch/pytorch/issues/188792).
    """
    import torch

    for dtype in (torch.float32, torch.float64):
        number = torch.full((1,), 0.5, dtype=dtype)
        for name in MKL_VECTOR_FUNCTIONS:
            getattr(torch, name)(number)


def _cpu_has(*names: str) -> bool:
    """Whether the processor has one of these capabilities, in PyTorch's names."""
    import torch

    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in names)
