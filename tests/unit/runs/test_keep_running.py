"""`samizdat keep` around a command: its state is copied while it works, and its end is waited for."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from samizdat.base.errors import UserError
from samizdat.runs.keep import keep, restore

WORKFLOW = Path(__file__).parents[3] / "workflow"


def start(root: Path, folder: Path, command: str) -> subprocess.Popen:
    call = (
        f"from samizdat.runs.keep import keep; raise SystemExit(keep(Path({str(folder)!r}), {command!r}, pause=0.05))"
    )
    program = f"from pathlib import Path; {call}".replace(repr(command), f"[{sys.executable!r}, '-c', {command!r}]")
    environment = os.environ | {"PYTHONPATH": str(WORKFLOW)}
    return subprocess.Popen(
        [sys.executable, "-c", program], cwd=root, env=environment, stderr=subprocess.PIPE, text=True
    )


def wait_for(what) -> None:
    while not what():
        time.sleep(0.02)


WORKS = """
import pathlib, time
pathlib.Path("work/mine").mkdir(parents=True)
pathlib.Path("work/mine/state.safetensors").write_text("half")
time.sleep(120)
"""
ENDS_WELL = """
import pathlib, signal, sys, time
def end(*_):
    pathlib.Path("work/mine/state.safetensors").write_text("last")
    sys.exit(3)
signal.signal(signal.SIGTERM, end)
"""


def state_in(folder: Path) -> str | None:
    """The state in the newest snapshot; None where there is none, or its index is just being written."""
    indexes = sorted(folder.glob("index-*.json"), key=lambda path: int(path.stem.split("-")[1]))
    with suppress(IndexError, KeyError, json.JSONDecodeError):
        files = json.loads(indexes[-1].read_text(encoding="utf-8"))["files"]
        return (folder / "files" / files["work/mine/state.safetensors"]["copy"]).read_text(encoding="utf-8")
    return None


def test_the_state_is_copied_while_the_command_runs_and_outlives_the_machine(machine, folder):
    root = machine()
    process = start(root, folder, WORKS)
    wait_for(lambda: list(folder.glob("index-*.json")))
    wait_for(lambda: state_in(folder) == "half")
    process.kill()
    process.wait()
    shutil.rmtree(root)
    machine()
    restore(folder)
    assert Path("work/mine/state.safetensors").read_text(encoding="utf-8") == "half"


def test_a_terminated_keep_lets_the_command_end_and_copies_its_last_state(machine, folder):
    root = machine()
    process = start(root, folder, ENDS_WELL + WORKS)
    wait_for(lambda: state_in(folder) == "half")
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 3
    assert state_in(folder) == "last"


def test_a_folder_that_cannot_be_written_is_named_and_does_not_stop_the_run(machine, folder):
    root = machine()
    (folder / "files").write_text("in the way", encoding="utf-8")
    process = start(root, folder, "import pathlib; pathlib.Path('results').mkdir()")
    said = process.communicate()[1]
    assert process.returncode == 1 and "✗ not copied into" in said and "results/" in said and "Traceback" not in said


@pytest.mark.parametrize("place", ["results/kept", "data", "work/a/../kept"])
def test_a_folder_that_is_copied_itself_is_refused(machine, place):
    root = machine()
    with pytest.raises(UserError, match=r"is itself a folder that is copied.*\n.*name one that is not in config, data"):
        keep(Path(place), ["true"])
    assert not (root / "results").exists()


def test_a_folder_that_cannot_be_made_is_refused(machine, tmp_path):
    machine()
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="name another folder"):
        keep(tmp_path / "file" / "kept", [])


@pytest.mark.parametrize("command", [["maek", "report"], ["make report"], ["data"]])
def test_a_command_that_cannot_be_started_is_told_as_such(machine, folder, command):
    (machine() / "data").mkdir()
    with pytest.raises(UserError) as refused:
        keep(folder, command)
    assert f"{command[0]!r} can't be started" in str(refused.value) and "look at the disk" not in str(refused.value)
