"""`samizdat doctor`: a whole run passes, a damaged one doesn't, and nothing private is in what a bug report needs."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import ROOT
from samizdat import doctor as module
from samizdat.base.errors import UserError
from samizdat.base.files import write_text
from samizdat.doctor import bug_report, doctor


@pytest.fixture
def project(tmp_path, made_up) -> Path:
    """A project's folder with one finished run."""
    for name in ("Snakefile", "pyproject.toml", "envs"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    shutil.copytree(made_up, tmp_path / "results" / "made-up")
    return tmp_path


def test_a_whole_run_is_told_as_such(project, capsys):
    assert doctor(project) == 0
    said = capsys.readouterr().out
    assert "✓ results/made-up: all " in said and "✗" not in said and "Traceback" not in said


def test_files_that_are_not_the_runs_own_are_named(project, capsys):
    run = project / "results" / "made-up"
    (run / "corpus" / "summary.json").write_text("{}", encoding="utf-8")
    (run / "samples" / "gpt2-tiny.parquet").unlink()
    assert doctor(project) == 1
    said = capsys.readouterr().out
    assert "✗ results/made-up: 1 file is missing: samples/gpt2-tiny.parquet\n    What to do: run the same" in said
    assert "✗ results/made-up: 1 file is damaged or was edited: corpus/summary.json" in said


def test_files_that_no_manifest_names_and_the_state_are_checked_and_orphans_named(project, capsys):
    run, work = project / "results" / "made-up", project / "work" / "made-up"
    (run / "report" / "report.html").write_text("<p>other numbers</p>", encoding="utf-8")
    (run / "my notes.txt").write_text("mine", encoding="utf-8")
    (run / "the\x1b[2J\n.txt").write_text("theirs", encoding="utf-8")
    write_text(work / "models" / "m" / "state.safetensors", "state")
    (work / "models" / "m" / "state.safetensors").write_text("stage", encoding="utf-8")
    (work / "models" / "m" / ".best.part-x1").mkdir()
    segment = project / "work" / "scores" / ("0" * 64) / ("1" * 64)
    segment.parent.mkdir(parents=True)
    segment.write_bytes(b"scores")
    assert doctor(project) == 1
    said = capsys.readouterr().out
    assert "✗ results/made-up: 1 file is damaged or was edited: report/report.html" in said
    assert re.search(r"· results/made-up: .* not the run's own: my notes\.txt, the␛\[2J␊\.txt", said)
    assert "· work/made-up: 1 file is damaged: models/m/state.safetensors" in said
    assert "· work/made-up: 1 file was left by a process that was killed: models/m/.best.part-x1" in said
    assert f"· work/scores: 1 file is damaged: {'1' * 64}" in said


@pytest.mark.parametrize("text", ["", "{}", "[1]", "no json"])
def test_a_damaged_manifest_is_told(project, capsys, text):
    (project / "results" / "made-up" / "manifest.json").write_text(text, encoding="utf-8")
    assert doctor(project) == 1
    assert "manifest.json" in capsys.readouterr().out


def test_a_run_without_an_end_is_no_fault(project, capsys):
    (project / "results" / "made-up" / "manifest.json").unlink()
    assert doctor(project) == 0
    assert "· results/made-up has no manifest: the run is not finished" in capsys.readouterr().out


def test_the_lock_of_a_killed_run_is_told(project, capsys):
    locks = project / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.input.lock").write_text("", encoding="utf-8")
    assert doctor(project) == 1
    assert "a run that was killed left its lock" in capsys.readouterr().out


def test_other_versions_than_the_locks_are_named(project, capsys):
    lock = project / "envs" / "lock.txt"
    lock.write_text("pandas==1.0.0 \\\n    --hash=sha256:0\nnot-installed==1.0\n", encoding="utf-8")
    assert doctor(project) == 0
    said = capsys.readouterr().out
    assert "· packages that have other versions than in the lock: pandas " in said
    assert "What to do: rm -f .venv/ready && make .venv/ready; results of other versions may differ" in said


def test_a_repository_that_git_refuses_to_read_is_told(project, capsys, monkeypatch):
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    (project / "workflow" / "samizdat").mkdir(parents=True)
    monkeypatch.chdir(project)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    doctor(project)
    said = capsys.readouterr().out
    assert "· git can't read the repository of the code (detected dubious ownership" in said
    assert f"git config --global --add safe.directory {shlex.quote(str(project))}" in said


@pytest.mark.parametrize("folder", ["", "/opt/modules"])
def test_packages_of_other_folders_are_told(project, capsys, monkeypatch, folder):
    monkeypatch.setenv("PYTHONPATH", folder)
    assert doctor(project) == 0
    assert ("· PYTHONPATH is set" in capsys.readouterr().out) == bool(folder)


def test_what_is_missing_has_a_remedy(project, capsys, monkeypatch):
    monkeypatch.setattr(module, "cpp_compiler", lambda: None)
    monkeypatch.setattr(module, "free_bytes", lambda folder: 10**8)
    monkeypatch.setattr(module, "unused_gpu_warning", lambda: "this machine has an NVIDIA GPU that is not used")
    assert doctor(project) == 1
    said = capsys.readouterr().out
    assert "· no C++ compiler with Python's headers: training is not compiled, and slower\n    What to do: " in said
    assert "✗ 0.1 GB are free on the disk of" in said and "· this machine has an NVIDIA GPU" in said


def test_a_bug_report_has_versions_and_nothing_private(project, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.chdir(project)
    report = bug_report()
    assert "torch 2" in report and "Python 3." in report
    for private in ("hf_secret", str(project), str(Path.home()), "made-up"):
        assert private not in report


def test_a_machine_without_git_has_a_bug_report_too(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "commit unknown\n" in bug_report()


@pytest.mark.parametrize("system_torch", [False, True])
def test_the_remedy_keeps_the_torch_that_the_environment_has(project, capsys, monkeypatch, system_torch):
    packages = project / ".venv" / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)
    if system_torch:
        (packages / "torch-of-the-system.pth").touch()
    monkeypatch.setattr(module.sys, "prefix", str(project / ".venv"))
    assert doctor(project) == 1
    said = capsys.readouterr().out
    assert f"What to do: make .venv/ready{' TORCH=system' if system_torch else ''}\n" in said


def test_elsewhere_it_says_where_to_start(tmp_path):
    with pytest.raises(UserError, match="is not the project's folder"):
        doctor(tmp_path)


@pytest.mark.parametrize("with_snakefile", [True, False])
def test_a_folder_that_only_uses_the_workflow_has_its_results_checked(project, capsys, with_snakefile, monkeypatch):
    shutil.rmtree(project / "envs")
    (project / "pyproject.toml").unlink()
    if not with_snakefile:
        (project / "Snakefile").unlink()
    monkeypatch.chdir(project)
    assert doctor(project) == 0
    said = capsys.readouterr().out
    assert f"· this folder uses the workflow of {ROOT}" in said and "✓ results/made-up: all " in said
    assert ".venv" not in said.partition("For a bug report")[0]
    (project / ".snakemake" / "locks").mkdir(parents=True)
    (project / ".snakemake" / "locks" / "0.input.lock").touch()
    assert doctor(project) == 1
    command = re.search("What to do: (snakemake --unlock.*)", capsys.readouterr().out)[1]
    assert ("--snakefile" in command) == (not with_snakefile)
    if with_snakefile:
        return
    unlocked = subprocess.run(
        shlex.split(command), env=os.environ | {"PYTHONPATH": str(ROOT / "workflow")}, capture_output=True, check=False
    )
    assert unlocked.returncode == 0, unlocked.stderr
    assert doctor(project) == 0
