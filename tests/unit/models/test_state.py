"""States to resume from: how often, in whose time, of how many processes; and what is resumed ends the same."""

import json
import logging
import signal
import subprocess
import sys
import threading

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from samizdat.base.errors import UserError
from samizdat.base.files import replacing
from samizdat.models import learner, state
from samizdat.models.loop import TrainingLoop
from samizdat.models.row_loss import CannotCompileError, RowLoss
from samizdat.models.state import StateWriter
from samizdat.records.io import read_document
from samizdat.records.models import ModelSummary
from support import warm_python
from support.small_training import LONG, contents, log_of, run, run_program, state_of, stop_after_a_state, words

EVERYTHING = {"dropout": 0.1}


@pytest.fixture
def saved_steps(monkeypatch):
    """The steps of the states that training begins to write."""
    steps = []
    save = StateWriter.save

    def noted(self, learner, position):
        steps.append(position.step)
        save(self, learner, position)

    monkeypatch.setattr(StateWriter, "save", noted)
    return steps


def test_a_long_interval_writes_no_state(trained, tokenizer, tmp_path, saved_steps):
    _, out = run(tokenizer, tmp_path, resume_every_seconds=LONG)
    assert not saved_steps and contents(out) == contents(trained)


def test_no_interval_writes_one_after_each_step(trained, tokenizer, tmp_path, saved_steps, monkeypatch):
    due = StateWriter.due.fget

    def due_after_the_last(self):
        self.wait()
        return due(self)

    monkeypatch.setattr(StateWriter, "due", property(due_after_the_last))
    _, out = run(tokenizer, tmp_path)
    assert saved_steps == list(range(1, round(log_of(out)[-1]["step"]) + 1))
    assert contents(out) == contents(trained)


def test_a_slow_disk_holds_no_step_up(trained, tokenizer, tmp_path, saved_steps, monkeypatch):
    """Nor does a second state wait in a queue: until the first is written, none is begun."""
    write, learn, disk = state._write, TrainingLoop._learn, threading.Event()
    steps_meanwhile = []

    def write_when_the_disk_is_ready(*arguments):
        assert disk.wait(60)
        write(*arguments)

    def learn_and_look(self):
        learned = learn(self)
        if not disk.is_set():
            steps_meanwhile.append(self.position.step)
            if self.position.step == 9:
                disk.set()
        return learned

    monkeypatch.setattr(state, "_write", write_when_the_disk_is_ready)
    monkeypatch.setattr(TrainingLoop, "_learn", learn_and_look)
    _, out = run(tokenizer, tmp_path)
    assert steps_meanwhile == list(range(1, 10))
    assert saved_steps[0] == 1 and (len(saved_steps) == 1 or saved_steps[1] >= 9)
    assert contents(out) == contents(trained)


