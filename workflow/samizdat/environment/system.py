"""Check the operating system, and name its command that installs a package."""

import os
import platform
import shutil
import sys
import sysconfig
from pathlib import Path

from samizdat.base.errors import UserError

# The oldest systems that PyTorch and the packages of the lock have wheels for.
OLDEST_GLIBC = (2, 28)
OLDEST_MACOS = (14,)
# What may be missing → package manager → its packages. `{python}` becomes, for example, python3.12.
PACKAGES = {
    "venv": {"apt": "{python}-venv"},
    "compiler": {"apt": "g++", "dnf": "gcc-c++", "zypper": "gcc-c++", "pacman": "gcc"},
    "browser": {"apt": "chromium", "dnf": "chromium", "zypper": "chromium", "pacman": "chromium"},
}
# Added to the compiler for a Python without its headers; one of conda, pyenv or uv has them, and no such package.
HEADERS = {"apt": " {python}-dev", "dnf": " python3-devel", "zypper": " python3-devel", "pacman": ""}
INSTALL = {"apt": "apt install", "dnf": "dnf install", "zypper": "zypper install", "pacman": "pacman -S"}


def how_to_install(what: str, otherwise: str) -> str:
    """Return the command that installs `what` (a key of PACKAGES) on this system; `otherwise` where none is known."""
    for manager, packages in PACKAGES[what].items():
        if shutil.which(manager):
            sudo = "" if os.geteuid() == 0 else "sudo "
            python = f"python{sys.version_info.major}.{sys.version_info.minor}"
            headers = HEADERS[manager] if what == "compiler" and not _has_headers() else ""
            return f"{sudo}{INSTALL[manager]} {packages}{headers}".format(python=python)
    return otherwise


def check_system() -> None:
    """Refuse a system that PyTorch has no build for.

    Raises:
        UserError: names the system, and those that can be used.
    """
    machine = platform.machine()
    wanted = (
        "use Linux (glibc 2.28 or newer: Debian 10, Ubuntu 20.04, RHEL 8; x86-64 or ARM), macOS 14 or newer on Apple "
        "silicon, or Windows with WSL"
    )
    if sys.platform == "darwin":
        version = platform.mac_ver()[0]
        if machine != "arm64":
            # An x86-64 Python on Apple silicon reports x86_64, too.
            raise UserError(
                "this Python runs on an Intel Mac, or is built for one, and PyTorch has no build for those",
                remedy=f"on Apple silicon install a Python for arm64; otherwise {wanted}",
            )
        if tuple(int(part) for part in version.split(".")[:1]) < OLDEST_MACOS:
            raise UserError(f"this is macOS {version}, and PyTorch needs macOS 14 or newer", remedy=wanted)
    elif sys.platform.startswith("linux"):
        library, version = platform.libc_ver()
        if library != "glibc":
            raise UserError(
                "this Linux has no glibc (Alpine and other systems with musl don't), and PyTorch needs it",
                remedy=wanted,
            )
        if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_GLIBC:
            raise UserError(f"this Linux has glibc {version}, and PyTorch needs 2.28 or newer", remedy=wanted)
        if machine not in ("x86_64", "aarch64"):
            raise UserError(f"this machine is a {machine}, and PyTorch has no build for it", remedy=wanted)
    else:
        raise UserError(f"this system is {sys.platform}, which is not supported", remedy=wanted)


def cpp_compiler() -> str | None:
    """Return the C++ compiler that PyTorch would call; None without one, or without the headers of Python."""
    names = (os.environ.get("CXX"), "clang++" if sys.platform == "darwin" else "g++")
    found = next((name for name in names if name), "")
    return found if shutil.which(found) and _has_headers() else None


def _has_headers() -> bool:
    return Path(sysconfig.get_path("include"), "Python.h").is_file()
