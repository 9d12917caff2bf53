"""The command line's help: docs/cli.md is what the parser says, and every argument has a text."""

import runpy
from pathlib import Path

import pytest

from samizdat.cli import main

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("columns", ["40", "200"])
def test_the_page_of_the_commands_is_up_to_date(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    page = runpy.run_path(str(DOCS / "write_cli.py"))["page"]()
    assert (DOCS / "cli.md").read_text(encoding="utf-8") == page, "run `make cli-help`"
    assert "| None |" not in page


def test_help_shows_every_command(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    shown = capsys.readouterr().out
    assert end.value.code == 0
    assert all(f"\n    {name}" in shown for name in ("sample", "plan", "verify", "bundle", "doctor", "clean", "keep"))


def test_an_unknown_option_is_refused_by_every_command_but_plan(capsys):
    with pytest.raises(SystemExit) as end:
        main(["bundle", "results/demo", "--unknown"])
    assert end.value.code == 2 and "unrecognized arguments: --unknown" in capsys.readouterr().err
