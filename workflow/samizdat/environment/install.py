"""Make `.venv` fit the lock: `python -m samizdat.environment.install`, called by every target of the Makefile.

Returns in a moment where it fits already. An environment that was interrupted, moved, copied, made of another lock or
by another Python is mended. Runs in a bare Python: the standard library and nothing else.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from samizdat.base.disk import free_bytes
from samizdat.base.errors import UserError
from samizdat.environment.installer_errors import failed
from samizdat.environment.system import check_system, has_card, how_to_install

ROOT = Path(__file__).parents[3]
# Bytes of an environment, measured: with a PyTorch for CPUs, and with one for NVIDIA cards and its libraries.
SMALL, LARGE = 2_400_000_000, 6_500_000_000


def main() -> None:
    """Mend the environment of this project, or say in one line why that can't be done."""
    parser = argparse.ArgumentParser(prog="python -m samizdat.environment.install", description=__doc__)
    parser.add_argument("--development", action="store_true", help="with the packages that tests and lint need")
    parser.add_argument("--torch", choices=["", "system"], default="", help="system: use the PyTorch that is there")
    options = parser.parse_args()
    try:
        mend(ROOT, development=options.development, system_torch=options.torch == "system")
    except UserError as error:
        sys.exit(f"✗ {error}")
    except KeyboardInterrupt:
        sys.exit("✗ interrupted; run the same command again to go on")


def mend(root: Path, *, development: bool, system_torch: bool) -> None:
    """Bring `root`/.venv to what the lock says; nothing is done where it fits.

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
    # Packages for tests and lint do no harm where only a run is asked for.
    wanted["development"] = development or bool(found.get("development"))
    if found == wanted and _version_of(venv) == wanted["python"]:
        return
    check_system()
    if system_torch and not importlib.util.find_spec("torch"):
        raise UserError(
            f"{sys.executable} has no torch, which TORCH=system takes", remedy="leave TORCH out, and torch is installed"
        )
    print("Installing into .venv (once, about a minute)", flush=True)
    (venv / "ready").unlink(missing_ok=True)
    _make_venv(venv, moved=found.get("folder") != wanted["folder"])
    installer = _Installer(venv)
    if _version_of(venv) != wanted["python"] or {**found, "folder": ""} != {**wanted, "folder": ""}:
        _install(installer, root, development=wanted["development"], system_torch=system_torch)
    (venv / "ready").write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")


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
        done = subprocess.run([venv / "bin" / "python", "-Sc", ask], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return [int(part) for part in done.stdout.split()]


def _make_venv(venv: Path, *, moved: bool) -> None:
    """Make the environment, or write its own scripts again where its folder has another name now."""
    arguments = []
    if _version_of(venv) != list(sys.version_info[:2]):
        arguments = ["--clear"]
    elif not moved:
        return
    if importlib.util.find_spec("ensurepip") is None:
        arguments.append("--without-pip")
    done = subprocess.run(
        [sys.executable, "-m", "venv", *arguments, str(venv)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise failed(f"making {venv}", done.stdout + done.stderr, venv)
    # uv then writes scripts that find their Python by their own place, so that a moved or copied environment works.
    with (venv / "pyvenv.cfg").open("a", encoding="utf-8") as file:
        file.write("relocatable = true\n")


class _Installer:
    """uv, or pip where there is no uv to be had; both take the same arguments."""

    def __init__(self, venv: Path):
        self.venv, self.python = venv, venv / "bin" / "python"
        pip = self._pip()
        self.uv = shutil.which("uv") or shutil.which("uv", path=str(venv / "bin"))
        if not self.uv and pip:
            locked = ROOT / "envs" / "uv.txt"
            quiet = ["--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"]
            self._run("installing uv", [*pip, "install", *quiet, "-r", str(locked)], {}, may_fail=True)
            self.uv = shutil.which("uv", path=str(venv / "bin"))
        if not self.uv and not pip:
            raise UserError(
                f"{sys.executable} can't make an environment with pip in it (it has no ensurepip), and uv is not there",
                remedy=how_to_install("venv", "install the package of your system for Python's venv, or uv"),
            )
        self.environment: dict[str, str] = {}
        self.command, self.downloads = [*pip, "install"], Path(tempfile.gettempdir())
        if self.uv:
            self.command = [self.uv, "pip", "install", "--python", str(self.python)]
            self.environment = _settings_of_pip(pip) if pip else {}
            self.downloads = self._cache()

    def _pip(self) -> list[str]:
        """The environment's pip; else that of the running Python, made to install there; else nothing."""
        if list((self.venv / "lib").glob("python*/site-packages/pip")):
            return [str(self.python), "-m", "pip", "--disable-pip-version-check", "--retries=1"]
        if importlib.util.find_spec("pip"):
            return [sys.executable, "-m", "pip", "--python", str(self.python), "--disable-pip-version-check"]
        return []

    def _cache(self) -> Path:
        """Where uv keeps what it downloads; inside of the environment where its own place can't be written."""
        done = subprocess.run([self.uv, "cache", "dir"], capture_output=True, text=True, check=False)
        folder = Path(done.stdout.strip() or "/")
        if not os.access(next(parent for parent in (folder, *folder.parents) if parent.exists()), os.W_OK):
            folder = self.venv / "cache"
            self.environment["UV_CACHE_DIR"] = str(folder)
        return folder

    def install(self, what: str, *arguments: str, may_fail: bool = False) -> str | None:
        """Install what the arguments say; return the output, or None where it failed and may.

        Raises:
            UserError: the installer failed; the message says why in one line.
        """
        return self._run(what, [*self.command, *arguments], self.environment, may_fail=may_fail)

    def _run(self, what: str, command: list[str], more: dict[str, str], *, may_fail: bool) -> str | None:
        """Run an installer, its lines shown as they come."""
        output = []
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            env=more | os.environ, cwd=ROOT,
        ) as process:  # fmt: skip
            assert process.stdout
            for line in process.stdout:
                output.append(line)
                if not may_fail and not line.startswith((" + ", " - ", " ~ ")):
                    print(f"  {line.rstrip()}", flush=True)
        said = "".join(output)
        if process.returncode and may_fail:
            return None
        if process.returncode:
            raise failed(what, said, self.venv)
        return said


