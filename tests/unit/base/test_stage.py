"""The frame of a stage: it runs as a program, measures itself, and reports every failure in one message."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest

STAGE = '''
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from samizdat.base.stage import announce, progress, run, tell
from samizdat.base.errors import UserError

@dataclass(frozen=True)
class Settings:
    share: float
    limit: int | None
    names: tuple[str, ...]
    label: str | None
    on: bool

def stage(settings: Settings, out: Path, files: tuple[Path, ...], work: Path) -> str:
    """A stage for the tests."""
    if settings.label == "refuse":
        raise UserError("the label is refused", remedy="name another")
    if settings.label == "crash":
        raise RuntimeError("unforeseen")
    if settings.label == "full":
        raise OSError(28, "No space left on device", "somewhere")
    if settings.label == "failing":
        raise OSError(5, "Input/output error", "somewhere")
    if settings.label == "read-only":
        raise OSError(30, "Read-only file system", "somewhere")
    if settings.label == "forbidden":
        raise PermissionError(13, "Permission denied", "somewhere")
    if settings.label == "read-only, by a library":
        raise RuntimeError("I/O error: Read-only file system (os error 30)")
    if settings.label == "starts another":
        subprocess.run([sys.executable, "-c", "b'x' * 300_000_000"], check=True)
    if settings.label == "hostile":
        tell("the label \\x1b[31m")
        announce("the folder \\udcff")
        return "\\x1b]0;"
    if settings.label == "long":
        bar = progress("steps", 9, "steps")
        announce("an hour more")
        bar.close()
    out.write_text(repr((settings, files)))
    return "all well"

if __name__ == "__main__":
    run(stage)
'''


@pytest.fixture
def stage(tmp_path):
    """Run the stage above as a program, with some options changed."""
    program = tmp_path / "stage.py"
    program.write_text(STAGE, encoding="utf-8")

    def run(terminal=False, **changes):
        options = {
            "share": "0.5", "limit": "null", "names": '["- a", "b"]', "label": "null", "on": "true", "out": "out.txt",
            "files": '["x", "y"]', "work": "work", "log": "log.txt", "title": "the stage",
        } | changes  # fmt: skip
        command = [sys.executable, "-m", "stage", *(f"--{key}={value}" for key, value in options.items())]
        if terminal:
            own, stages = pty.openpty()
            fcntl.ioctl(stages, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
            subprocess.run(command, cwd=tmp_path, stderr=stages, check=True)
            os.close(stages)
            return os.read(own, 10_000).decode()
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


def test_options_come_from_the_signature(stage, tmp_path):
    done = stage(label="- odd 'label'", limit="3")
    assert done.returncode == 0
    written = (tmp_path / "out.txt").read_text(encoding="utf-8")
    assert "share=0.5, limit=3, names=('- a', 'b'), label=\"- odd 'label'\", on=True" in written
    assert "PosixPath('x'), PosixPath('y')" in written
    assert done.stderr.startswith("✓ the stage (") and done.stderr.endswith(": all well\n")
    usage = json.loads((tmp_path / "work" / "usage.json").read_text(encoding="utf-8"))
    assert usage["elapsed_seconds"] >= 0 and usage["peak_memory_bytes"] > 1e6


def test_the_memory_of_a_process_that_a_stage_starts_counts(stage, tmp_path):
    assert stage(label="starts another").returncode == 0
    usage = json.loads((tmp_path / "work" / "usage.json").read_text(encoding="utf-8"))
    assert usage["peak_memory_bytes"] > 3e8


@pytest.mark.parametrize(("option", "value"), [("limit", "x"), ("on", "1"), ("names", '"a"'), ("share", '"a"')])
def test_an_option_of_the_wrong_type_is_refused_by_name(stage, option, value):
    done = stage(**{option: value})
    assert done.returncode == 2 and f"argument --{option}" in done.stderr


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("refuse", "the label is refused.\n  What to do: name another"),
        ("full", "No space left on device (somewhere).\n  What to do: free some disk space"),
        ("failing", "Input/output error (somewhere).\n  What to do: look at the disk or file server"),
        ("read-only", "Read-only file system (somewhere).\n  What to do: free some disk space or make the folder"),
        ("forbidden", "Permission denied (somewhere).\n  What to do: free some disk space or make the folder writable"),
        ("read-only, by a library", "Read-only file system.\n  What to do: free some disk space or make the folder"),
        ("crash", "RuntimeError: unforeseen\n  What to do: this is a bug; please report it"),
    ],
)
def test_a_failure_is_one_message_without_a_traceback(stage, tmp_path, label, said):
    done = stage(label=label)
    assert done.returncode == 1
    assert said in done.stderr and "Traceback" not in done.stderr
    log = (tmp_path / "log.txt").read_text(encoding="utf-8")
    assert said.split("\n")[0].rstrip(".") in log and ("Traceback" in log) == (label == "crash")


def test_nothing_that_a_stage_says_of_texts_controls_the_terminal_or_fails_in_the_log(stage, tmp_path):
    done = stage(label="hostile")
    assert done.returncode == 0 and "\x1b" not in done.stderr
    assert done.stderr.startswith("! the label ␛[31m\n· the folder ⟨U+DCFF⟩\n✓ the stage (")
    assert "the folder \\udcff" in (tmp_path / "log.txt").read_text(encoding="utf-8")


def test_at_a_terminal_a_line_takes_the_place_of_the_progress_line(stage, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    shown = stage(label="long", terminal=True)
    assert "steps:   0%" in shown and "\r\x1b[K· an hour more\r\n" in shown
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in stage(label="long", terminal=True)
