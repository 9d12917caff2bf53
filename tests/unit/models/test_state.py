"""States to resume from: how often, in whose time, before an end that was announced, and of how many processes."""

import json
import threading
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from samizdat.base.errors import UserError
from samizdat.models import loop, state
from samizdat.models.loop import TrainingLoop
from samizdat.models.state import StateWriter
from support.small_training import contents, log_of, run, run_program, stop_after_a_state, words

LONG = 1e9  # seconds
EVERYTHING = {"dropout": 0.1}


def state_of(folder: Path) -> dict:
    """What the state in a folder says of itself."""
    with safe_open(folder / "work" / "state.safetensors", "pt") as file:
        metadata = file.metadata()
        return {**metadata, "position": json.loads(metadata["position"]), "names": set(file.keys())}


@pytest.fixture
def saved_steps(monkeypatch):
    """The steps of the states that training begins to write."""
    steps = []
    save = StateWriter.save

    def noted(self, model, optimizers, loss_sum, position):
        steps.append(position["step"])
        save(self, model, optimizers, loss_sum, position)

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


def test_who_is_asked_to_end_saves_first_and_goes_on_later(trained, tokenizer, tmp_path):
    options = words(tokenizer, tmp_path, **EVERYTHING, resume_every_seconds=LONG)
    done = run_program("support.stopped_training", *options, STOP_AT="5", STOP_BY="term")
    assert done.returncode == 1, done.stderr
    steps = round(log_of(trained)[-1]["step"])
    assert (
        f"✗ model m: asked to end (SIGTERM, as before a time limit) at step 5 of {steps}, which is saved" in done.stderr
    )
    assert "What to do: run the same command again to go on from there" in done.stderr
    assert "Traceback" not in done.stderr and not (tmp_path / "out").exists()
    assert state_of(tmp_path)["position"]["step"] == 5
    again = run_program("samizdat.models.train_model", *options)
    assert again.returncode == 0, again.stderr
    assert f"resumed at step 5 of {steps}" in (tmp_path / "logs" / "train.log").read_text(encoding="utf-8")
    assert contents(tmp_path / "out") == contents(trained)


def test_where_python_allows_no_handler_training_runs_without_one(trained, tokenizer, tmp_path):
    found = []
    thread = threading.Thread(target=lambda: found.append(run(tokenizer, tmp_path)[1]))
    thread.start()
    thread.join()
    assert contents(found[0]) == contents(trained)


@pytest.fixture(scope="module")
def two_processes(tokenizer, tmp_path_factory):
    """A training by two processes that nobody disturbed."""
    folder = tmp_path_factory.mktemp("two")
    options = words(tokenizer, folder, **EVERYTHING, processes=2)
    done = run_program("samizdat.models.workers", "2", "samizdat.models.train_model", *options)
    assert done.returncode == 0, done.stderr
    return folder / "out"


@pytest.mark.parametrize("how", ["kill", "term"])
def test_two_processes_that_were_stopped_go_on_to_the_same_bytes(two_processes, tokenizer, tmp_path, how):
    """Each has random numbers and a sum of losses of its own; at step 7 the sum has losses in it."""
    options = words(tokenizer, tmp_path, **EVERYTHING, processes=2, resume_every_seconds=0.0 if how == "kill" else LONG)
    done = run_program("samizdat.models.workers", "2", "support.stopped_training", *options, STOP_AT="7", STOP_BY=how)
    assert done.returncode == 1, done.stderr
    state = state_of(tmp_path)
    assert state["position"]["step"] == 7 and state["position"]["loss_steps"] > 0 and state["processes"] == "2"
    assert {f"process.{rank}.{name}" for rank in (0, 1) for name in ("loss_sum", "random.cpu")} <= state["names"]
    if how == "term":
        assert "Traceback" not in done.stderr and "at step 7 of" in done.stderr, done.stderr
    again = run_program("samizdat.models.workers", "2", "samizdat.models.train_model", *options)
    assert again.returncode == 0, again.stderr
    rows = [(out / "train_log.csv").read_text(encoding="utf-8") for out in (tmp_path / "out", two_processes)]
    assert rows[0] == rows[1]
    assert contents(tmp_path / "out") == contents(two_processes)


def test_a_state_of_another_number_of_processes_is_refused(tokenizer, tmp_path, monkeypatch):
    stop_after_a_state(monkeypatch, tokenizer, tmp_path, processes="auto")
    path = tmp_path / "work" / "state.safetensors"
    with safe_open(path, "pt") as file:
        metadata = file.metadata() | {"processes": "4"}
    save_file(load_file(path), path, metadata)
    with pytest.raises(
        UserError, match=r"state\.safetensors is of a training by 4 at once, and now there is 1 process"
    ) as error:
        run(tokenizer, tmp_path, processes="auto")
    assert "set training.processes to 4 in the config to go on, or delete that file" in str(error.value)
    path.unlink()
    run(tokenizer, tmp_path, processes="auto")


def test_the_scale_of_the_loss_is_part_of_a_state(tokenizer, tmp_path, monkeypatch):
    """It begins so large that the first steps overflow and are skipped; begun anew, others would be."""

    class Stop(Exception):
        pass

    def save_and_stop(self, model, optimizers, loss_sum, position):
        save(self, model, optimizers, loss_sum, position)
        self.wait()
        if position["step"] == 9:
            scales.append(position["loss_scale"]["scale"])
            raise Stop

    save, scales = StateWriter.save, []
    monkeypatch.setattr(loop, "make_scaler", lambda kind, dtype: torch.amp.GradScaler(kind, init_scale=2.0**30))
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
