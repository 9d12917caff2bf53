"""The device that will compute, found without importing torch, which takes seconds."""

import ctypes
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from samizdat.base.errors import UserError

NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")
# Settings of system libraries for a step, as variables of its environment. glibc gives an array of up to 32 MB back to
# the system only with 256 MB of others; by default it does so at once, and asks for the next one page by page, which
# was a third of the time of writing samples. A thread of GNU's OpenMP waits for others at full speed for a moment only,
# by this count; by default it does so for milliseconds, in which it takes a core from those that it waits for, wherever
# another program computes. Other systems read none of these.
LIBRARY_SETTINGS = {
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    "GOMP_SPINCOUNT": "1000",
}


def give_memory_back() -> None:
    """Give the memory that was freed back to the system, of which glibc keeps pieces; other systems have no call."""
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def has_nvidia_gpu() -> bool:
    """Whether this machine has an NVIDIA GPU that CUDA_VISIBLE_DEVICES does not hide, or at least programs for one."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1")
    return not hidden and (shutil.which("nvidia-smi") is not None or NVIDIA_DRIVER.exists())


def unused_gpu_warning() -> str | None:
    """Return a warning if there is an NVIDIA GPU that the installed torch can't use, else None."""
    if not has_nvidia_gpu():
        return None
    version, cuda = _torch_build()
    if cuda is not None and (_nvidia_gpus() or not shutil.which("nvidia-smi")):
        return None
    return unused_gpu_reason(version, cuda)


def unused_gpu_reason(version: str, cuda: str | None) -> str:
    """Say why torch of this version, built with this version of CUDA, does not use the NVIDIA GPU, and what to do."""
    if cuda is None and (NVIDIA_DRIVER.exists() or _nvidia_gpus()):
        return (
            f"this machine has an NVIDIA GPU, but torch {version} is a build for CPUs, so the CPU computes; to install "
            "a build that uses the GPU: rm -rf .venv && make .venv/ready"
        )
    build = f"built with CUDA {cuda}" if cuda else "a build for CPUs"
    return (
        f"this machine has NVIDIA's programs, but torch {version} ({build}) reaches no GPU, so the CPU computes; if "
        "there is one, `nvidia-smi` says whether its driver works and which CUDA it supports"
    )


def announce_unused_gpu(requested: str) -> None:
    """Print the warning at the terminal when a run with `device: auto` begins."""
    if requested == "auto" and (warning := unused_gpu_warning()):
        print(f"! {warning}", file=sys.stderr, flush=True)


def describe_device(requested: str) -> str:
    """Say in one line which device a run with `device: <requested>` will use; with a warning if a GPU stays unused.

    Args:
        requested: `auto`, `cpu`, `cuda` or `mps`.
    """
    if requested in ("auto", "cuda") and has_nvidia_gpu() and _torch_build()[1] and (names := _nvidia_gpus()):
        return f"Computes on: {', '.join(names)}."
    if requested == "mps" or (requested == "auto" and sys.platform == "darwin" and os.uname().machine == "arm64"):
        return f"Computes on: the GPU of {processor_name()}."
    if requested == "cuda":
        found = "the installed torch does not reach" if has_nvidia_gpu() else "is not found on this machine"
        return f"Computes on: an NVIDIA GPU, which {found}."
    line = f"Computes on: the CPU, {processor_name()}."
    warning = unused_gpu_warning() if requested == "auto" else None
    return f"{line}\n{warning[:1].upper()}{warning[1:]}." if warning else line


def _nvidia_gpus() -> list[str]:
    """List the names of the GPUs that the NVIDIA driver reaches."""
    try:
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=True, timeout=30)  # noqa: S607
    except (OSError, subprocess.SubprocessError):
        return []
    return re.findall(r"^GPU \d+: (.+?)(?: \(UUID.*)?$", done.stdout, re.MULTILINE)


def _torch_build() -> tuple[str, str | None]:
    """Read the version of the installed torch, and of the CUDA that it was built with, from its source text."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        raise UserError("torch is not installed in this environment", remedy="run `make`, which installs it")
    text = Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")
    version, cuda = (re.search(rf"^{name}\b.*= '(.+)'", text, re.MULTILINE) for name in ("__version__", "cuda"))
    return version[1] if version else "of an unknown version", cuda[1] if cuda else None


def is_intel() -> bool:
    """Whether the processor is one of Intel's, where the system says so."""
    return _said_of_processor("vendor_id") == "GenuineIntel"


def _said_of_processor(name: str) -> str | None:
    """Return what Linux says first of the processor under this name."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - no path of ours
            return next((line.partition(":")[2].strip() for line in file if line.startswith(name)), None)
    except OSError:
        return None


def processor_name() -> str:
    """Return the processor's model name."""
    if said := _said_of_processor("model name"):
        return said
    return platform.processor() or platform.machine()


def processor_mark() -> str:
    """Return a short hash of the processor's name and instructions, to name a folder of code compiled for it."""
    instructions = _said_of_processor("flags") or _said_of_processor("Features") or platform.machine()
    return hashlib.sha256(f"{processor_name()}\n{instructions}".encode()).hexdigest()[:8]
