"""A made-up run that sheets for raters are drawn from."""

import pytest

from support.rater_sheets import HOSTILE, SHEETS
from support.run_fixture import make_run, sentences


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labels")
    make_run(
        folder / "results" / "mine", texts=HOSTILE + sentences(400), kinds={"moods": "multi_label", "size": "number"}
    )
    return folder


@pytest.fixture
def run(made, tmp_path, monkeypatch):
    (tmp_path / "results").symlink_to(made / "results")
    monkeypatch.chdir(tmp_path)
    return tmp_path / SHEETS
