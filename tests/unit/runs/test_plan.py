"""The plan of a run: jobs with their durations, and of the jobs before a job only the nearest."""

import json
import re
import subprocess
import sys

import pytest

from samizdat.base import reuse, stage
from samizdat.base.files import write_text
from samizdat.cli import main
from samizdat.runs.plan import Job, plan_text

FOLLOWS = "Input files updated by another job: a"


def job(title, reason=FOLLOWS, inputs=(), outputs=(), work=None):
    return Job(title, reason, frozenset(inputs), frozenset(outputs), work)


def timed(folder, **usage):
    folder.mkdir()
    (folder / "usage.json").write_text(json.dumps(usage), encoding="utf-8")
    return folder


def test_only_the_nearest_jobs_are_named_and_times_are_added(tmp_path):
    jobs = [
        job("Importing", "Updated input files: data/a.txt", (), ["texts"], timed(tmp_path / "i", elapsed_seconds=61.2)),
        job("Training", inputs=["texts"], outputs=["model"], work=timed(tmp_path / "t", computing_seconds=100.0,
                                                                         elapsed_seconds=2.0)),
        job("Writing", inputs=["texts", "model"], outputs=["page"], work=tmp_path / "never"),
    ]  # fmt: skip
    lines = plan_text(jobs).splitlines()
    assert lines[0] == "3 jobs would run, for about 2 min 41 s by their last times, 1 of them never timed here:"
    assert lines[1].split() == ["Importing", "1", "min", "1", "s", "because", "data/a.txt", "changed"]
    assert re.fullmatch(r"  Training +1 min 40 s  because importing may write another result", lines[2])
    assert re.fullmatch(r"  Writing +because training may write another result", lines[3])
    assert "may take another time" in lines[4] and "return in seconds" in lines[5]


def test_where_no_job_was_timed_the_plan_says_so_once(tmp_path):
    jobs = [job("Importing", outputs=["texts"], work=tmp_path / "i"), job("Training", work=tmp_path / "t")]
    assert plan_text(jobs).splitlines()[0] == "2 jobs would run, for how long is not known yet:"


def test_a_job_that_is_only_missing_its_result_takes_as_long_as_before(tmp_path):
    missing = job("Importing", "Missing output files: texts", (), ["texts"], timed(tmp_path / "i", elapsed_seconds=9.0))
    assert "another time" not in plan_text([missing])


def test_with_no_job_nothing_would_run():
    assert plan_text([]) == "Nothing would run: all results are up to date."


def test_a_restored_result_keeps_the_time_of_its_computation(tmp_path, monkeypatch):
    monkeypatch.setattr(stage.os, "_exit", lambda status: None)
    arguments = ["--out", str(tmp_path / "out"), "--work", str(tmp_path / "work"), "--log", str(tmp_path / "log"),
                 "--title", "it"]  # fmt: skip
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "file").write_text("it", encoding="utf-8")
    usage = tmp_path / "work" / "usage.json"
    stage.run(_stage, arguments)
    computed = json.loads(usage.read_text(encoding="utf-8"))
    assert computed["computing_seconds"] == computed["elapsed_seconds"] > 0
    write_text(usage, json.dumps(computed | {"computing_seconds": 77.0}))
    stage.run(_stage, arguments)
    restored = json.loads(usage.read_text(encoding="utf-8"))
    assert restored["computing_seconds"] == 77.0 > restored["elapsed_seconds"]


def _stage(out: stage.Path, work: stage.Path) -> str:
    if reuse.restore_result(work, "mark", out):
        return "as before"
    stage.time.sleep(0.02)
    reuse.store_result(work, "mark", out)
    return "new"


RULES = """
rule first:
    output: "a.txt"
    message: "Writing the first"
    shell: "echo a > {output}"
rule second:
    output: "b.txt"
    message: "Writing the second"
    shell: "echo b > {output}"
"""


def plan(folder, *arguments):
    """Plan in another process, since Snakemake changes the logging of the one that it is called in."""
    command = [sys.executable, "-c", "from samizdat.cli import main; main()", "plan", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_the_results_that_are_named_are_planned(tmp_path):
    (tmp_path / "Snakefile").write_text(RULES, encoding="utf-8")
    for arguments in (["b.txt"], ["--cores", "1", "b.txt"], ["--", "b.txt"]):
        done = plan(tmp_path, *arguments)
        assert done.returncode == 0, done.stderr
        assert "1 job would run" in done.stdout and "Writing the second" in done.stdout


@pytest.mark.parametrize("argument", ["config/my own.yaml", "CONFIG=config/my own.yaml"])
def test_a_config_without_its_option_is_told_how_it_is_named(argument, capsys):
    with pytest.raises(SystemExit) as end:
        main(["plan", argument])
    said = capsys.readouterr().err
    assert end.value.code == 1 and "samizdat plan --configfile 'config/my own.yaml'" in said
