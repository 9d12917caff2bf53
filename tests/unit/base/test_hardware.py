"""Which device will compute, and what is said of an NVIDIA GPU that torch can't use."""

import json
import os
import subprocess
import sys

import pytest
import torch

from samizdat.base import hardware
from samizdat.runs.plan import Job, plan_text


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Make this a machine with or without an NVIDIA GPU, on which torch is of some build."""

    def make(gpus: tuple[str, ...] | None, cuda: str | None) -> None:
        listing = "".join(f"GPU {number}: {name} (UUID: GPU-{number})\n" for number, name in enumerate(gpus or ()))
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!{sys.executable}\nprint({listing!r}, end='')\nraise SystemExit({int(not listing)})\n")
        program.chmod(0o755)
        path = os.environ["PATH"] if gpus is None else f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
        which = hardware.shutil.which
        monkeypatch.setattr(
            hardware.shutil, "which", lambda name: which(name, path=path) if name != "nvidia-smi" else
            None if gpus is None else str(program),
        )  # fmt: skip
        monkeypatch.setenv("PATH", path)
        monkeypatch.setattr(hardware, "NVIDIA_DRIVER", tmp_path / "no-driver")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        monkeypatch.setattr(
            hardware, "_torch_build", lambda: ("2.13.0+cpu" if cuda is None else f"2.13.0+{cuda}", cuda)
        )
        monkeypatch.setattr(hardware, "processor_name", lambda: "AMD EPYC")
        monkeypatch.setattr(hardware.sys, "platform", "linux")

    return make


BUILD_FOR_CPUS = (
    "this machine has an NVIDIA GPU, but torch 2.13.0+cpu is a build for CPUs, so the CPU computes; to install a "
    "build that uses the GPU: rm -rf .venv && make .venv/ready"
)


def test_a_gpu_that_this_build_of_torch_cant_use_is_reported_with_the_remedy(machine, capsys):
    machine(("NVIDIA H200",), None)
    assert hardware.unused_gpu_warning() == BUILD_FOR_CPUS
    hardware.announce_unused_gpu("auto")
    assert capsys.readouterr().err == f"! {BUILD_FOR_CPUS}\n"
    hardware.announce_unused_gpu("cpu")  # as it was asked for
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("cuda", "build"), [("12.6", "2.13.0+12.6 (built with CUDA 12.6)"), (None, "2.13.0+cpu (a build for CPUs)")]
)
def test_where_no_driver_answers_nobody_is_told_of_a_gpu_or_to_install_another_torch(machine, cuda, build):
    """As on a machine without a GPU that has nvidia-smi: the first node of a cluster, or a notebook service."""
    machine((), cuda)
    said = hardware.unused_gpu_warning()
    assert f"NVIDIA's programs, but torch {build} reaches no GPU" in said and "rm -rf" not in said


@pytest.mark.parametrize(("there", "cuda"), [(None, None), (None, "12.6"), (("NVIDIA H200",), "12.6")])
def test_without_a_gpu_or_with_one_in_use_nothing_is_said(machine, capsys, there, cuda):
    machine(there, cuda)
    assert hardware.unused_gpu_warning() is None
    hardware.announce_unused_gpu("auto")
    assert capsys.readouterr().err == ""


def test_a_hidden_gpu_is_not_used(machine, monkeypatch):
    machine(("NVIDIA H200",), None)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert (
        hardware.unused_gpu_warning() is None and hardware.describe_device("auto") == "Computes on: the CPU, AMD EPYC."
    )


@pytest.mark.parametrize(
    ("there", "cuda", "requested", "line"),
    [
        (("NVIDIA H200",), None, "cuda", "Computes on: an NVIDIA GPU, which the installed torch does not reach."),
        (("NVIDIA H200",), "12.6", "auto", "Computes on: NVIDIA H200."),
        (("Tesla T4", "Tesla T4"), "12.6", "cuda", "Computes on: Tesla T4, Tesla T4."),
        (("NVIDIA H200",), "12.6", "cpu", "Computes on: the CPU, AMD EPYC."),
        (None, "12.6", "auto", "Computes on: the CPU, AMD EPYC."),
        (None, None, "auto", "Computes on: the CPU, AMD EPYC."),
        (None, None, "cuda", "Computes on: an NVIDIA GPU, which is not found on this machine."),
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
        "found = hardware._torch_build(); hardware.describe_device('auto');"
        "assert 'torch' not in sys.modules; print(json.dumps(found))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [torch.__version__, torch.version.cuda]


def test_code_compiled_for_one_processor_is_not_found_by_another(monkeypatch):
    def mark(**said):
        monkeypatch.setattr(hardware, "_said_of_processor", {name.replace("_", " "): said[name] for name in said}.get)
        return hardware.processor_mark()

    here = hardware.processor_mark()
    assert here == hardware.processor_mark() and here.isalnum()
    wide = mark(model_name="A", flags="avx2 avx512f")
    assert mark(model_name="A", flags="avx2 avx512f") == wide
    others = [mark(model_name="A", flags="avx2"), mark(model_name="B", flags="avx2 avx512f"),
              mark(model_name="A", Features="asimd"), mark(model_name="A", Features="asimd sve"), mark()]  # fmt: skip
    assert len({wide, *others}) == 6
