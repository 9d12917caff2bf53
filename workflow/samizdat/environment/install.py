"""Make `.venv` fit the lock: `python -m samizdat.environment.install`, called by every target of the Makefile.

Returns in a moment where it fits already. An environment that was interrupted, moved, copied, made of another lock or
by another Python is mended. Runs in a bare Python: the standard library and nothing else.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from samizdat.base.disk import free_bytes
from samizdat.base.errors import UserError
from samizdat.base.hardware import has_nvidia_gpu
from samizdat.environment.installer import Installer
from samizdat.environment.installer_errors import failed
from samizdat.environment.system import check_system

ROOT = Path(__file__).parents[3]
# Bytes of an environment, measured: with a PyTorch for CPUs, and with one for NVIDIA GPUs and its libraries.
SMALL, LARGE = 2_400_000_000, 6_500_000_000


def main() -> None:
    """Mend the environment of this project, or say in one line why that can't be done."""
    parser = argparse.ArgumentParser(prog="python -m samizdat.environment.install", description=__doc__)
    parser.add_argument("--development", action="store_true", help="with the packages that tests and lint need")
    parser.add_argument("--torch", choices=["", "system"], default="", help="system: use the PyTorch that is there")
    options = parser.parse_args()
    system_torch = options.torch == "system"
    try:
        if fits(ROOT, development=options.development, system_torch=system_torch):
            return
        if Path(sys.prefix).resolve() == (ROOT / ".venv").resolve():
            # Called from inside of the environment that is to be mended: its base does it.
            base: str = getattr(sys, "_base_executable", sys.executable)
            os.execv(base, [base, "-B", "-m", __spec__.name, *sys.argv[1:]])  # noqa: S606 - no shell is wanted
        mend(ROOT, development=options.development, system_torch=system_torch)
    except UserError as error:
        sys.exit(f"✗ {error}")
    except KeyboardInterrupt:
        sys.exit("✗ interrupted; run the same command again to go on")


def fits(root: Path, *, development: bool, system_torch: bool) -> bool:
    """Whether `root`/.venv is what the lock says and runs. Takes a moment."""
    venv = root / ".venv"
    wanted = _wanted(root, development=development, system_torch=system_torch)
    found = _stamp(venv)
    return _covers(found, wanted) and found["folder"] == wanted["folder"] and _version_of(venv) == wanted["python"]


def mend(root: Path, *, development: bool, system_torch: bool) -> None:
    """Bring `root`/.venv to what the lock says.

    Args:
        root: the project's folder.
        development: with the packages that tests and lint need.
        system_torch: take the PyTorch of the running Python in place of one of its own.

    Raises:
        UserError: says what is missing, and the command that mends it.
    """
    venv = root / ".venv"
    wanted = _wanted(root, development=development, system_torch=system_torch)
    found = _stamp(venv)
    wanted["development"] |= bool(found.get("development"))
    check_system()
    if system_torch:
        _folder_of_torch()
    (venv / "ready").unlink(missing_ok=True)
    if _version_of(venv) == wanted["python"] and _covers(found, wanted):
        print("Mending .venv, whose folder has another name now", flush=True)
        _make_venv(venv)
    else:
        print("Installing into .venv (once, about a minute)", flush=True)
        _make_venv(venv)
        _install(
            Installer(venv, root / "envs" / "uv.txt"),
            root,
            development=wanted["development"],
            system_torch=system_torch,
        )
    (venv / "ready").write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")


