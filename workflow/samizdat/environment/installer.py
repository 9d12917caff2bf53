"""Install packages by uv, or by pip where there is no uv, with the user's configuration of pip."""

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from samizdat.base.errors import UserError
from samizdat.environment.installer_errors import failed
from samizdat.environment.system import how_to_install


class Installer:
    """uv, or pip where uv can't be installed; both take the same arguments."""

    def __init__(self, venv: Path, locked_uv: Path):
        self.venv, self.python = venv, venv / "bin" / "python"
        pip = self._pip()
        scripts = str(venv / "bin")
        if not shutil.which("uv", path=scripts) and pip:
            quiet = ["--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"]
            self._run("installing uv", [*pip, "install", *quiet, "-r", str(locked_uv)], {}, may_fail=True)
        # The user's own uv may be too old to know PyTorch's builds.
        self.uv = shutil.which("uv", path=scripts) or shutil.which("uv")
        if not self.uv and not pip:
            raise UserError(
                f"{sys.executable} can't make an environment with pip in it (it has no ensurepip), and there is no uv",
                remedy=how_to_install("venv", "install the package of your system for Python's venv, or uv"),
            )
        self.environment: dict[str, str] = {}
        self.command, self.downloads = [*pip, "install"], Path(tempfile.gettempdir())
        if self.uv:
            self.command = [self.uv, "pip", "install", "--python", str(self.python)]
            self.environment = settings_of_pip(pip) if pip else {}
            # Python writes the bytecode of what it imports, a quarter of all. Where it may not, uv writes all of it.
            if os.environ.get("PYTHONDONTWRITEBYTECODE"):
                self.environment["UV_COMPILE_BYTECODE"] = "1"
            self.downloads = self._cache()

    def _pip(self) -> list[str]:
        """Return the command of the environment's pip, or of the running Python's pip; empty where there is neither."""
        options = ["--disable-pip-version-check", "--retries=1"]
        if list((self.venv / "lib").glob("python*/site-packages/pip")):
            return [str(self.python), "-m", "pip", *options]
        if importlib.util.find_spec("pip"):
            return [sys.executable, "-m", "pip", "--python", str(self.python), *options]
        return []

    def _cache(self) -> Path:
        """Return uv's folder of downloads; one in the environment where uv can't write to its own."""
        command = [str(self.uv), "cache", "dir"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        folder = Path(done.stdout.strip() or "/")
        if not os.access(next(parent for parent in (folder, *folder.parents) if parent.exists()), os.W_OK):
            folder = self.venv / "cache"
            self.environment["UV_CACHE_DIR"] = str(folder)
        return folder

    def install(self, what: str, *arguments: str, may_fail: bool = False) -> str | None:
        """Install what the arguments say; return the output, or None where it failed and may fail.

        Raises:
            UserError: the installer failed; the message says why in one line.
        """
        return self._run(what, [*self.command, *arguments], self.environment, may_fail=may_fail)

    def _run(self, what: str, command: list[str], more: dict[str, str], *, may_fail: bool) -> str | None:
        """Run an installer, and print its lines as they come."""
        output: list[str] = []
        variables = more | os.environ | {"PIP_USER": "0"}  # no environment lets pip install into the home folder
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", env=variables
        ) as process:
            for line in process.stdout or ():
                output.append(line)
                if not may_fail and not line.startswith((" + ", " - ", " ~ ")):
                    print(f"  {line.rstrip()}", flush=True)
        if process.returncode and not may_fail:
            raise failed(what, "".join(output), pinned_in="envs/lock.txt")
        return None if process.returncode else "".join(output)


def settings_of_pip(pip: list[str]) -> dict[str, str]:
    """Return pip's configuration as environment variables of uv, which doesn't read pip's files."""
    done = subprocess.run([*pip, "config", "list"], capture_output=True, text=True, check=False)
    # A variable of the environment overrides a setting of `install`, which overrides one of `global`.
    # A value is in quotation marks as Python writes it: in others where it has an apostrophe.
    lines = re.findall(r"^(global|install|:env:)\.([\w-]+)=('.*'|\".*\")$", done.stdout, re.MULTILINE)
    lines.sort(key=lambda line: ("global", "install", ":env:").index(line[0]))
    found = {name: ast.literal_eval(value) for _, name, value in lines}
    names = {
        "index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "find-links": "UV_FIND_LINKS",
        "cert": "SSL_CERT_FILE", "trusted-host": "UV_INSECURE_HOST", "no-index": "UV_NO_INDEX",
        "proxy": "ALL_PROXY",
    }  # fmt: skip
    settings = {variable: found[name].replace("\n", " ") for name, variable in names.items() if found.get(name)}
    if links := settings.get("UV_FIND_LINKS"):
        settings["UV_FIND_LINKS"] = ",".join(links.split())  # uv's other lists have blanks between their items
    # pip looks into all indexes for the best version, uv into the first that has the package.
    return settings | {"UV_INDEX_STRATEGY": "unsafe-best-match"}