def _settings_of_pip(pip: list[str]) -> dict[str, str]:
    """What pip is configured to, in the variables of uv, which doesn't read pip's files."""
    done = subprocess.run([*pip, "config", "list"], capture_output=True, text=True, check=False)
    found = dict(re.findall(r"^(?:global|install|user|site|:env:)\.([\w-]+)='(.*)'$", done.stdout, re.MULTILINE))
    names = {
        "index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "find-links": "UV_FIND_LINKS",
        "cert": "SSL_CERT_FILE", "trusted-host": "UV_INSECURE_HOST", "no-index": "UV_NO_INDEX",
    }  # fmt: skip
    settings = {variable: found[name].replace("\\n", " ") for name, variable in names.items() if found.get(name)}
    # pip looks into all indexes for the best version, uv into the first that has the package.
    return settings | {"UV_INDEX_STRATEGY": "unsafe-best-match"}


def _install(installer: _Installer, root: Path, *, development: bool, system_torch: bool) -> None:
    """Everything of the lock, torch, and this package."""
    _check_disk(installer, SMALL)
    locked = ["-r", str(root / "envs" / "lock.txt")]
    if development:
        locked += ["-r", str(root / "envs" / "lock-development.txt")]
    installer.install("installing the packages of the lock", "--no-deps", "--require-hashes", *locked)
    (site_packages,) = (installer.venv / "lib").glob("python*/site-packages")
    if system_torch:
        # Behind the environment's own packages, so that these win.
        origin = importlib.util.find_spec("torch").origin
        (site_packages / "torch-of-the-system.pth").write_text(f"{Path(origin).parents[1]}\n", encoding="utf-8")
    else:
        _install_torch(installer, root)
    installer.install("installing this package", "--no-deps", "--no-build-isolation", "--editable", str(root))
    # By a relative path, so that a copy of the project runs its own code.
    for file in site_packages.glob("__editable__.samizdat-*.pth"):
        file.write_text(f"{os.path.relpath(root / 'workflow', site_packages)}\n", encoding="utf-8")


def _install_torch(installer: _Installer, root: Path) -> None:
    """PyTorch in the build that fits: for CPUs where no NVIDIA card is there."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    torch = re.search(r'^ *"(torch==[^"]*)",$', text, re.MULTILINE)[1]
    if sys.platform == "darwin":
        installer.install("installing PyTorch", torch)
        return
    card = has_card()
    large = installer.uv is None or _brings_nvidia(installer, torch)
    if installer.uv and (card or large):
        # uv knows PyTorch's own builds by name. Where they can't be reached, the registry's build does.
        backend = f"--torch-backend={'auto' if card else 'cpu'}"
        if installer.install("installing PyTorch", torch, backend, may_fail=True) is not None:
            return
    if large and not card:
        print("  There is no build of PyTorch for CPUs to be had here: the registry's is for NVIDIA cards (3 GB to")
        print("  download, 6.5 GB on the disk). It computes on the CPU too.", flush=True)
    if large:
        _check_disk(installer, LARGE - SMALL)
    installer.install("installing PyTorch", torch)


def _brings_nvidia(installer: _Installer, torch: str) -> bool:
    """Whether the registry's torch comes with the libraries for NVIDIA cards."""
    return "nvidia-" in (installer.install("planning PyTorch", torch, "--dry-run", may_fail=True) or "")


def _check_disk(installer: _Installer, needed: int) -> None:
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
