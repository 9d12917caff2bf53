"""A run that somebody names: where it is not there or not finished, the command says so, and which runs are there."""

import pytest

from samizdat.cli import main


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("mine", "demo"):
        (tmp_path / "results" / name).mkdir(parents=True)
        (tmp_path / "results" / name / "manifest.json").touch()


def said(capsys, *command):
    with pytest.raises(SystemExit) as end:
        main([*command])
    assert end.value.code not in (0, None)
    return capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        ("bundle", "results/demoo"),
        ("crate", "results/demoo"),
        ("verify", "results/demoo"),
        ("compare", "results/demoo", "results/mine"),
        ("label", "draw", "--origin", "--raters", "a", "b", "--run", "demoo"),
    ],
)
def test_a_mistyped_run_is_told_with_those_that_are_there(capsys, command):
    assert said(capsys, *command) == (
        "✗ there is no run results/demoo.\n  What to do: name one of those in results: demo, mine\n"
    )


def test_a_name_without_its_folder_is_told_too(capsys):
    assert "there is no run demo.\n  What to do: name one of those in results: demo, mine" in said(
        capsys, "bundle", "demo"
    )


def test_a_run_that_is_not_finished_is_told_as_such(capsys, tmp_path):
    (tmp_path / "results" / "begun").mkdir()
    (tmp_path / "results" / "begun" / "config.json").touch()
    told = said(capsys, "bundle", "results/begun")
    assert told.startswith("✗ results/begun is no finished run.\n  What to do: finish it with `make report CONFIG=…` ")
    assert told.endswith("or name one of those in results: demo, mine\n")


def test_where_there_is_no_run_at_all_it_says_how_to_make_one(capsys, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert "make it first, with `make report`; or start this in the folder of results/" in said(
        capsys, "bundle", "results/demo"
    )
