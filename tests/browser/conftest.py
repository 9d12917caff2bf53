"""Fixtures of the tests of the page with a model."""

import pytest

from support.played_model import LOAD, SCRIPTS, START, open_played, round_model, write_model, write_page
from support.run_fixture import sentences


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A rounded model of two checkpoints that knows several scripts."""
    folder = write_model(tmp_path_factory.mktemp("played"), [*sentences(60), *SCRIPTS])
    round_model(folder)
    return folder


@pytest.fixture(scope="module")
def page(model, tmp_path_factory):
    return write_page(model, tmp_path_factory.mktemp("page") / "play.html")


@pytest.fixture(scope="module")
def asked(chromium, page):
    """A page whose `window.ask` asks a worker with the checkpoint at 50 %."""
    watched = open_played(chromium, page)
    watched.page.evaluate(START, {})
    watched.page.evaluate(LOAD, 50)
    yield watched.page
    watched.close()
