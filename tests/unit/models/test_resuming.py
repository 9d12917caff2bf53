"""The same bits each time, killed or not."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from samizdat.base.errors import UserError
from support.small_training import contents, run, stop_after_a_state


def test_the_same_run_makes_the_same_bytes_and_another_seed_does_not(trained, tokenizer, tmp_path):
    _, again = run(tokenizer, tmp_path / "again")
    assert contents(again) == contents(trained)
    _, other = run(tokenizer, tmp_path / "other", seed=2)
    assert contents(other)["model.safetensors"] != contents(trained)["model.safetensors"]


KILLED = """
import json, sys
from pathlib import Path
from support.small_training import run
from samizdat.models.state import StateWriter
save = StateWriter.save
def save_and_say(self, model, optimizers, loss_sum, position):
    save(self, model, optimizers, loss_sum, position)
    self.wait()
    print("saved", position["step"], flush=True)
    input()
StateWriter.save = save_and_say
run(Path({tokenizer!r}), Path({folder!r}), **json.loads({changes!r}))
"""


@pytest.mark.parametrize(
    ("saves", "changes"),
    [
        (3, {}),
        (12, {}),
        (6, {"checkpoint": True}),
        (6, {"compile": True}),
        (6, {"precision": "int8"}),
        (6, {"precision": "float16"}),
    ],
    ids=str,
)
def test_a_killed_run_goes_on_to_the_same_bytes(trained, tokenizer, tmp_path, saves, changes):
    if "checkpoint" in changes:
        changes = {"checkpoint": str(trained)}
    expected = run(tokenizer, tmp_path / "expected", **changes)[1] if changes else trained
    folder = tmp_path / "killed"
    program = KILLED.format(tokenizer=str(tokenizer), folder=str(folder), changes=json.dumps(changes))
    tests = str(Path(__file__).parents[2])
    environment = os.environ | {"PYTHONPATH": f"{tests}:{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-c", program]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        for _ in range(saves - 1):
            assert process.stdout.readline().startswith("saved")
            process.stdin.write("\n")
            process.stdin.flush()
        assert process.stdout.readline() == f"saved {saves}\n"
        process.send_signal(signal.SIGKILL)
    assert not (folder / "out").exists()
    _, out = run(tokenizer, folder, **changes)
    assert contents(out) == contents(expected)


def test_a_state_of_another_recipe_is_not_resumed_from(trained, tokenizer, tmp_path, monkeypatch):
    stop_after_a_state(monkeypatch, tokenizer, tmp_path, learning_rate=0.5)
    assert (tmp_path / "work" / "state.safetensors").is_file()
    assert contents(run(tokenizer, tmp_path)[1]) == contents(trained)


def test_a_disk_that_is_too_small_is_refused_before_training(trained, tokenizer, tmp_path, monkeypatch):
    free = 200_000
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=free))
    with pytest.raises(UserError, match=r"training takes up to 0\.00 GB in .*work, where 0\.00 GB are free"):
        run(tokenizer, tmp_path)
    assert not (tmp_path / "out").exists() and not (tmp_path / "work" / "best").exists()


def test_a_finished_model_is_put_back_in_a_moment(trained, tokenizer, tmp_path):
    first, out = run(tokenizer, tmp_path)
    assert "after" in first
    (out / "model.safetensors").unlink()
    second, out = run(tokenizer, tmp_path)
    assert second.endswith("as trained before") and contents(out) == contents(trained)
    damaged = tmp_path / "work" / "finished" / "model.safetensors"
    damaged.unlink()
    damaged.write_bytes(b"damaged")
    third, out = run(tokenizer, tmp_path)
    assert "after" in third and contents(out) == contents(trained)
