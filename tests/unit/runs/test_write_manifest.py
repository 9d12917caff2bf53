"""What the manifest records of the rules and of the code."""

import subprocess
from pathlib import Path

import pytest

from samizdat.base.errors import UserError
from samizdat.base.files import sha256_of
from samizdat.records.io import read_document
from samizdat.records.run import Manifest
from samizdat.runs import write_manifest
from samizdat.runs.rebuild import RECORDED
from samizdat.runs.write_manifest import rule_edges
from support.run_fixture import make_run


def test_rule_edges_are_read_from_the_rule_graph():
    dot = 'digraph {\n\t0[label = "all", color = "0"];\n\t1[label = "import_corpus", color = "1"];\n\t1 -> 0\n}'
    assert rule_edges(dot) == [["import_corpus", "all"]]


def test_code_is_clean_until_a_file_of_it_changes_and_unknown_outside_git(tmp_path, monkeypatch, capsys):
    code, notes = tmp_path / "workflow" / "samizdat" / "code.py", tmp_path / "report" / "notes.md"
    for path in (code, notes):
        path.parent.mkdir(parents=True)
        path.write_text("first", encoding="utf-8")
    monkeypatch.setattr(write_manifest, "PACKAGE", code.parent)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    relative = notes.relative_to(tmp_path)
    assert write_manifest._code_state(relative) == ("unknown", False)
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    for arguments in (("init", "--quiet"), ("add", "--all"), (*identity, "commit", "--quiet", "--message", "all")):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    commit, clean = write_manifest._code_state(relative)
    assert len(commit) == 40 and clean
    notes.write_text("second", encoding="utf-8")
    assert write_manifest._code_state(relative) == (commit, True)
    code.write_text("second", encoding="utf-8")
    assert write_manifest._code_state(relative) == (commit, False)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")  # as in a container, or on a disk that people share
    assert write_manifest._code_state(relative) == ("unknown", False)
    assert "git can't read the repository of the code (detected dubious ownership" in capsys.readouterr().err
    installed = tmp_path / ".venv" / "lib" / "samizdat"
    installed.mkdir(parents=True)
    monkeypatch.setattr(write_manifest, "PACKAGE", installed)
    assert write_manifest._code_state(relative) == ("unknown", False)


def test_a_run_that_is_made_again_names_the_recorded_commit_wherever_its_code_is_from(tmp_path, monkeypatch):
    """Else its reports would be different ones with code from an archive or a wheel, which are in no repository."""
    run = make_run(tmp_path / "recorded")
    recorded = read_document(Manifest, run / "manifest.json")
    monkeypatch.setattr(write_manifest, "PACKAGE", tmp_path / "nowhere" / "samizdat")
    assert write_manifest._code_state(Path("report/notes.md")) == ("unknown", False)
    monkeypatch.setenv(RECORDED, str(run / "corpus" / "summary.json"))
    assert write_manifest._code_state(Path("report/notes.md")) == (recorded.commit, recorded.clean)
    assert recorded.commit != "unknown"


def test_a_text_that_was_changed_while_the_run_was_made_is_not_recorded_as_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("data/letters.txt", "report/notes.md"):
        Path(name).parent.mkdir()
        Path(name).write_text("as it was read", encoding="utf-8")
    run = make_run(tmp_path / "results" / "mine", inputs={"data/letters.txt": sha256_of(Path("data/letters.txt"))})

    (run / "rules.dot").write_text("digraph {}", encoding="utf-8")

    def write() -> dict[str, str]:
        files = (run / "config.json", run / "rules.dot", (), (), run, Path("report/notes.md"), run / "manifest.json")
        write_manifest.write_manifest(*files)
        return read_document(Manifest, run / "manifest.json").inputs

    assert write().keys() == {"data/letters.txt", "report/notes.md"}
    Path("data/letters.txt").write_text("edited during the training", encoding="utf-8")
    with pytest.raises(UserError, match=r"data/letters\.txt was changed while the run was made"):
        write()
