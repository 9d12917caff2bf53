"""Where numbers are computed: the device, its number formats, its threads, its memory, and determinism."""

import ctypes
import logging
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from samizdat.base import hardware
from samizdat.base.errors import UserError
from samizdat.base.seeds import seed_everything

if TYPE_CHECKING:
    import torch

log = logging.getLogger("samizdat")

# Tensor cores for float16 came with this compute capability (Volta), those for bfloat16 with 8.0 (Ampere).
FLOAT16_CAPABILITY = (7, 0)
# What libraries say that keep no exception of its own for it.
_NO_MEMORY = ("can't allocate memory", "CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED")


@dataclass(frozen=True)
class Device:
    """A device that was chosen and prepared."""

    kind: str  # "cpu", "cuda" or "mps"
    name: str  # for people, such as "NVIDIA H200"
    fastest: str  # the float format that its matrix units multiply fastest: "bfloat16", "float16" or "float32"
    int8: bool  # whether they multiply eight-bit integers fast enough to train with; CPUs only

    def number_format(self, precision: str) -> "torch.dtype":
        """The format of a stage's matrix products.

        Args:
            precision: `float32`, `bfloat16`, `float16`, or `auto`: the fastest.
        """
        import torch

        return getattr(torch, self.fastest if precision == "auto" else precision)


def prepare(requested: str, *, threads: int, seed: int) -> Device:
    """Choose the device, fix thread count, seeds and deterministic algorithms, and say what was found.

    Args:
        requested: `auto`, `cpu`, `cuda` or `mps`.
        threads: threads of the numeric libraries on the CPU; part of the result's fingerprint, because
            sums are split among threads.
        seed: seeds every random stream of the process.

    Raises:
        UserError: CUDA or MPS is asked for and is not there.
    """
    # cuBLAS reads this when it starts; without it its reductions may differ from run to run.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    import torch

    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if requested == "auto":
        kind = next(kind for kind in ("cuda", "mps", "cpu") if available[kind])
        if kind == "cpu" and hardware.are_there():
            log.warning("%s", hardware.why_unused(torch.__version__, torch.version.cuda))
    elif available.get(requested):
        kind = requested
    else:
        built = torch.version.cuda or "no CUDA"
        raise UserError(
            f"device: {requested} is asked for, but torch {torch.__version__} (built with {built}) finds none",
            remedy="set `device: auto` or `device: cpu` in the config, or install the driver and a torch build for it",
        )
    _keep_freed_memory()
    torch.set_num_threads(threads)
    if kind == "cuda":
        # Before anything touches a card, or every process of a training takes memory of the first one.
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    seed_everything(seed)
    torch.use_deterministic_algorithms(True, warn_only=kind == "mps")
    torch.utils.deterministic.fill_uninitialized_memory = False
    # What is called float32 is IEEE float32: TF32 keeps ten bits of a number for the products.
    torch.set_float32_matmul_precision("highest")
    if kind == "cuda":
        # cuDNN's attention makes a plan for each shape anew in each thread: 70 ms for every length of a text.
        torch.backends.cuda.enable_cudnn_sdp(False)
        return Device(kind, torch.cuda.get_device_name(), fastest=_fastest_on_card(), int8=False)
    if kind == "mps":
        return Device(kind, platform.processor() or "Apple GPU", fastest="float32", int8=False)
    # Elsewhere bfloat16 is slower than float32; with AMX its products are so fast that scaling for int8 costs more.
    native = _cpu_has("avx512_bf16", "amx_bf16", "amx_tile", "bf16", "arm_bf16")
    int8 = _cpu_has("avx512_vnni") and not _cpu_has("amx_tile")
    return Device(kind, hardware.processor_name(), fastest="bfloat16" if native else "float32", int8=int8)


def _fastest_on_card() -> str:
    """The format of the tensor cores of the card in use; float32 where it has none."""
    import torch

    if torch.cuda.is_bf16_supported(including_emulation=False):
        return "bfloat16"
    return "float16" if torch.cuda.get_device_capability() >= FLOAT16_CAPABILITY else "float32"


@contextmanager
def enough_memory(device: Device, what: str, *, remedy: str) -> Iterator[None]:
    """Turn running out of memory inside of the block into an error for people.

    Args:
        device: whose memory it is.
        what: what there is too little for, such as "32 texts at once".
        remedy: what to change.

    Raises:
        UserError: memory ran out.
    """
    try:
        yield
    except Exception as error:
        if not _ran_out_of_memory(error):
            raise
        raise UserError(f"the {device.name} has too little memory for {what}", remedy=remedy) from None


def _ran_out_of_memory(error: BaseException | None) -> bool:
    """Whether memory is behind an error; a CUDA graph that is being captured hides it behind one of its own."""
    import torch

    while error is not None:
        if isinstance(error, torch.OutOfMemoryError | MemoryError) or any(sign in str(error) for sign in _NO_MEMORY):
            return True
        error = error.__cause__ or error.__context__
    return False


def _keep_freed_memory() -> None:
    """Tell glibc to keep what is freed: mapping large tensors anew in each step took half of a CPU's time."""
    if platform.libc_ver()[0] == "glibc":
        m_trim_threshold, m_mmap_max = -1, -4  # <malloc.h>
        libc = ctypes.CDLL(None)
        libc.mallopt(m_mmap_max, 0)
        libc.mallopt(m_trim_threshold, -1)


def _cpu_has(*names: str) -> bool:
    """Whether the processor has one of these capabilities, as PyTorch names them."""
    import torch

    get_capabilities = getattr(torch.cpu, "get_capabilities", dict)
    capabilities = get_capabilities()
    return any(capabilities.get(name) for name in names)
