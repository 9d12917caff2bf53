"""Runs that several of these files read."""

import pytest

from samizdat.reporting import Run
from support.two_labels import make_two_labels


@pytest.fixture(scope="module")
def run(made_up):
    """The made-up run."""
    return Run(made_up)


@pytest.fixture
def two_labels(tmp_path):
    """A run of one classifier whose statistics a test can set."""
    return make_two_labels(tmp_path / "run")
