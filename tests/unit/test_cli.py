"""The command line's help; docs/cli.md, which is written from the same parser, is tested in test_reference.py."""

import pytest

from samizdat import commands
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


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (MemoryError("no room"), "raise the limit on this process's memory"),
        (RuntimeError("CUDA out of memory. Tried to allocate"), "choose a smaller model"),
        (FileExistsError(17, "File exists"), "look at the disk, then"),
        (RuntimeError("unforeseen"), "this is a bug"),
    ],
)
def test_what_a_command_does_not_foresee_is_one_message_with_what_to_do(capsys, monkeypatch, error, remedy):
    def fail(options):
        raise error

    monkeypatch.setattr(commands, "where", fail)
    with pytest.raises(SystemExit) as end:
        main(["where"])
    said = capsys.readouterr().err
    assert end.value.code == 1 and said.startswith(f"✗ {type(error).__name__}: ")
    assert remedy in said and ("bug" in said) == (remedy == "this is a bug")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device", "results/demo.zip"), "No space left on device (results/demo.zip)"),
        (PermissionError(13, "Permission denied", "comparison"), "Permission denied (comparison)"),
        (OSError(5, "Input/output error"), "Input/output error"),
    ],
)
def test_a_disk_is_told_as_by_a_step(capsys, monkeypatch, error, said):
    def fail(options):
        raise error

    monkeypatch.setattr(commands, "where", fail)
    with pytest.raises(SystemExit):
        main(["where"])
    what, remedy = capsys.readouterr().err.splitlines()
    assert what == f"✗ {said}." and ("free some disk space" in remedy) == (error.errno != 5) and "disk" in remedy
