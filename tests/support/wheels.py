"""Wheels for tests that install without a network."""

import hashlib
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path


def write_wheel(folder: Path, name: str, version: str) -> str:
    """Write a wheel with one module; return its line in a lock."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    return _write(folder, name, version, {file: text.encode() for file, text in files.items()})


def write_installed(folder: Path, name: str) -> str:
    """Write the wheel of a package of pure Python that is installed here; return its line in a lock."""
    package = metadata.distribution(name)
    files = {
        str(file): Path(str(file.locate())).read_bytes()
        for file in package.files or ()
        if file.suffix != ".pyc" and ".." not in file.parts and file.name not in ("RECORD", "INSTALLER", "REQUESTED")
    }
    return _write(folder, name, package.version, files)


def install_project(source: Path, prefix: Path) -> None:
    """Build the project's wheel in `source`, and install it without its dependencies below `prefix`."""
    build = "from setuptools import build_meta; print(build_meta.build_wheel('dist'))"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True)
    (wheel,) = (source / "dist").glob("*.whl")
    # Without `--ignore-installed` pip would remove the package from the environment that runs the tests.
    pip = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "install", "--quiet", "--no-index"]
    pip += ["--no-deps", "--ignore-installed", "--no-compile", "--prefix", str(prefix)]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)


def _write(folder: Path, name: str, version: str, files: dict[str, bytes]) -> str:
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    record = f"{name}-{version}.dist-info/RECORD"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file, content in files.items():
            archive.writestr(file, content)
        archive.writestr(record, "".join(f"{file},,\n" for file in (*files, record)))
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"
