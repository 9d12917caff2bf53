"""Python runs this file when it starts: hand a stage, a program in a string or Snakemake over to the warm process.

`WARM_PYTHON` names its socket. In the fork, `WARM_PARENT` is the number of the process that made the call.

Only tests have this folder on their path; `support/warm_python.py` says why and how.
"""

import contextlib
import json
import os
import signal
import socket
import sys


def _called() -> tuple[str, list[str]] | None:
    """Return the module (`-c`: a program in a string) that was called and its arguments; None for any other program."""
    words = sys.orig_argv[1:]
    if words[:1] == ["-m"] and (words[1] == "snakemake" or words[1].startswith(("samizdat.", "support."))):
        return words[1], words[2:]
    if words[:1] == ["-c"] and "samizdat" in words[1]:
        return "-c", words[1:]
    if words and os.path.basename(words[0]) == "snakemake":  # noqa: PTH119 - pathlib costs a tenth of this start
        return "snakemake", words[1:]
    return None


def _hand_over(place: str, module: str, arguments: list[str]) -> None:
    """Let the warm process run the module with this process's files, and end as it ends; return if it can't."""
    if "SAMIZDAT_PARENT" in os.environ:
        import samizdat  # noqa: F401 - ends this process with its parent, as each step does first
    os.environ.pop("WARM_PARENT", None)  # of the caller's own start
    environment = {**os.environ, "WARM_PARENT": str(os.getppid())}
    call = {"module": module, "arguments": arguments, "environment": environment, "path": sys.path,
            "folder": os.getcwd(), "executable": sys.executable}  # fmt: skip  # noqa: PTH109
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(place)
        socket.send_fds(connection, [b"f"], [0, 1, 2])
        with connection.makefile("rw", encoding="utf-8") as line:
            line.write(json.dumps(call) + "\n")
            line.flush()
            process = int(line.readline())
            if not process:
                return
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, lambda number, _: _send(process, number))
            status = int(line.readline())
    if status < 0:
        if -status != signal.SIGKILL:  # which has no handler
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


def _send(process: int, number: int) -> None:
    """Send a signal to the fork, which may have ended."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


if (_place := os.environ.get("WARM_PYTHON")) and (_call := _called()):
    _hand_over(_place, *_call)
