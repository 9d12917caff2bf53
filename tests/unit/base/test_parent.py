"""A step ends with the process that started it, also when that is gone before the step begins; memory is named."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from samizdat.base.parent import ran_out_of_memory

WORKFLOW = Path(__file__).parents[3] / "workflow"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(WORKFLOW)}


def test_a_step_whose_parent_is_gone_ends_before_it_imports_anything():
    program = "import samizdat; print('began')"
    for parent, said in ((os.getpid(), "began\n"), (1, "")):
        environment = ENVIRONMENT | {"SAMIZDAT_PARENT": str(parent)}
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
        assert (done.stdout, done.returncode) == (said, 0 if said else 1)


def test_a_program_that_a_step_starts_is_no_step():
    program = "import os, samizdat; print(os.environ.get('SAMIZDAT_PARENT'))"
    environment = ENVIRONMENT | {"SAMIZDAT_PARENT": str(os.getpid())}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.stdout == "None\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_step_ends_with_its_parent_while_it_still_imports(tmp_path):
    """The parent is killed as soon as the step has begun; the step would take a minute to import its modules."""
    (tmp_path / "step.py").write_text(
        "import os, samizdat\nprint(os.getpid(), flush=True)\nimport time\ntime.sleep(60)\n", encoding="utf-8"
    )
    starter = (
        "import os, subprocess, sys\n"
        "subprocess.run([sys.executable, 'step.py'], env=os.environ | {'SAMIZDAT_PARENT': str(os.getpid())})\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", starter], cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    ) as parent:
        step = Path("/proc", parent.stdout.readline().strip())
        parent.kill()
    deadline = time.monotonic() + 30
    while (
        step.exists()
        and "Z" not in (step / "stat").read_text(encoding="utf-8").split()[2]
        and time.monotonic() < deadline
    ):
        time.sleep(0.01)
    assert time.monotonic() < deadline


def test_errors_about_memory_are_recognised():
    for error in (
        MemoryError(),
        ImportError("libtorch.so: failed to map segment from shared object"),
        OSError(12, "Cannot allocate memory"),
        torch.OutOfMemoryError("Tried to allocate 2.00 GiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 17 GB)"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ):
        assert ran_out_of_memory(error)
    assert not ran_out_of_memory(ValueError("no such key")) and not ran_out_of_memory(None)


@pytest.mark.skipif(sys.platform != "linux", reason="a limit on the address space")
def test_a_step_that_gets_no_memory_says_so(tmp_path):
    """At the top of a module, where libraries are imported, and inside of a stage."""
    (tmp_path / "top.py").write_text("import samizdat\nbytearray(10**12)\n", encoding="utf-8")
    (tmp_path / "inside.py").write_text(
        "from pathlib import Path\nfrom samizdat.base import stage\n"
        "def work_hard(work: Path) -> None:\n    bytearray(10**12)\nstage.run(work_hard)\n",
        encoding="utf-8",
    )
    options = "--work=work --log=log.txt --title=step"
    environment = ENVIRONMENT | {"SAMIZDAT_PARENT": str(os.getpid())}
    for program in ("top.py", "inside.py"):
        done = subprocess.run(
            ["bash", "-c", f"ulimit -v 2000000; exec {sys.executable} {program} {options}"],
            cwd=tmp_path, env=environment, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 1 and "too little memory" in done.stderr and "ulimit -v" in done.stderr, done.stderr
        assert "Traceback" not in done.stderr and "this is a bug" not in done.stderr
