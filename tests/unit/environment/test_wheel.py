"""The wheel holds all that the installed command needs: it runs with the wheel alone beside its dependencies."""

import json
import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from conftest import ROOT
from samizdat.base.configuration import load_schema


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with what the wheel holds, built without a network."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, source)
    shutil.copytree(ROOT / "workflow", source / "workflow", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    build = f"from setuptools import build_meta; print(build_meta.build_wheel({str(built)!r}))"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True)
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(built / "site")
    return built / "site"


def run(installed, folder, code):
    """Run code in an empty folder, with the wheel's files before all other packages."""
    environment = os.environ | {"PYTHONPATH": str(installed)}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_installed_package_has_the_schema_of_the_config(installed, tmp_path):
    code = "import json, samizdat.base.configuration as c; print(c.__file__); print(json.dumps(c.load_schema()))"
    done = run(installed, tmp_path, code)
    assert done.returncode == 0, done.stderr
    file, schema = done.stdout.split("\n", 1)
    assert file.startswith(str(installed))
    assert json.loads(schema) == load_schema()


def test_the_installed_command_shows_its_help(installed, tmp_path):
    done = run(installed, tmp_path, "from samizdat.cli import main; main(['--help'])")
    assert done.returncode == 0 and "sample" in done.stdout and "verify" in done.stdout
