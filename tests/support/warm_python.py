"""A Python that has imported the libraries: each stage that a test starts is a fork of it, and starts in no time.

Importing torch and transformers takes five seconds of a processor, and a run has nine steps that do. What is tested is
the same: the shell line, the arguments, the environment, the folder, the files and the package of the checkout, of
which nothing is imported before the fork. A step that a test kills in a run doesn't use it, nor does the run of `tiny`.

`variables` gives a process's environment a folder with `sitecustomize.py`, which Python runs when it starts. Where the
process is a stage, a module of `support`, a program in a string that imports samizdat, or Snakemake, it sends its call
here, and forwards signals; if it is killed, so is the fork.
"""

import atexit
import contextlib
import functools
import gc
import hashlib
import importlib
import json
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import types
from pathlib import Path

from filelock import FileLock

LIBRARIES = (
    "torch", "torch._dynamo", "torch.distributed.elastic.multiprocessing", "torch.distributed.launcher.api",
    "transformers.models.auto.modeling_auto", "transformers.models.bert.modeling_bert",
    "transformers.models.gpt2.modeling_gpt2", "tokenizers", "safetensors.torch", "pandas", "pyarrow.parquet",
    "scipy.stats", "scipy.sparse", "sklearn.metrics", "seaborn", "snakemake.cli", "snakemake.workflow", "nbclient",
    "jsonschema", "yaml",
)  # fmt: skip
# What may be another in each call: nothing of it is read when the libraries are imported.
OF_THE_CALL = {
    "PATH", "PYTHONPATH", "PYTHONSAFEPATH", "PWD", "OLDPWD", "SHLVL", "_", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER",
    "WARM_PYTHONS", "WARM_PYTHON", "WARM_PARENT", "TORCHINDUCTOR_CACHE_DIR", "CONFIG", "RUN",
    "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS",
    "SAMIZDAT_RECORDED_CORPUS", "TERM", "CUBLAS_WORKSPACE_CONFIG", "MKL_CBWR", "STOP_AT", "STOP_BY",
    # Of each of several processes of a training.
    "GROUP_RANK", "GROUP_WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "RANK",
    "ROLE_NAME", "ROLE_RANK", "ROLE_WORLD_SIZE", "TORCHELASTIC_ERROR_FILE", "TORCHELASTIC_MAX_RESTARTS",
    "TORCHELASTIC_RESTART_COUNT", "TORCHELASTIC_RUN_ID", "TORCHELASTIC_SIGNALS_TO_HANDLE",
    "TORCHELASTIC_USE_AGENT_STORE", "TORCH_NCCL_ASYNC_ERROR_HANDLING", "WORLD_SIZE",
}  # fmt: skip
# What a rule's shell line and Snakemake set for each stage. Snakemake itself doesn't read it.
OF_STAGES = {
    "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "TZ": "UTC", "TOKENIZERS_PARALLELISM": "true",
    **dict.fromkeys((f"{name}_NUM_THREADS" for name in ("OMP", "GOTO", "MKL", "NUMEXPR", "OPENBLAS")), "1"),
    "VECLIB_MAXIMUM_THREADS": "1", **dict.fromkeys(("TEMP", "TEMPDIR", "TMP", "TMPDIR"), tempfile.gettempdir()),
}  # fmt: skip
# What a process notes for itself: the address of a function in its own memory.
OF_A_PROCESS = "_TORCHINDUCTOR_PYOBJECT_TENSOR_DATA_PTR"
HERE = Path(__file__).parent


def inherited() -> dict[str, str]:
    """Return the environment of this process without what the user set for runs and for the Hub."""
    left_out = ("SAMIZDAT_", "HF_", OF_A_PROCESS)
    return {key: value for key, value in os.environ.items() if not key.startswith(left_out)}


def programs_environment() -> dict[str, str]:
    """Return the environment of a program that starts warm, and imports what this process does."""
    return variables(inherited() | {"PYTHONPATH": f"{HERE.parent}:{HERE.parents[1] / 'workflow'}"})


def variables(environment: dict[str, str]) -> dict[str, str]:
    """Return an environment whose stages are forks of a warm process; the same where there can be none."""
    if sys.platform != "linux":
        return environment
    place = _server(tuple(sorted(_imported(environment).items())))
    return environment | {"WARM_PYTHON": place, "PYTHONPATH": f"{HERE / 'warm'}:{environment['PYTHONPATH']}"}


def warm_what_verify_starts(root: Path) -> None:
    """Let a checkout's own code start warm, too: `verify` puts nothing on Python's path but a copy of its commit."""
    shutil.copy2(HERE / "warm" / "sitecustomize.py", root / "workflow")


