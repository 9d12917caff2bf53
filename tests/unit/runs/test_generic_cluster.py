"""`profiles/generic`: the commands that it gives Snakemake, with programs in the place of a queue's own."""

import json
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

from conftest import ROOT

PARSE = """
import json, pathlib, sys
from snakemake.profiles import ProfileConfigFileParser
with pathlib.Path(sys.argv[1], "config.yaml").open() as file:
    print(json.dumps(ProfileConfigFileParser().parse(file)))
"""
SERVER = """#!/bin/sh
# asked.txt has how it was asked; a job runs while there is a file of its number
case $(basename "$0") in
  qsub)
    printf '%s\\n' "$*" >>asked.txt
    for last; do :; done
    touch 7.server; sh "$last" && rm 7.server
    echo 7.server ;;
  qstat)
    if [ -e down ]; then echo "qstat: cannot connect to server pbs (errno=111)" >&2; exit 111; fi
    if [ ! -e "$1" ]; then echo "qstat: Unknown Job Id $1" >&2; exit 153; fi
    echo "Job id  Name  User"; echo "$1  step  me  0 R workq" ;;
esac
"""


@pytest.fixture(scope="module", params=["in the project", "a copy"])
def profile(request, tmp_path_factory):
    """The options of the profile, read in a folder that is no clone."""
    folder = ROOT / "profiles" / "generic"
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    if request.param == "a copy":
        folder = elsewhere / "mine"
        folder.mkdir()
        shutil.copy2(ROOT / "profiles" / "generic" / "config.yaml", folder)
    done = subprocess.run(
        [sys.executable, "-c", PARSE, str(folder)], cwd=elsewhere, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@pytest.fixture
def queue(profile, tmp_path):
    """Submit a script, and ask for the state of a job, as the plugin does: by a shell, in the folder of the run."""
    programs, folder = tmp_path / "bin", tmp_path / "a run"
    (folder / ".snakemake" / "tmp.x").mkdir(parents=True)
    programs.mkdir()
    for name in ("qsub", "qstat"):
        (programs / name).write_text(SERVER, encoding="utf-8")
        (programs / name).chmod(0o755)

    def call(line: str, **variables: str) -> str:
        environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"} | variables
        done = subprocess.run(line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def submit(does: str, gpu: int = 0) -> str:
        script = folder / ".snakemake" / "tmp.x" / "step.sh"
        script.write_text(f"{does}\n", encoding="utf-8")
        asked = SimpleNamespace(mem_mb=3000, runtime=60, gpu=gpu)
        return call(f'{profile["cluster-generic-submit-cmd"].format(threads=2, resources=asked)} "{script}"')

    def status(number: str = "7.server", late: int = 0, silent: int = 3600) -> str:
        line = f"{profile['cluster-generic-status-cmd']} '{number}'"
        return call(line, LATE_SECONDS=str(late), SILENT_SECONDS=str(silent))

    return SimpleNamespace(submit=submit, status=status, folder=folder)


@pytest.mark.parametrize(("does", "state"), [("true", "success"), ("exit 3", "failed")])
def test_how_a_job_ended_is_known_also_where_the_queue_has_forgotten_it(queue, does, state):
    assert queue.submit(does) == "7.server" and queue.status() == state


def test_a_job_asks_for_gpus_where_its_step_does(queue):
    queue.submit("true")
    queue.submit("true", gpu=4)
    without, with_gpus = (queue.folder / "asked.txt").read_text(encoding="utf-8").splitlines()
    assert "select=1:ncpus=2:mem=3000mb -l" in without and "select=1:ncpus=2:mem=3000mb:ngpus=4 -l" in with_gpus


def test_a_job_runs_while_the_queue_says_so_and_has_failed_where_the_cluster_ended_it(queue):
    (queue.folder / "7.server").touch()
    assert queue.status() == "running"
    (queue.folder / "7.server").unlink()
    assert queue.status() == "failed"


def test_a_job_of_which_the_queue_says_nothing_runs_for_an_hour(queue):
    (queue.folder / "7.server").touch()
    (queue.folder / "down").touch()
    assert queue.status() == queue.status() == "running"
    (queue.folder / "down").unlink()
    assert queue.status() == "running"
    (queue.folder / "down").touch()
    since = queue.folder / ".snakemake" / "silent-7.server"
    assert queue.status(silent=2) == "running"  # only now it is silent again
    since.write_text(str(int(since.read_text(encoding="utf-8")) - 2), encoding="utf-8")
    assert queue.status(silent=2) == "failed" and not since.exists()


@pytest.mark.parametrize("name", ["default", "generic", "slurm"])
def test_with_every_profile_a_slip_of_a_config_is_told_by_the_package(name, tmp_path):
    (tmp_path / "mine.yaml").write_text("name: mine\n\tx: y\n", encoding="utf-8")
    load = "from snakemake.common import configfile; configfile.load_configfile('mine.yaml')"
    command = [sys.executable, "-c", PARSE + load, str(ROOT / "profiles" / name)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "mine.yaml: line 2: a tab" in done.stderr
