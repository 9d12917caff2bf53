"""The command that installs what is missing is one that this system can carry out."""

import sys

import pytest

from samizdat.environment import system


@pytest.mark.parametrize(("headers", "named"), [(True, "g++"), (False, "g++ python{}.{}-dev")])
def test_headers_are_named_only_for_a_python_that_lacks_them(tmp_path, monkeypatch, headers, named):
    """The system has no package with the headers of a Python of conda or uv, and apt would install nothing."""
    apt = tmp_path / "apt"
    apt.touch(mode=0o755)
    if headers:
        (tmp_path / "Python.h").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(system.sysconfig, "get_path", lambda name: str(tmp_path))
    monkeypatch.setattr(system.os, "geteuid", lambda: 1000)
    assert system.how_to_install("compiler", "") == f"sudo apt install {named.format(*sys.version_info)}"
    assert system.how_to_install("venv", "") == "sudo apt install python{}.{}-venv".format(*sys.version_info)
