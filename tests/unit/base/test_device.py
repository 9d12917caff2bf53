"""Which device computes, what is said of a card that doesn't, and memory that runs out."""

import json
import logging
import os
import subprocess
import sys

import pandas as pd
import pytest
import torch

from samizdat.base import device, hardware
from samizdat.base.device import Device, enough_memory, prepare
from samizdat.base.errors import UserError
from samizdat.models.row_loss import RowLoss
from samizdat.runs.plan import Job, plan_text
from samizdat.samples import generate_samples

CPU = Device("cpu", "AMD EPYC", fastest="float32", int8=False)


def behind(cause: BaseException) -> RuntimeError:
    """An error that was raised while another was handled, as where a CUDA graph is being captured."""
    try:
        try:
            raise cause
        except BaseException:
            raise RuntimeError("operation failed due to a previous error during capture")  # noqa: B904
    except RuntimeError as error:
        return error


def from_another(cause: BaseException) -> ValueError:
    error = ValueError("can't load the weights")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried to"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        behind(torch.OutOfMemoryError("CUDA out of memory")),
        behind(behind(MemoryError())),
        from_another(torch.OutOfMemoryError("CUDA out of memory")),
    ],
    ids=repr,
)
def test_too_little_memory_is_an_error_for_people(error):
    with (
        pytest.raises(UserError, match=r"^the AMD EPYC has too little memory for 32 texts at once") as told,
        enough_memory(CPU, "32 texts at once", remedy="halve batch_rows"),
    ):
        raise error
    assert "What to do: halve batch_rows" in str(told.value)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("shape mismatch"),
        ValueError("no"),
        KeyboardInterrupt(),
        behind(ValueError("no")),
        UserError("x", remedy="y"),
    ],
    ids=repr,
)
def test_other_errors_are_left_alone(error):
    with pytest.raises(type(error)) as told, enough_memory(CPU, "32 texts at once", remedy="halve batch_rows"):
        raise error
    assert told.value is error


def test_the_cpus_own_allocator_says_what_is_known():
    """The text that is looked for is the one that this release of torch has."""
    with pytest.raises(UserError, match="too little memory for all"), enough_memory(CPU, "all", remedy="less"):
        torch.empty(2**55, dtype=torch.uint8)


def test_training_that_runs_out_of_memory_names_the_key(tokenizer, tmp_path, monkeypatch):
    from support.small_training import run

    def full(*_):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(RowLoss, "forward", full)
    with pytest.raises(
        UserError, match=r"too little memory for 2 sequences at once(?s:.*)training.micro_batch_sequences"
    ):
        run(tokenizer, tmp_path)


def test_writing_samples_that_runs_out_of_memory_names_the_key(tmp_path, monkeypatch):
    from support.small_model import make_model

    def full(*_, **__):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(generate_samples, "write_texts", full)
    texts = [f"number {number} of the old letters" for number in range(12)]
    folder = make_model(texts, tmp_path)
    settings = generate_samples.SamplingSettings(1, 1, 2, 1, (1.0,), 0, 1.0, 1.0, 0, 4, 4)
    with pytest.raises(UserError, match=r"too little memory for 4 texts at once(?s:.*)halve sampling\.slots"):
        generate_samples.generate_samples(
            settings, "m", ("the",), (100,), folder / "model", folder / "texts.parquet", tmp_path / "s", "cpu",
            threads=1, seed=1,
        )  # fmt: skip


def test_the_encoder_that_runs_out_of_memory_names_the_key(monkeypatch):
    from samizdat.measures.bootstrap import Bootstrap
    from samizdat.measures.closeness import FEWEST_TEXTS
    from samizdat.statistics import held_out_comparison

    def full(*_):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(held_out_comparison, "embed", full)
    frame = pd.DataFrame({"own": ["text"] * FEWEST_TEXTS, "document": "d"})
    found = held_out_comparison.closeness_to_real(
        [({}, frame)], frame, frame, "encoder", None, Bootstrap(10, 0.95, 1), CPU
    )
    with pytest.raises(UserError, match=r"too little memory for the encoder of sample_quality(?s:.*)`device: cpu`"):
        list(found)


@pytest.mark.parametrize(
    ("precision", "fastest", "expected"),
    [("auto", "float16", torch.float16), ("auto", "bfloat16", torch.bfloat16), ("float32", "float16", torch.float32),
     ("float16", "float32", torch.float16)],
)  # fmt: skip
def test_a_number_format_is_the_one_asked_for_or_the_fastest(precision, fastest, expected):
    assert Device("cuda", "a GPU", fastest=fastest, int8=False).number_format(precision) is expected


