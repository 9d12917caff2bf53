"""Where numbers are computed: the device, its number format, its threads, and determinism."""

import ctypes
import os
import platform
from dataclasses import dataclass

from samizdat.errors import UserError
from samizdat.seeds import seed_everything


@dataclass(frozen=True)
class Device:
    """A device that was chosen and prepared."""

    kind: str  # "cpu", "cuda" or "mps"
    name: str  # for people, such as "NVIDIA H200"
    bfloat16: bool  # whether its matrix units multiply bfloat16 natively
    int8: bool  # whether they multiply eight-bit integers fast enough to train with; CPUs only


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
    seed_everything(seed)
    torch.use_deterministic_algorithms(True, warn_only=kind == "mps")
    torch.utils.deterministic.fill_uninitialized_memory = False
    if kind == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True
        half = torch.cuda.is_bf16_supported(including_emulation=False)
        return Device(kind, torch.cuda.get_device_name(), bfloat16=half, int8=False)
    if kind == "mps":
        return Device(kind, platform.processor() or "Apple GPU", bfloat16=False, int8=False)
    # Elsewhere bfloat16 is slower than float32; with AMX its products are so fast that scaling for int8 costs more.
    half = _cpu_has("avx512_bf16", "amx_bf16", "amx_tile", "bf16", "arm_bf16")
    return Device(kind, processor_name(), bfloat16=half, int8=_cpu_has("avx512_vnni") and not _cpu_has("amx_tile"))


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


def processor_name() -> str:
    """What the processor calls itself."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - no path of ours
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
