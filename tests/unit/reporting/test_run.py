"""A finished run: where it is found, and in which order its models are read."""

import pytest

from samizdat.base.errors import UserError
from samizdat.reporting import Run, label_comparison, open_run, samples, training
from support.reading import cells, plain
from support.run_fixture import make_run, sentences


def test_a_run_is_found_above_its_notebook_or_where_the_variable_says(made_up, tmp_path, monkeypatch):
    monkeypatch.delenv("SAMIZDAT_RUN", raising=False)
    monkeypatch.chdir(made_up / "report")
    assert open_run().manifest.run == "made-up"
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="is no finished run"):
        open_run()
    monkeypatch.setenv("SAMIZDAT_RUN", str(made_up))
    assert open_run().folder == made_up


def test_models_are_in_the_order_of_the_config(tmp_path):
    run = Run(
        make_run(tmp_path / "run", texts=sentences(40), models=("b-model", "a-model"), labels={"kind": ("x", "y")})
    )
    assert [row[0] for row in cells(training.models(run).markdown)[1:]] == ["b-model", "a-model"]
    said = plain(label_comparison.opening(run).markdown)
    assert said.index("samples of “b-model”") < said.index("samples of “a-model”")
    assert [row[0] for row in cells(samples.gallery(run).markdown)[1:]] == ["b-model"] * 4 + ["a-model"] * 4
    assert list(run.divergences["model"].drop_duplicates()) == ["b-model", "a-model"]
