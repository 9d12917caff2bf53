"""Machines that are lost, with the folder that outlives them (`samizdat keep`), and a run that is made twice."""

import shutil
from pathlib import Path

import pytest

from samizdat.base.files import write_text
from support.run_fixture import make_run
from support.two_runs import write_pdf


@pytest.fixture
def folder(tmp_path) -> Path:
    """The folder that outlives the machine."""
    (tmp_path / "kept").mkdir()
    return tmp_path / "kept"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Change to a machine that has nothing yet, each time it is called."""
    numbers = iter(range(10))

    def new() -> Path:
        root = tmp_path / f"machine-{next(numbers)}"
        root.mkdir()
        monkeypatch.chdir(root)
        return root

    return new


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A made-up run with a page, a PDF and both notebooks."""
    run = make_run(tmp_path_factory.mktemp("recorded") / "run")
    (run / "report").mkdir()
    write_text(run / "tokenizers" / "own" / "tokenizer_config.json", "{}")
    (run / "report" / "report.html").write_text("<p>about 0.51</p>", encoding="utf-8")
    for name in ("quarto.ipynb", "report.ipynb"):
        (run / "report" / name).write_text('{"cells": []}', encoding="utf-8")
    write_pdf(run, "about 0.51")
    return run


@pytest.fixture
def pair(recorded, tmp_path):
    """Two copies of the run: the recorded one and the rebuilt one."""
    return tuple(shutil.copytree(recorded, tmp_path / name / "run") for name in ("recorded", "rebuilt"))