@pytest.mark.parametrize(
    ("bfloat16", "capability", "expected"),
    [(True, (9, 0), "bfloat16"), (True, (8, 0), "bfloat16"), (False, (7, 5), "float16"), (False, (7, 0), "float16"),
     (False, (6, 1), "float32")],
)  # fmt: skip
def test_a_card_is_fastest_in_what_its_units_multiply(monkeypatch, bfloat16, capability, expected):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: bfloat16)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    assert device._fastest_on_card() == expected


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Make this a machine with or without a card, on which torch is of some build."""

    def make(cards_there: tuple[str, ...] | None, cuda: str | None) -> None:
        listing = "".join(
            f"GPU {number}: {name} (UUID: GPU-{number})\n" for number, name in enumerate(cards_there or ())
        )
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!{sys.executable}\nprint({listing!r}, end='')\nraise SystemExit({int(not listing)})\n")
        program.chmod(0o755)
        path = os.environ["PATH"] if cards_there is None else f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
        which = hardware.shutil.which
        monkeypatch.setattr(
            hardware.shutil, "which", lambda name: which(name, path=path) if name != "nvidia-smi" else
            None if cards_there is None else str(program),
        )  # fmt: skip
        monkeypatch.setenv("PATH", path)
        monkeypatch.setattr(hardware, "DRIVER", tmp_path / "no-driver")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        monkeypatch.setattr(
            hardware, "_torch_build", lambda: ("2.13.0+cpu" if cuda is None else f"2.13.0+{cuda}", cuda)
        )
        monkeypatch.setattr(hardware, "processor_name", lambda: "AMD EPYC")
        monkeypatch.setattr(hardware.sys, "platform", "linux")

    return make


BUILD_FOR_CPUS = (
    "this machine has an NVIDIA card, but torch 2.13.0+cpu is a build for CPUs, so the CPU computes; to use the card: "
    ".venv/bin/python -m pip install --force-reinstall torch==2.13.0"
)


def test_a_card_that_this_build_of_torch_cant_use_is_named_with_the_remedy(machine, capsys):
    machine(("NVIDIA H200",), None)
    assert hardware.unused_card() == BUILD_FOR_CPUS
    hardware.announce_unused_card("auto")
    assert capsys.readouterr().err == f"! {BUILD_FOR_CPUS}\n"
    hardware.announce_unused_card("cpu")  # as it was asked for
    assert capsys.readouterr().err == ""


def test_a_card_whose_driver_does_not_answer_is_named(machine):
    machine((), "12.6")
    assert "torch 2.13.0+12.6 (built with CUDA 12.6) can't reach it" in hardware.unused_card()


@pytest.mark.parametrize(("there", "cuda"), [(None, None), (None, "12.6"), (("NVIDIA H200",), "12.6")])
def test_of_no_card_and_of_one_in_use_nothing_is_said(machine, capsys, there, cuda):
    machine(there, cuda)
    assert hardware.unused_card() is None
    hardware.announce_unused_card("auto")
    assert capsys.readouterr().err == ""


def test_a_hidden_card_is_none(machine, monkeypatch):
    machine(("NVIDIA H200",), None)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert hardware.unused_card() is None and hardware.computing_device("auto") == "Computes on: the CPU, AMD EPYC."


@pytest.mark.parametrize(
    ("there", "cuda", "requested", "line"),
    [
        (("NVIDIA H200",), "12.6", "auto", "Computes on: NVIDIA H200."),
        (("Tesla T4", "Tesla T4"), "12.6", "cuda", "Computes on: Tesla T4, Tesla T4."),
        (("NVIDIA H200",), "12.6", "cpu", "Computes on: the CPU, AMD EPYC."),
        (None, "12.6", "auto", "Computes on: the CPU, AMD EPYC."),
        (None, None, "auto", "Computes on: the CPU, AMD EPYC."),
        (None, None, "cuda", "Computes on: an NVIDIA card, which is not to be seen here."),
        (("NVIDIA H200",), None, "auto", f"Computes on: the CPU, AMD EPYC.\nT{BUILD_FOR_CPUS[1:]}."),
        (("NVIDIA H200",), None, "cpu", "Computes on: the CPU, AMD EPYC."),
    ],
)
def test_a_plan_names_the_device(machine, there, cuda, requested, line):
    machine(there, cuda)
    jobs = [Job(title, "Missing output files: a", frozenset(), frozenset(), None, kind)
            for title, kind in (("Importing", None), ("Training", requested), ("Scoring", requested))]  # fmt: skip
    assert plan_text(jobs).splitlines()[4:] == line.splitlines()
    assert "Computes" not in plan_text(jobs[:1])


def test_the_build_of_torch_is_read_without_loading_it():
    program = (
        "import sys, json; from samizdat.base import hardware\n"
        "found = hardware._torch_build(); hardware.computing_device('auto');"
        "assert 'torch' not in sys.modules; print(json.dumps(found))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [torch.__version__, torch.version.cuda]


@pytest.mark.skipif(torch.cuda.is_available(), reason="with a card that torch can use, nothing is unused")
def test_a_stage_logs_it_too(machine, caplog):
    machine(("NVIDIA H200",), None)
    with caplog.at_level(logging.WARNING, logger="samizdat"):
        prepare("cpu", threads=1, seed=1)
        assert not caplog.records
        prepare("auto", threads=1, seed=1)
    assert "this machine has an NVIDIA card" in caplog.text
