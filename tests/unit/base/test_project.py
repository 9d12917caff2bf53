"""Where the workflow's own files are found."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from samizdat.base import project
from samizdat.base.errors import UserError


def make_project(folder: Path) -> Path:
    (folder / "workflow" / "samizdat").mkdir(parents=True)
    (folder / "Snakefile").touch()
    return folder


def test_the_folder_of_a_command_comes_before_that_of_the_package(tmp_path, monkeypatch):
    monkeypatch.chdir(make_project(tmp_path / "here"))
    assert project.own("report/index.qmd") == "report/index.qmd"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(project, "PACKAGE", make_project(tmp_path / "clone") / "workflow" / "samizdat")
    assert project.own("report/index.qmd") == (tmp_path / "clone" / "report" / "index.qmd").as_posix()


@pytest.mark.parametrize("registered", [True, False])
def test_a_package_without_the_workflow_is_told(tmp_path, monkeypatch, registered):
    def no_files(name):
        if not registered:
            raise PackageNotFoundError(name)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(project, "PACKAGE", tmp_path / "samizdat")
    monkeypatch.setattr(project, "files", no_files)
    with pytest.raises(UserError, match="has no Snakefile beside it"):
        project.own("Snakefile")


def test_the_notes_of_a_user_are_never_written_over(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    project.write_missing_notes("words.md")
    assert not list(tmp_path.iterdir())
    (tmp_path / "report").touch()
    with pytest.raises(UserError, match="can't be written"):
        project.write_missing_notes(project.NOTES)
    (tmp_path / "report").unlink()
    (tmp_path / "report").mkdir()
    (tmp_path / project.NOTES).write_text("mine", encoding="utf-8")
    project.write_missing_notes(project.NOTES)
    assert (tmp_path / project.NOTES).read_text(encoding="utf-8") == "mine"
