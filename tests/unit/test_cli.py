"""The command line's help; docs/cli.md, which is written from the same parser, is tested in test_reference.py."""

import pytest

from samizdat.cli import main


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


@pytest.mark.parametrize("arguments", [["verify"], ["verify", "results/demo", "--unknown"]])
def test_a_wrong_command_line_does_not_say_that_a_run_is_different(capsys, arguments):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 3 and "error: " in capsys.readouterr().err
