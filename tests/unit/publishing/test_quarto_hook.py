"""Quarto's hook: the same execution as the workflow's, with a warning where something is newer."""

import json

import pytest

from samizdat.publishing.quarto_hook import main as refresh


def test_quartos_hook_takes_the_same_execution_and_warns_of_what_is_newer(project, capsys, monkeypatch):
    prepared = project.root / "report" / "report.ipynb"
    monkeypatch.chdir(project.root / "report")
    monkeypatch.delenv("SAMIZDAT_RUN", raising=False)
    refresh()
    assert capsys.readouterr().err == "✓ report.ipynb of the run demo, as executed before\n"
    assert prepared.read_bytes() == project.notebook.read_bytes()
    project.write("report/notes.md", "Other words, which are no input.")
    project.write("data/letters.txt", "Other texts.")
    config = json.loads((project.run / "config.json").read_text())
    project.write("config/config.yaml", json.dumps(config | {"seed": 7}))
    project.write("config/mine.yaml", "{name: mine, seed: 8}")
    refresh()
    said = capsys.readouterr().err.splitlines()
    assert [line.split("are older than ")[1].split(";")[0] for line in said[:-1]] == ["data/letters.txt", "the config"]
    assert said[-1] == "✓ report.ipynb of the run demo, as executed before"
    # A config that can't be read is told, and stops nothing.
    project.write("config/broken.yaml", "a: [")
    refresh()
    assert "config/broken.yaml is no YAML" in capsys.readouterr().err
    (project.root / "config" / "broken.yaml").unlink()
    # One config of the run as it was is enough, be it an overlay.
    project.write("config/same.yaml", f"seed: {config['seed']}")
    project.write("data/letters.txt", "The texts, said to be these.")
    project.set_characters(77)
    project.renew_manifest()
    refresh()
    assert capsys.readouterr().err == "✓ report.ipynb of the run demo, executed\n"
    assert project.shown(prepared) == ["77"]


def test_quartos_hook_refuses_results_of_an_earlier_version(project, monkeypatch):
    monkeypatch.chdir(project.root / "report")
    monkeypatch.delenv("SAMIZDAT_RUN", raising=False)
    config = json.loads((project.run / "config.json").read_text())
    project.write("config/config.yaml", json.dumps(config | {"key_of_tomorrow": 1}))
    with pytest.raises(SystemExit, match="earlier version, which had no key_of_tomorrow") as stopped:
        refresh()
    assert "make report" in stopped.value.code


def test_quartos_hook_refuses_a_run_that_is_not_finished(project, monkeypatch):
    monkeypatch.chdir(project.root / "report")
    monkeypatch.setenv("SAMIZDAT_RUN", "results/other")
    with pytest.raises(SystemExit) as stopped:
        refresh()
    assert "results/other has no finished run" in stopped.value.code and "make report" in stopped.value.code
    monkeypatch.setenv("SAMIZDAT_RUN", str(project.run))
    project.set_characters(1)
    with pytest.raises(SystemExit, match="is not the file that"):
        refresh()
