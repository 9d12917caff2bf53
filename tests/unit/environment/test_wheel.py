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
from support.run_fixture import make_run
from support.small_model import write_run_of_a_model


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


def samizdat(installed, folder, *arguments):
    return run(installed, folder, f"from samizdat.cli import main; main({arguments!r})")


def test_the_installed_package_has_the_schema_of_the_config(installed, tmp_path):
    code = "import json, samizdat.base.configuration as c; print(c.__file__); print(json.dumps(c.load_schema()))"
    done = run(installed, tmp_path, code)
    assert done.returncode == 0, done.stderr
    file, schema = done.stdout.split("\n", 1)
    assert file.startswith(str(installed))
    assert json.loads(schema) == load_schema()


def test_the_installed_command_writes_a_text_with_the_model_of_a_run(installed, tmp_path):
    sampling = {
        "temperatures": [1.0], "top_k": 0, "top_p": 0.95, "repetition_penalty": 1.0, "no_repeat_ngram": 0,
        "max_new_tokens": 5, "slots": 1,
    }  # fmt: skip
    write_run_of_a_model(tmp_path / "results" / "small", sampling)
    done = samizdat(installed, tmp_path, "sample", "--run", "small", "ein")
    assert done.returncode == 0 and done.stdout.startswith("ein"), done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("sample", "ein"), 1, "✗ there is no run in {}/results/demo.\n  What to do: start this in the folder of "
                               "results/, after `make`\n"),
        (("verify", "theirs/made-up"), 3, "✗ {} is not the project's folder.\n  What to do: start this where the "
                                           "Snakefile is\n"),
    ],
)  # fmt: skip
def test_where_there_is_no_project_the_installed_command_says_what_it_needs(
    installed, tmp_path, arguments, status, said
):
    make_run(tmp_path / "theirs" / "made-up")
    done = samizdat(installed, tmp_path, *arguments)
    assert (done.returncode, done.stderr) == (status, said.format(tmp_path.resolve()))
