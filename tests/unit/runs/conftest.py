"""Machines that are lost, and the folder that outlives them (`samizdat keep`)."""

from pathlib import Path

import pytest


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
