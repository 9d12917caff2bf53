"""Reports and programs that several of these files use."""

import pytest

from support import fake_quarto as fake
from support.report_project import Project


@pytest.fixture(scope="session")
def executed(tmp_path_factory):
    """A project whose report was executed; tests copy it."""
    project = Project(tmp_path_factory.mktemp("project"))
    project.fill()
    assert project.execute() == "executed"
    return project


@pytest.fixture
def project(executed, tmp_path):
    """A copy of it, for a test to change."""
    return executed.copied(tmp_path / "copy")


@pytest.fixture
def fake_quarto(tmp_path, monkeypatch):
    """A folder with a program called `quarto` that is alone on the PATH."""
    fake.install(tmp_path, monkeypatch)
    return tmp_path
