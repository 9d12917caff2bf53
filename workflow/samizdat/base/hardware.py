"""Which device will compute, as far as it can be told without loading torch, which takes seconds."""

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

DRIVER = Path("/proc/driver/nvidia/version")


def are_there() -> bool:
    """Whether this machine has an NVIDIA card that is not hidden from this process."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1")
    return not hidden and (shutil.which("nvidia-smi") is not None or DRIVER.exists())


def unused_card() -> str | None:
    """What to say where an NVIDIA card is there and the installed torch can't use it; None where there is none."""
    if not are_there():
        return None
    version, cuda = _torch_build()
    if cuda is not None and (_names() or not shutil.which("nvidia-smi")):
        return None
    return why_unused(version, cuda)


def why_unused(version: str, cuda: str | None) -> str:
    """What to say of a card that a torch of that version, built with that CUDA, does not use."""
    if cuda is None:
        return (
            f"this machine has an NVIDIA card, but torch {version} is a build for CPUs, so the CPU computes; to use "
            f"the card: .venv/bin/python -m pip install --force-reinstall torch=={version.partition('+')[0]}"
        )
    return (
        f"this machine has an NVIDIA card, but torch {version} (built with CUDA {cuda}) can't reach it, so the CPU "
        "computes; `nvidia-smi` says whether the driver works and which CUDA it supports"
    )


def announce_unused_card(requested: str) -> None:
    """Say it at the terminal, when a run that would take a card begins."""
    if requested == "auto" and (said := unused_card()):
        print(f"! {said}", file=sys.stderr, flush=True)


def computing_device(requested: str) -> str:
    """The device that `device: <requested>` leads to, in a line for people.

    Args:
        requested: `auto`, `cpu`, `cuda` or `mps`.
    """
    if requested in ("auto", "cuda") and are_there() and _torch_build()[1] and (names := _names()):
        return f"Computes on: {', '.join(names)}."
    if requested == "mps" or (requested == "auto" and sys.platform == "darwin" and os.uname().machine == "arm64"):
        return f"Computes on: the GPU of {processor_name()}."
    if requested == "cuda":
        return "Computes on: an NVIDIA card, which is not to be seen here."
    line = f"Computes on: the CPU, {processor_name()}."
    said = unused_card() if requested == "auto" else None
    return f"{line}\n{said[:1].upper()}{said[1:]}." if said else line


def _names() -> list[str]:
    """The cards that the driver reaches."""
    try:
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=True, timeout=30)  # noqa: S607
    except (OSError, subprocess.SubprocessError):
        return []
    return re.findall(r"^GPU \d+: (.+?)(?: \(UUID.*)?$", done.stdout, re.MULTILINE)


def _torch_build() -> tuple[str, str | None]:
    """The installed torch's version and that of the CUDA that it was built with, from its text."""
    spec = importlib.util.find_spec("torch")
    text = Path(spec.origin).with_name("version.py").read_text(encoding="utf-8")
    version = re.search(r"^__version__ = '(.+)'", text, re.MULTILINE)
    cuda = re.search(r"^cuda\b.*= '(.+)'", text, re.MULTILINE)
    return version[1], cuda and cuda[1]


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