def _covers(found: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether an environment has all that is wanted; packages for tests and lint do no harm."""
    same = all(found.get(key) == wanted[key] for key in ("requirements", "python", "torch"))
    return same and (bool(found.get("development")) or not wanted["development"])


def _wanted(root: Path, *, development: bool, system_torch: bool) -> dict[str, Any]:
    """What `.venv/ready` says of an environment that fits."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    parts = [json.dumps([project["project"], project["build-system"]], sort_keys=True)]
    parts += [(root / "envs" / name).read_text(encoding="utf-8") for name in ("lock.txt", "lock-development.txt")]
    return {
        "requirements": hashlib.sha256("\n".join(parts).encode()).hexdigest(),
        "python": list(sys.version_info[:2]),
        "torch": "system" if system_torch else "own",
        "development": development,
        "folder": str((root / ".venv").resolve()),
    }


def _stamp(venv: Path) -> dict[str, Any]:
    """What the last installation that came to its end noted."""
    try:
        found = json.loads((venv / "ready").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _version_of(venv: Path) -> list[int] | None:
    """The version of the environment's Python; None where it doesn't run (none there, or its own base is gone)."""
    ask = "import sys; print(*sys.version_info[:2])"
    try:
        command = [str(venv / "bin" / "python"), "-Sc", ask]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return [int(part) for part in done.stdout.split()]


def _make_venv(venv: Path) -> None:
    """Make the environment; of one that runs, only its own scripts and settings are written again."""
    clear = ["--clear"] if _version_of(venv) != list(sys.version_info[:2]) else []
    without = ["--without-pip"] if importlib.util.find_spec("ensurepip") is None else []
    command = [sys.executable, "-m", "venv", *clear, *without, str(venv)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise failed(f"making {venv}", done.stdout + done.stderr, pinned_in="envs/lock.txt")
    # uv then writes scripts that find their Python by their own place, so that a moved or copied environment works.
    with (venv / "pyvenv.cfg").open("a", encoding="utf-8") as file:
        file.write("relocatable = true\n")


def _install(installer: Installer, root: Path, *, development: bool, system_torch: bool) -> None:
    """Everything of the lock, torch, and this package."""
    _check_disk(installer, SMALL)
    locked = ["-r", str(root / "envs" / "lock.txt")]
    if development:
        locked += ["-r", str(root / "envs" / "lock-development.txt")]
    installer.install("installing the packages of the lock", "--no-deps", "--require-hashes", *locked)
    (site_packages,) = (installer.venv / "lib").glob("python*/site-packages")
    if system_torch:
        # Behind the environment's own packages, so that these win.
        (site_packages / "torch-of-the-system.pth").write_text(f"{_folder_of_torch()}\n", encoding="utf-8")
    else:
        _install_torch(installer, root)
    installer.install("installing this package", "--no-deps", "--no-build-isolation", "--editable", str(root))
    # By a relative path, so that a copy of the project runs its own code.
    for file in site_packages.glob("__editable__.samizdat-*.pth"):
        file.write_text(f"{os.path.relpath(root / 'workflow', site_packages)}\n", encoding="utf-8")


def _install_torch(installer: Installer, root: Path) -> None:
    """PyTorch in the build that fits: for CPUs where no NVIDIA GPU is there."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (torch,) = (package for package in project["dependencies"] if package.startswith("torch=="))
    if sys.platform == "darwin":
        installer.install("installing PyTorch", torch)
        return
    gpu = has_nvidia_gpu()
    large = installer.uv is None or _brings_nvidia(installer, torch)
    if installer.uv and (gpu or large):
        # uv knows PyTorch's own builds by name. Where they can't be reached, the registry's build does.
        backend = f"--torch-backend={'auto' if gpu else 'cpu'}"
        if installer.install("installing PyTorch", torch, backend, may_fail=True) is not None:
            return
    if large and not gpu:
        print("  There is no build of PyTorch for CPUs to be had here: the registry's is for NVIDIA GPUs (3 GB to")
        print("  download, 6.5 GB on the disk). It computes on the CPU too.", flush=True)
    if large:
        _check_disk(installer, LARGE - SMALL)
    installer.install("installing PyTorch", torch)


def _folder_of_torch() -> Path:
    """The folder of packages that the running Python has its torch in."""
    torch = importlib.util.find_spec("torch")
    if torch is None or torch.origin is None:
        raise UserError(
            f"{sys.executable} has no torch, which TORCH=system takes", remedy="leave TORCH out, and torch is installed"
        )
    return Path(torch.origin).parents[1]


def _brings_nvidia(installer: Installer, torch: str) -> bool:
    """Whether the registry's torch comes with the libraries for NVIDIA GPUs."""
    return "nvidia-" in (installer.install("planning PyTorch", torch, "--dry-run", may_fail=True) or "")


def _check_disk(installer: Installer, needed: int) -> None:
    """Refuse to begin where the environment, or what is downloaded for it, has no room."""
    for folder in (installer.venv, installer.downloads):
        if (free := free_bytes(folder)) < needed:
            raise UserError(
                f"the installation takes up to {needed / 1e9:.1f} GB in {folder}, where {free / 1e9:.1f} GB are free",
                remedy="free some disk space, or put the project on a larger disk; UV_CACHE_DIR and TMPDIR say where "
                "downloads go",
            )


if __name__ == "__main__":
    main()
