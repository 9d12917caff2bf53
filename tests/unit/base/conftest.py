"""Fixtures of the tests of `base`."""

import pytest

from support.demo_config import ROOT


@pytest.fixture
def at_the_root(monkeypatch):
    """Be in the checkout, where the files are that its configs name."""
    monkeypatch.chdir(ROOT)