def _imported(environment: dict[str, str]) -> dict[str, str]:
    """Return the variables that importing the libraries may read, apart from those that each stage has."""
    return {key: value for key, value in environment.items() if key not in OF_THE_CALL and key not in OF_STAGES}


def share() -> None:
    """Let this process and those that it starts have their warm processes in common; they end with this one.

    The standard input of each is a pipe that this process alone keeps open.
    """
    folder = tempfile.mkdtemp(prefix="warm-")
    os.mkfifo(f"{folder}/open")
    pipe = os.open(f"{folder}/open", os.O_RDWR)
    os.environ["WARM_PYTHONS"] = folder
    atexit.register(_end, pipe, folder, os.getpid())


def _end(pipe: int, folder: str, owner: int) -> None:
    if os.getpid() == owner:  # and no fork of it
        os.close(pipe)
        shutil.rmtree(folder)


@functools.cache
def _server(environment: tuple[tuple[str, str], ...]) -> str:
    """Start a warm process, once for each environment; return its socket."""
    if "WARM_PYTHONS" not in os.environ:
        share()
    folder = Path(os.environ["WARM_PYTHONS"])
    place = folder / hashlib.sha256(repr(environment).encode()).hexdigest()[:16]
    with FileLock(f"{place}.lock"):
        if not place.exists():
            command = [sys.executable, str(Path(__file__)), str(place)]
            of_process = {"PATH": os.environ["PATH"]} | dict(environment) | OF_STAGES
            with (folder / "open").open("rb") as pipe:
                process = subprocess.Popen(command, env=of_process, stdin=pipe, start_new_session=True)
            while not place.exists():
                assert process.poll() is None
                time.sleep(0.05)
    return str(place)


def serve(place: str) -> None:
    """Import the libraries, then fork for each call, until standard input is closed: also by the end of the tests."""
    for name in LIBRARIES:
        importlib.import_module(name)
    # A process with threads can't be forked safely; the allocator of pyarrow stops its own thread for a fork.
    threads = [(task / "comm").read_text(encoding="utf-8").strip() for task in Path("/proc/self/task").iterdir()]
    assert len([name for name in threads if name != "jemalloc_bg_thd"]) == 1, threads
    assert not [name for name in sys.modules if name.partition(".")[0] == "samizdat"]
    gc.collect()
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{place}.new")
        server.listen(64)
        Path(f"{place}.new").rename(place)
        while server in (ready := select.select([server, 0], [], [])[0]) or not ready:
            connection, _ = server.accept()
            with connection, contextlib.suppress(ChildProcessError):
                if os.fork() == 0:
                    server.close()
                    _answer(connection)
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass


def _answer(connection: socket.socket) -> None:
    """Run one call in a process of its own; tell its number, then its status; end it with who called."""
    _, files, _, _ = socket.recv_fds(connection, 1, 3)
    lines = connection.makefile("rw", encoding="utf-8")
    call = json.loads(lines.readline())
    wanted = _imported(call["environment"]) if call["module"] == "snakemake" else call["environment"]
    if {key: value for key, value in wanted.items() if os.environ.get(key) != value}.keys() - OF_THE_CALL:
        lines.write("0\n")
        lines.flush()
        os._exit(0)
    process = os.fork()
    if process == 0:
        connection.close()
        _become(call, files)
    with contextlib.suppress(BrokenPipeError):
        lines.write(f"{process}\n")
        lines.flush()
    child = os.pidfd_open(process)
    if child not in select.select([child, connection], [], [])[0]:
        os.kill(process, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    with contextlib.suppress(BrokenPipeError):
        lines.write(f"{status}\n")
        lines.flush()
    os._exit(0)


def _become(call: dict, files: list[int]) -> None:
    """Be the process that was called."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        old = getattr(sys, name)  # knows of the warm process's file whether it can seek
        lines = 1 if name == "stderr" else -1
        new = open(number, mode, lines, encoding=old.encoding, errors=old.errors, closefd=False)  # noqa: SIM115
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)
    os.chdir(call["folder"])
    os.environ.clear()
    os.environ.update(call["environment"])
    time.tzset()
    sys.path[:] = [call["folder"], *call["path"]]
    sys.executable = call["executable"]
    in_string = call["module"] == "-c"
    sys.argv = call["arguments"][:] if in_string else ["", *call["arguments"]]
    sys.orig_argv = [call["executable"], *([] if in_string else ["-m"]), call["module"], *call["arguments"]]
    status = 1
    try:
        if in_string:
            program, sys.argv[0] = sys.argv[0], "-c"
            sys.modules["__main__"] = types.ModuleType("__main__")
            exec(program, vars(sys.modules["__main__"]))
        else:
            runpy.run_module(call["module"], run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        status = int(bool(end.code)) if end.code is None or isinstance(end.code, str) else int(end.code)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    serve(sys.argv[1])
