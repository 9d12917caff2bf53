"""`make help` lists every target of the Makefile, each with a text."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_help_lists_every_target_with_its_text():
    phony = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)[1].replace("\\\n", " ").split()
    shown = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    texts = dict(re.findall(r"^  ([a-z-]+) +(.+)$", shown, re.MULTILINE))
    assert sorted(texts) == sorted(phony)
    assert texts["report"].startswith("make the whole run")


def test_make_alone_makes_the_report():
    assert ".DEFAULT_GOAL := report" in MAKEFILE


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="/proc is a folder that even root can't write, on Linux")
def test_a_home_that_cannot_be_written_is_replaced_by_one_in_work(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    homes = []
    for home in ("/proc/none", str(tmp_path)):
        command = ["make", "--silent", "--eval", "home: ; @echo $$HOME", "home"]
        environment = os.environ | {"HOME": home}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        homes.append(done.stdout.strip())
    assert homes == [str(tmp_path / "work" / "home"), str(tmp_path)] and (tmp_path / "work" / "home").is_dir()


def test_the_python_may_be_in_a_folder_with_blanks(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    python = tmp_path / "my programs" / "python3"
    python.parent.mkdir()
    python.write_text('#!/bin/sh\necho "$1 $2 $3"\n', encoding="utf-8")
    python.chmod(0o755)
    command = ["make", "--silent", ".venv/ready", f"PYTHON={python}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "-B -m samizdat.environment.install" in done.stdout and not done.stderr, done.stderr


def test_a_variable_of_the_environment_deletes_nothing(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    commands = []
    for options in ([], ["ALL=1"], ["WHAT=logs verify"]):
        command = ["make", "--dry-run", "--silent", "clean", *options]
        environment = os.environ | {"ALL": "everything", "WHAT": "results"}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        commands.append(" ".join(done.stdout.splitlines()[-1].split()))
    assert commands == ["samizdat clean", "samizdat clean --all", "samizdat clean logs verify"]


@pytest.mark.parametrize(
    ("variables", "shown"),
    [
        (["verify", "COPIES=my own.ipynb"], "[verify][results/demo][my own.ipynb]"),
        (["verify", "COPIES=a.ipynb a.html", "RUN=their run.zip"], "[verify][their run.zip][a.ipynb][a.html]"),
        (["verify", "COPIES='my own.ipynb' a.html"], "[verify][results/demo][my own.ipynb][a.html]"),
        (["verify"], "[verify][results/demo]"),
        (["plan", "CONFIG=config/my own.yaml"], "[plan][--configfile][config/my own.yaml]"),
        (["plan", "CONFIG=a.yaml b.yaml"], "[plan][--configfile][a.yaml][b.yaml]"),
        (["plan"], "[plan]"),
        (["report", "CONFIG=config/my own.yaml"],
         "[-P][-m][snakemake][--cores][all][--configfile][config/my own.yaml]"),
        (["report", "CONFIG=a.yaml", "KEEP=my drive"],
         "[keep][my drive][.venv/bin/python][-P][-m][snakemake][--cores][all][--configfile][a.yaml]"),
    ],
)  # fmt: skip
def test_a_file_may_have_blanks_in_its_name_and_several_may_be_named(tmp_path, variables, shown):
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("my own.ipynb", "config/my own.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("samizdat", "python"):
        (programs / name).write_text("#!/bin/sh\nprintf '[%s]' \"$@\"\n", encoding="utf-8")
        (programs / name).chmod(0o755)
    command = ["make", "--silent", *variables, "PYTHON=true"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == shown and not done.stderr, done.stderr
