"""Install the packages of the lock into `.venv`, or repair it: `python -m samizdat.environment.install`.

The targets of the Makefile that need `.venv` call this first; where `.venv` is up to date, it returns at once. It
repairs an environment whose installation was interrupted, that was moved or copied, or that was made from another lock
or by another Python. It runs in a bare Python: the standard library and nothing else.
"""

import argparse
import hashlib
import importlib.util
import io
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from samizdat.base.errors import DISK_ERRORS, UserError
from samizdat.base.free_space import free_bytes
from samizdat.base.hardware import has_nvidia_gpu
from samizdat.environment.installer import Installer
from samizdat.environment.installer_errors import failed
from samizdat.environment.system import check_system

ROOT = Path(__file__).parents[3]
# Bytes of an environment, measured: with a PyTorch for CPUs, and with one for NVIDIA GPUs and its libraries.
SMALL, LARGE = 2_400_000_000, 6_500_000_000
SYSTEM_TORCH = "torch-of-the-system.pth"


def main() -> None:
    """Install or repair the environment of this project; exit with a message where that fails."""
    parser = argparse.ArgumentParser(prog="python -m samizdat.environment.install", description=__doc__)
    parser.add_argument("--development", action="store_true", help="with the packages that tests and lint need")
    parser.add_argument("--torch", choices=["", "system"], default="", help="system: use the PyTorch that is there")
    options = parser.parse_args()
    system_torch = options.torch == "system"
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A sign of an installer's that the terminal's encoding lacks must not end the installation.
        sys.stdout.reconfigure(errors="replace")
    try:
        if fits(ROOT, development=options.development, system_torch=system_torch):
            return
        if Path(sys.prefix).resolve() == (ROOT / ".venv").resolve():
            # A Python can't repair its own environment, so the Python that it was made with does.
            base: str = getattr(sys, "_base_executable", sys.executable)
            os.execv(base, [base, "-B", "-m", __spec__.name, *sys.argv[1:]])  # noqa: S606 - no shell is wanted
        with _alone(ROOT):
            if not fits(ROOT, development=options.development, system_torch=system_torch):
                repair(ROOT, development=options.development, system_torch=system_torch)
    except UserError as error:
        sys.exit(f"✗ {error}")
    except OSError as error:
        if error.errno not in DISK_ERRORS:
            raise
        said, where = error.strerror or "", f" ({error.filename})" if error.filename else ""
        remedy = "free some disk space or make the folder writable; of one that is somebody else's make a clone"
        sys.exit(f"✗ installing into .venv: {UserError(said + where, remedy=remedy)}")
    except KeyboardInterrupt:
        sys.exit("✗ interrupted; run the same command again to go on")


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Wait until no other process installs into `root`/.venv, and keep others waiting while the block runs.

    The lock is on a file that is always there; the system frees it when the process ends.
    """
    with (root / "envs" / "lock.txt").open(encoding="utf-8") as file:
        with suppress(OSError, ImportError):  # a network's disk may have no locks, and Windows is refused later
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("Waiting for another installation into .venv", flush=True)
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def fits(root: Path, *, development: bool, system_torch: bool) -> bool:
    """Whether `root`/.venv has the packages of the lock, and its Python runs. Takes a moment."""
    venv = root / ".venv"
    wanted = _wanted(root, development=development, system_torch=system_torch)
    found = _stamp(venv)
    return _covers(found, wanted) and found["folder"] == wanted["folder"] and _version_of(venv) == wanted["python"]


def repair(root: Path, *, development: bool, system_torch: bool) -> None:
    """Install the packages of the lock into `root`/.venv.

    Args:
        root: the project's folder.
        development: with the packages that tests and lint need.
        system_torch: use the PyTorch of the running Python, and install none.

    Raises:
        UserError: says what is missing, and the command that installs it.
    """
    venv = root / ".venv"
    wanted = _wanted(root, development=development, system_torch=system_torch)
    found = _stamp(venv)
    wanted["development"] |= bool(found.get("development"))
    check_system()
    _check_place(venv)
    if system_torch:
        _folder_of_torch()
    (venv / "ready").unlink(missing_ok=True)
    if _version_of(venv) == wanted["python"] and _covers(found, wanted):
        print("Repairing .venv, which was moved or copied", flush=True)
        _make_venv(venv)
    else:
        print("Installing into .venv (once, about a minute)", flush=True)
        _make_venv(venv, clear=_has_other_torch(venv, system_torch=system_torch))
        _install(
            Installer(venv, root / "envs" / "uv.txt"),
            root,
            development=wanted["development"],
            system_torch=system_torch,
        )
    (venv / "ready").write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")


def _check_place(venv: Path) -> None:
    """Refuse a place where no environment can be, before anything is deleted."""
    if os.pathsep in str(venv.absolute()):
        raise UserError(
            f"the path of {venv} has {os.pathsep!r} in it, which ends a folder's name in PATH",
            remedy="rename that folder, then run the same command again",
        )
    if venv.exists() and not venv.is_dir():
        raise UserError(
            f"{venv} is a file, and the folder of the environment must be called so",
            remedy="move the file away, then run the same command again",
        )


def _covers(found: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether an environment has all that is wanted; it may also have the packages for tests and lint."""
    same = all(found.get(key) == wanted[key] for key in ("requirements", "python", "torch"))
    return same and (bool(found.get("development")) or not wanted["development"])


