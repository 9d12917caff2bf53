"""`samizdat clean`: names and sizes, and nothing is deleted that nobody named."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from samizdat.base.errors import UserError
from samizdat.base.files import locked
from samizdat.runs.clean import asker, clean, shares

FILES = {
    "results/demo/model.safetensors": 3000,
    "results/demo.zip": 500,
    ".snakemake/metadata/a": 10,
    ".snakemake/log/b": 20,
    "work/demo/lock": 0,
    "work/demo/models/m/finished/model.safetensors": None,  # the same file as the result
    "work/demo/models/m/state.safetensors": 700,
    "work/demo/compiled/a/b.so": 90,
    "work/demo/report/executed/c": 9,
    "work/demo/models/compiled/state.safetensors": 100,  # of a model that is called so
    "work/scores/0a/segment": 50,
    "work/downloads/a.tar.gz": 40,
    "work/.verify/demo/checkout/d": 30,
    "logs/demo/e.log": 8,
    "workflow/samizdat/code.py": 1,
    "data/mine.txt": 1,
    "config/config.yaml": 1,
}
SIZES = {"results": 3530, "state": 3949, "compiled": 99, "downloads": 40, "verify": 30, "logs": 28}


@pytest.fixture
def at(tmp_path, monkeypatch):
    for name, size in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if size is None:
            path.hardlink_to(tmp_path / "results/demo/model.safetensors")
        else:
            path.write_bytes(b"x" * size)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_every_share_has_its_size_and_a_file_counts_once(at):
    assert {share.name: share.size for share in shares()} == SIZES


def test_with_nobody_to_ask_nothing_is_deleted_and_the_answer_says_how_to(at):
    assert "make clean ALL=1" in clean([], everything=False, ask=None)
    assert files_in(at) == set(FILES)


def test_what_is_named_is_deleted_and_nothing_else(at, capsys):
    assert clean(["verify", "logs"], everything=False, ask=None) == "Deleted: verify, logs (0.0 MB)"
    gone = {"work/.verify/demo/checkout/d", "logs/demo/e.log", ".snakemake/log/b"}
    assert files_in(at) == set(FILES) - gone
    assert "state" in capsys.readouterr().out
    with pytest.raises(UserError, match="no 'data' to delete"):
        clean(["data"], everything=False, ask=None)


def test_what_is_named_and_not_there_is_told_and_nothing_is_asked(at):
    clean(["logs"], everything=False, ask=None)

    def answer(question):
        raise AssertionError(question)

    assert clean(["logs"], everything=False, ask=answer) == "There is nothing to delete in logs."
    assert files_in(at) == set(FILES) - {"logs/demo/e.log", ".snakemake/log/b"}


def test_the_return_key_answers_keep(at):
    asked = []

    def answer(question):
        asked.append(question)
        return "n" if "compiled" in question else ""

    said = clean([], everything=False, ask=answer)
    assert len(asked) == len(SIZES) and "compiled" in said
    assert files_in(at) == set(FILES) - {"work/demo/compiled/a/b.so", "work/demo/report/executed/c"}


def test_all_keeps_code_and_texts(at):
    clean([], everything=True, ask=None)
    assert files_in(at) == {"workflow/samizdat/code.py", "data/mine.txt", "config/config.yaml"}
    assert clean([], everything=True, ask=None) == "There is nothing to delete."


def test_the_command_without_a_terminal_deletes_nothing(at):
    command = [sys.executable, "-c", "from samizdat.cli import main; main()", "clean"]
    environment = {"PYTHONPATH": str(Path(__file__).parents[3] / "workflow")}
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0 and "Nothing was deleted" in done.stdout, done.stderr
    assert files_in(at) == set(FILES)


@pytest.mark.parametrize("what", [["results", "state"], []])
def test_folders_of_a_place_without_runs_are_somebodys_own(tmp_path, monkeypatch, what):
    monkeypatch.chdir(tmp_path)
    for name in ("work/thesis/draft.txt", "results/table.csv", "logs/mine.log"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match="has no runs of this project"):
        clean(what, everything=not what, ask=None)
    assert len(files_in(tmp_path)) == 3


@pytest.mark.parametrize("lock", ["work/demo/lock", "work/.verify/demo.lock"])
def test_nothing_is_deleted_under_a_run_that_is_being_made(at, lock):
    with locked(at / lock), pytest.raises(UserError, match=f"holds the lock {lock}"):
        clean(["state", "verify"], everything=False, ask=None)
    assert files_in(at) - {lock} == set(FILES) - {lock}


def test_the_end_of_the_input_answers_keep(at, monkeypatch):
    def end(_):
        raise EOFError

    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", end)
    assert clean([], everything=False, ask=asker()).startswith("Deleted: nothing")
    assert files_in(at) == set(FILES)


def test_what_another_snakefile_wrote_into_the_results_stays(at):
    for name in ("results/plots/a.png", "results/table.zip", "results/other/config.json", "results/other.crate.zip"):
        (at / name).parent.mkdir(exist_ok=True)
        (at / name).write_text("x", encoding="utf-8")
    clean(["results"], everything=False, ask=None)
    assert {name for name in files_in(at) if name.startswith("results/")} == {
        "results/plots/a.png",
        "results/table.zip",
    }


def test_beside_another_snakefile_only_what_runs_of_this_project_wrote_is_deleted(at):
    shutil.rmtree(at / "workflow")
    theirs = {"work/theirs/reads.bam", "results/theirs/calls.vcf", "logs/theirs/align.log", "logs/align.log",
              "work/downloads/genome.fa", "work/downloads/.hidden", "work/fetch/reads", ".snakemake/env"}  # fmt: skip
    ours = {"work/downloads/.a.tar.gz.sha256", "work/looked-at/contents.json", "logs/looked-at/a.log"}
    for name in theirs | ours:
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        (at / name).write_text("x", encoding="utf-8")
    clean([], everything=True, ask=None)
    left = theirs | {".snakemake/metadata/a", ".snakemake/log/b", "data/mine.txt", "config/config.yaml"}
    assert files_in(at) == left
