"""Quarto's hook: the same execution as the workflow's, with a warning where something is newer."""

import json
from types import SimpleNamespace

import pytest

from samizdat.base.configuration import RECIPE_KEYS
from samizdat.publishing.quarto_hook import main as refresh
from samizdat.publishing.quarto_hook import stale


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
    assert said[0].endswith("; `make report` renews them.")
    assert said[-1] == "✓ report.ipynb of the run demo, as executed before"
    # A config that can't be read is told, and stops nothing.
    for broken in ("a: [", "- a list", "words"):
        project.write("config/broken.yaml", broken)
        refresh()
        assert "config/broken.yaml is no config in YAML" in capsys.readouterr().err
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
    assert "results/other has no finished run" in stopped.value.code
    assert "run `make report CONFIG=…` with the config of the run other first" in stopped.value.code
    monkeypatch.setenv("SAMIZDAT_RUN", str(project.run))
    project.set_characters(1)
    with pytest.raises(SystemExit, match="is not the file that"):
        refresh()


def test_a_run_of_two_overlays_and_a_recipe_is_up_to_date_until_one_changes(tmp_path):
    (tmp_path / "config").mkdir()
    base = {"name": "demo", "seed": 1, "training": {"width": 256, "layers": 4}, "tokenizers": []}
    layers = {"config": base, "tiny": {"name": "tiny", "training": {"width": 64}},
              "mine": {"name": "mine", "training": {"recipe": "auto"}}}  # fmt: skip
    for name, layer in layers.items():
        (tmp_path / "config" / f"{name}.yaml").write_text(json.dumps(layer), encoding="utf-8")
    decided = dict.fromkeys([*RECIPE_KEYS, "micro_batch_sequences"], "auto")
    config = {**base, "name": "mine", "training": {"layers": 4, **decided, "recipe": "auto", "width": 64}}
    manifest = SimpleNamespace(run="mine", inputs={}, config=config)
    assert list(stale(manifest, tmp_path)) == []
    manifest.config = config | {"seed": 2}
    assert list(stale(manifest, tmp_path)) == ["the config"]
