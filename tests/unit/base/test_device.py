"""The device: its number format, and an error with a remedy when its memory is full."""

import logging
import os
import re
from pathlib import Path

import pytest
import torch
from torch.overrides import TorchFunctionMode

from samizdat.base import device, hardware
from samizdat.base.device import Device, enough_memory, prepare
from samizdat.base.errors import UserError

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
def test_a_gpu_is_fastest_in_the_format_of_its_tensor_cores(monkeypatch, bfloat16, capability, expected):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: bfloat16)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    assert device._fastest_on_gpu() == expected


def test_float32_is_never_tf32(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    torch.set_float32_matmul_precision("high")
    prepare("cpu", threads=1, seed=1)
    assert torch.get_float32_matmul_precision() == "highest" and not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cudnn.allow_tf32


@pytest.mark.skipif(torch.cuda.is_available(), reason="with a GPU that torch can use, nothing is unused")
def test_a_stage_logs_that_a_gpu_is_not_used(monkeypatch, caplog):
    monkeypatch.setattr(hardware, "has_nvidia_gpu", lambda: True)
    with caplog.at_level(logging.WARNING, logger="samizdat"):
        prepare("cpu", threads=1, seed=1)
        assert not caplog.records
        prepare("auto", threads=1, seed=1)
    assert "reaches no GPU, so the CPU computes" in caplog.text


class Calls(TorchFunctionMode):
    """Notes each function of PyTorch's that is called on one number of one number format."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if len(args) == 1 and isinstance(args[0], torch.Tensor) and args[0].numel() == 1:
            self.seen.add((function.__name__, args[0].dtype))
        return function(*args, **(kwargs or {}))


def test_mkl_has_chosen_its_code_before_two_threads_ask_for_it():
    """Two threads that call one of its functions first, at once, may get other bits; too seldom to test it here."""
    header = Path(torch.__file__).parent / "include" / "ATen" / "cpu" / "vml.h"
    functions = re.findall(r"^IMPLEMENT_VML_MKL\((\w+), \w+\)$", header.read_text(encoding="utf-8"), re.MULTILINE)
    assert {"exp", "log", "tanh"} < set(functions)
    with Calls() as calls:
        prepare("cpu", threads=1, seed=1)
    assert {(name, dtype) for name in functions for dtype in (torch.float32, torch.float64)} <= calls.seen


def test_onednn_is_asked_to_keep_less_code_before_it_starts(monkeypatch):
    monkeypatch.delenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", raising=False)
    prepare("cpu", threads=1, seed=1)
    assert os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "256"
    monkeypatch.setenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "20")  # the user's own
    prepare("cpu", threads=1, seed=1)
    assert os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "20"