def _wanted(root: Path, *, development: bool, system_torch: bool) -> dict[str, Any]:
    """Describe the wanted environment, as `.venv/ready` records it."""
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
    """Read what the last complete installation recorded; empty where there is none, or this package was removed."""
    if not any(venv.glob("lib/python*/site-packages/__editable__.samizdat-*.pth")):
        return {}
    try:
        found = json.loads((venv / "ready").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _version_of(venv: Path) -> list[int] | None:
    """Return the version of the environment's Python; None where it is missing, doesn't run, or has another's packages.

    An upgrade of the system makes the link to its Python one to a newer Python.
    """
    ask = "import sys; print(*sys.version_info[:2])"
    try:
        command = [str(venv / "bin" / "python"), "-Sc", ask]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    version = [int(part) for part in done.stdout.split()]
    own = "python" + ".".join(map(str, version))
    libraries = {path.name.rstrip("t") for path in venv.glob("lib/python*")}  # t: of a build without the global lock
    return version if libraries == {own} else None


def _has_other_torch(venv: Path, *, system_torch: bool) -> bool:
    """Whether the environment has a torch of its own where the system's is wanted, or the other way round.

    Its own packages are searched first, and no installer takes torch and its libraries away.
    """
    other = "torch" if system_torch else SYSTEM_TORCH
    return any(venv.glob(f"lib/python*/site-packages/{other}"))


def _make_venv(venv: Path, *, clear: bool = False) -> None:
    """Make the environment; where its Python runs, write only its scripts and settings again, unless `clear`."""
    clearing = ["--clear"] if clear or _version_of(venv) != list(sys.version_info[:2]) else []
    without = ["--without-pip"] if importlib.util.find_spec("ensurepip") is None else []
    command = [sys.executable, "-m", "venv", *clearing, *without, str(venv)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise failed(f"making {venv}", done.stdout + done.stderr, pinned_in="envs/lock.txt")
    # Then uv writes scripts that find their Python relative to themselves, so that a moved or copied environment works.
    with (venv / "pyvenv.cfg").open("a", encoding="utf-8") as file:
        file.write("relocatable = true\n")


def _install(installer: Installer, root: Path, *, development: bool, system_torch: bool) -> None:
    """Install the packages of the lock, torch, and this package."""
    _check_disk(installer, SMALL)
    locked = ["-r", str(root / "envs" / "lock.txt")]
    if development:
        locked += ["-r", str(root / "envs" / "lock-development.txt")]
    installer.install("installing the packages of the lock", "--no-deps", "--require-hashes", *locked)
    (site_packages,) = (installer.venv / "lib").glob("python*/site-packages")
    if system_torch:
        # Python searches this folder after the environment's own packages, which therefore come first.
        (site_packages / SYSTEM_TORCH).write_text(f"{_folder_of_torch()}\n", encoding="utf-8")
    else:
        _install_torch(installer, root)
    installer.install("installing this package", "--no-deps", "--no-build-isolation", "--editable", str(root))
    # A relative path, so that a copy of the project runs its own code.
    for file in site_packages.glob("__editable__.samizdat-*.pth"):
        file.write_text(f"{os.path.relpath(root / 'workflow', site_packages)}\n", encoding="utf-8")


def _install_torch(installer: Installer, root: Path) -> None:
    """Install the build of PyTorch for this machine: that for CPUs where there is no NVIDIA GPU."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (torch,) = (package for package in project["dependencies"] if package.startswith("torch=="))
    if sys.platform == "darwin":
        installer.install("installing PyTorch", torch)
        return
    gpu = has_nvidia_gpu()
    size = "for NVIDIA GPUs: 3 GB" if gpu else "for CPUs: 0.2 GB"
    # uv tells its progress to a terminal alone.
    print(f"  PyTorch {size} to download, unless that was done before; it takes a while without a word", flush=True)
    large = installer.uv is None or _brings_nvidia(installer, torch)
    if installer.uv and (gpu or large):
        # uv knows PyTorch's own builds by name. Where it can't reach them, the registry's build is installed.
        backend = f"--torch-backend={'auto' if gpu else 'cpu'}"
        if installer.install("installing PyTorch", torch, backend, may_fail=True) is not None:
            return
    if large and not gpu:
        print("  No build of PyTorch for CPUs can be downloaded here. The registry's build is for NVIDIA GPUs (3 GB to")
        print("  download, 6.5 GB on the disk), and computes on a CPU, too.", flush=True)
    if large:
        _check_disk(installer, LARGE - SMALL)
    installer.install("installing PyTorch", torch)


def _folder_of_torch() -> Path:
    """Find the folder of packages that the torch of the running Python is in."""
    torch = importlib.util.find_spec("torch")
    if torch is None or torch.origin is None:
        raise UserError(
            f"{sys.executable} has no torch for TORCH=system", remedy="leave out TORCH=system; then torch is installed"
        )
    return Path(torch.origin).parents[1]


def _brings_nvidia(installer: Installer, torch: str) -> bool:
    """Whether the registry's torch needs the libraries for NVIDIA GPUs."""
    return "nvidia-" in (installer.install("planning PyTorch", torch, "--dry-run", may_fail=True) or "")


def _check_disk(installer: Installer, needed: int) -> None:
    """Refuse to begin where the disk has no room for the environment, or for its downloads."""
    for folder in (installer.venv, installer.downloads):
        if (free := free_bytes(folder)) < needed:
            raise UserError(
                f"the installation takes up to {needed / 1e9:.1f} GB in {folder}, where {free / 1e9:.1f} GB are free",
                remedy="free some disk space, or put the project on a larger disk; UV_CACHE_DIR and TMPDIR say where "
                "downloads go",
            )


if __name__ == "__main__":
    main()