def test_a_state_that_cant_be_written_ends_training(tokenizer, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(state, "_write", full)
    with pytest.raises(OSError, match="No space left"):
        run(tokenizer, tmp_path)


KILLED = """
import json, sys, time
from pathlib import Path
from support.small_training import run
from samizdat.models.state import StateWriter
save = StateWriter.save
def save_and_say(self, learner, position):
    save(self, learner, position)
    self.wait()
    print("saved", position.step, flush=True)
    sys.stdin.readline() or time.sleep(600)  # at the end of the input it is killed
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
    with subprocess.Popen(
        [sys.executable, "-c", program], env=warm_python.programs_environment(), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
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


def test_a_state_is_not_resumed_from_with_the_weights_of_another_training(tokenizer, tmp_path, monkeypatch):
    worse = {"learning_rate": 10.0, "matrix_learning_rate": 10.0}  # the weights before the first step stay the best
    _, expected = run(tokenizer, tmp_path / "expected", **worse)
    assert read_document(ModelSummary, expected / "summary.json").best_step == 0
    stop_after_a_state(monkeypatch, tokenizer, tmp_path, **worse)
    with monkeypatch.context() as patch:
        patch.setattr(TrainingLoop, "_learn", lambda self: 1 / 0)  # ended before its first state
        with pytest.raises(ZeroDivisionError):
            run(tokenizer, tmp_path, seed=2, **worse)
    assert contents(run(tokenizer, tmp_path, **worse)[1]) == contents(expected)


def test_a_state_from_before_a_compiler_was_there_is_not_resumed_from(tokenizer, tmp_path, monkeypatch, caplog):
    def fails(self, example):
        raise CannotCompileError("no compiler")

    monkeypatch.setattr(RowLoss, "compile_with", fails)
    stop_after_a_state(monkeypatch, tokenizer, tmp_path, compile="auto")
    monkeypatch.setattr(RowLoss, "compile_with", lambda self, example: None)
    with caplog.at_level(logging.INFO, "samizdat"):
        run(tokenizer, tmp_path, compile="auto")
    assert "belongs to another training" in caplog.text and "resumed at" not in caplog.text


@pytest.mark.parametrize(
    ("name", "said"),
    [("state.safetensors", "is damaged"), ("best/model.safetensors", "weights that were saved before the state")],
)
def test_damage_to_a_state_or_to_saved_weights_is_told_and_trains_from_the_start(
    trained, tokenizer, tmp_path, monkeypatch, capsys, name, said
):
    stop_after_a_state(monkeypatch, tokenizer, tmp_path)
    path = tmp_path / "work" / name
    content = bytearray(path.read_bytes())
    content[-1] ^= 0x40  # a bit of a weight
    path.write_bytes(content)
    _, out = run(tokenizer, tmp_path)
    assert said in capsys.readouterr().err
    assert contents(out) == contents(trained)


def test_weights_that_are_damaged_after_the_last_step_are_not_published(trained, tokenizer, tmp_path, monkeypatch):
    go = TrainingLoop.go

    def go_and_damage(self, name):
        go(self, name)
        path = self.work / "best" / "model.safetensors"
        path.write_bytes(path.read_bytes()[:-1] + b"x")

    with monkeypatch.context() as patch:
        patch.setattr(TrainingLoop, "go", go_and_damage)
        with pytest.raises(UserError, match=r"weights that were saved in .* are damaged"):
            run(tokenizer, tmp_path)
    assert contents(run(tokenizer, tmp_path)[1]) == contents(trained)


@pytest.fixture(scope="module")
def two_processes(tokenizer, tmp_path_factory):
    """A training by two processes that was not interrupted."""
    folder = tmp_path_factory.mktemp("two")
    options = words(tokenizer, folder, **EVERYTHING, processes=2)
    done = run_program("samizdat.models.launch", "2", "samizdat.models.train_model", *options)
    assert done.returncode == 0, done.stderr
    return folder / "out"


@pytest.mark.parametrize("how", ["kill", "term"])
def test_two_processes_that_were_stopped_go_on_to_the_same_bytes(two_processes, tokenizer, tmp_path, how):
    """Each has random numbers and a sum of losses of its own; at step 7 the sum has losses in it."""
    options = words(tokenizer, tmp_path, **EVERYTHING, processes=2, resume_every_seconds=0.0 if how == "kill" else LONG)
    done = run_program("samizdat.models.launch", "2", "support.stopped_training", *options, STOP_AT="7", STOP_BY=how)
    assert done.returncode == 1, done.stderr
    state = state_of(tmp_path)
    assert state["position"]["step"] == 7 and state["position"]["loss_steps"] > 0 and state["processes"] == "2"
    assert {f"process.{rank}.{name}" for rank in (0, 1) for name in ("loss_sum", "random.cpu")} <= state["names"]
    if how == "term":
        assert "Traceback" not in done.stderr and "at step 7 of" in done.stderr, done.stderr
    else:
        assert "another of the 2 processes of this training has ended" in done.stderr, done.stderr
        assert "lower in the config; training then begins from the start" in done.stderr
    assert "this is a bug" not in done.stderr
    again = run_program("samizdat.models.launch", "2", "samizdat.models.train_model", *options)
    assert again.returncode == 0, again.stderr
    rows = [(out / "train_log.csv").read_text(encoding="utf-8") for out in (tmp_path / "out", two_processes)]
    assert rows[0] == rows[1]
    assert contents(tmp_path / "out") == contents(two_processes)


def test_a_state_of_another_number_of_processes_is_refused(tokenizer, tmp_path, monkeypatch):
    stop_after_a_state(monkeypatch, tokenizer, tmp_path, processes="auto")
    path = tmp_path / "work" / "state.safetensors"
    with safe_open(path, "pt") as file:
        metadata = file.metadata() | {"processes": "4"}
    tensors = load_file(path)
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata)
    with pytest.raises(
        UserError, match=r"state\.safetensors was made by 4 processes, but this training has 1 process"
    ) as error:
        run(tokenizer, tmp_path, processes="auto")
    assert "set training.processes to 4 in the config; to start again, delete the file" in str(error.value)
    path.unlink()
    run(tokenizer, tmp_path, processes="auto")


def test_a_state_is_resumed_from_where_the_config_now_has_its_number_of_processes(
    trained, tokenizer, tmp_path, monkeypatch, caplog
):
    stop_after_a_state(monkeypatch, tokenizer, tmp_path, processes="auto")
    with caplog.at_level("INFO", "samizdat"):
        _, out = run(tokenizer, tmp_path, processes=1)
    assert "resumed at step 1 of" in caplog.text
    assert contents(out) == contents(trained)


def test_the_scale_of_the_loss_is_part_of_a_state(tokenizer, tmp_path, monkeypatch):
    """It begins so large that the first steps overflow and are skipped. A new scale would skip other steps."""

    class Stop(Exception):
        pass

    def save_and_stop(self, of_process, position):
        save(self, of_process, position)
        self.wait()
        if position.step == 9:
            scales.append(of_process.scaler.get_scale())
            raise Stop

    save, scales = StateWriter.save, []
    monkeypatch.setattr(learner, "make_scaler", lambda kind, dtype: torch.amp.GradScaler(kind, init_scale=2.0**30))
    changes = {"precision": "float16", "resume_every_seconds": 0.0}
    _, whole = run(tokenizer, tmp_path / "whole", **changes)
    with monkeypatch.context() as patch:
        patch.setattr(StateWriter, "save", save_and_stop)
        patch.setattr(StateWriter, "due", True)
        with pytest.raises(Stop):
            run(tokenizer, tmp_path / "stopped", **changes)
    assert scales[0] <= 2.0**28
    _, out = run(tokenizer, tmp_path / "stopped", **changes)
    assert contents(out) == contents(whole)
