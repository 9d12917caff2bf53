"""The wheel holds all that the installed command needs: it runs with the wheel alone beside its dependencies."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from samizdat.base.configuration import load_schema
from samizdat.runs.names import CODE
from support.run_fixture import make_run
from support.small_model import write_run_of_a_model


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
        (("doctor",), 1, "✗ {} is not the project's folder.\n  What to do: start this where the Snakefile or "
                         "the folder results is\n"),
    ],
)  # fmt: skip
def test_where_there_is_no_project_the_installed_command_says_what_it_needs(
    installed, tmp_path, arguments, status, said
):
    make_run(tmp_path / "theirs" / "made-up")
    done = samizdat(installed, tmp_path, *arguments)
    assert (done.returncode, done.stderr) == (status, said.format(tmp_path.resolve()))


def test_the_wheel_has_every_file_that_a_run_needs(installed, tmp_path):
    done = samizdat(installed, tmp_path, "where")
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.strip()).parent
    assert not folder.is_relative_to(ROOT)
    source = installed.parents[3] / "source"
    of_runs = {source / name for name in CODE if (source / name).is_file()}
    of_runs |= {path for name in CODE for path in (source / name).rglob("*") if path.is_file()}
    expected = {path.relative_to(source).as_posix() for path in of_runs} - {"envs/environment.yml", "report/.gitignore"}
    expected = {name for name in expected if not name.startswith("workflow/samizdat")}
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == expected


def test_the_installed_command_compares_runs(installed, tmp_path):
    for name in ("first", "second"):
        make_run(tmp_path / "results" / name)
    done = samizdat(installed, tmp_path, "compare", "results/first", "results/second", "--out", "both")
    assert done.returncode == 0, done.stderr
    assert "first" in (tmp_path / "both" / "report.html").read_text(encoding="utf-8")


def test_the_code_of_a_run_made_again_is_that_which_is_installed(installed, tmp_path):
    make_run(tmp_path / "results" / "made-up")
    code = (
        "from pathlib import Path; from samizdat.records.io import read_document; from samizdat.records.run import "
        "Manifest; from samizdat.runs.rebuild import copy_code; "
        "print(copy_code(read_document(Manifest, Path('results/made-up/manifest.json')), Path('copy')))"
    )
    done = run(installed, tmp_path, code)
    assert done.returncode == 0, done.stderr
    assert "with the code in" in done.stdout and str(installed.parents[2] / "share") in done.stdout
    assert (tmp_path / "copy" / "workflow" / "samizdat" / "cli.py").is_file()
    assert (tmp_path / "copy" / "Snakefile").read_bytes() == (ROOT / "Snakefile").read_bytes()
