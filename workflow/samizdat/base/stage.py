"""The frame of every stage: a command line, a log, a lock, a progress line, and errors for people."""

import argparse
import contextlib
import inspect
import json
import logging
import os
import platform
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from samizdat.base.errors import UserError, disk_problem
from samizdat.base.escaping import visible
from samizdat.base.files import checked_bytes, locked, write_text
from samizdat.base.hardware import processor_name
from samizdat.base.parent import MEMORY_REMEDY, die_with_parent, ran_out_of_memory
from samizdat.base.reuse import restored
from samizdat.base.stage_arguments import add_options, arguments_for, parameters_of
from samizdat.base.wording import duration

log = logging.getLogger("samizdat")
# The number of this process among those that share one stage. Only process 0 holds the lock and prints.
RANK = int(os.environ.get("RANK", "0"))


def run(stage: Callable[..., str | None], arguments: Sequence[str] | None = None) -> None:
    """Run a stage as a command-line program, and exit with its status.

    Each parameter of `stage` is one required option; a parameter that is a dataclass gives one option for each of
    its fields. There are no default values, because only the config has them. Strings and paths are given as plain
    text, all other values as JSON (`null` for None). Three more options are for the frame: `--log` (a file),
    `--work` (the stage's private folder, outside the outputs that its rule declares) and `--title` (its name for
    people). A stage with a parameter `work` is given that folder. The text that a stage returns is printed as its
    result, on one line.
    """
    module = inspect.getmodule(stage)
    spec = module and module.__spec__
    parser = argparse.ArgumentParser(
        prog=f"python -m {spec.name}" if spec else None,
        description=inspect.getdoc(stage),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parameters = parameters_of(stage)
    add_options(parser, parameters)
    parser.add_argument("--log", required=True, type=Path, metavar="FILE")
    parser.add_argument("--title", required=True, metavar="TEXT")
    if "work" not in parameters:
        parser.add_argument("--work", required=True, type=Path, metavar="FOLDER")
    values = vars(parser.parse_args(arguments))
    log_path, title, work = values.pop("log"), values.pop("title"), values["work"]
    if RANK:
        log_path, title = log_path.with_suffix(f".{RANK}.log"), f"{title} (process {RANK})"
    status = _run_guarded(stage, arguments_for(parameters, values), log_path, title, work)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # Skips Python's own end: unloading the three thousand modules behind torch takes half a second in each stage.
    os._exit(status)


def _run_guarded(stage: Callable[..., str | None], call: dict[str, Any], log_path: Path, title: str, work: Path) -> int:
    """Run the stage with its lock and its log; return the exit status."""
    die_with_parent()
    started = time.monotonic()
    try:
        with contextlib.nullcontext() if RANK else locked(work / "lock"):
            _open_log(log_path)  # not before: it may be the log of the process that holds the lock
            result = stage(**call)
            if RANK:
                return 0
            seconds = time.monotonic() - started
            # Of this process or the largest that it started, as the notebook's kernel; in KiB, on macOS in bytes.
            each = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
            peak = max(each) * (1 if sys.platform == "darwin" else 1024)
            usage = {"title": title, "elapsed_seconds": round(seconds, 2), "peak_memory_bytes": peak}
            usage |= _machine()
            usage["computing_seconds"] = _computing_seconds(work) if work in restored else usage["elapsed_seconds"]
            write_text(work / "usage.json", json.dumps(usage) + "\n")
    except UserError as error:
        return _failed(title, str(error), log_path)
    except KeyboardInterrupt:
        return _failed(title, "interrupted; run the same command again to continue", log_path)
    except Exception as error:
        if ran_out_of_memory(error):
            log.error("%s", traceback.format_exc())
            said = f"too little memory ({type(error).__name__}: {error})"
            return _failed(title, str(UserError(said, remedy=MEMORY_REMEDY)), log_path)
        problem = disk_problem(error)
        return _failed(title, str(problem), log_path) if problem else _crashed(title, log_path)
    line = f"✓ {title} ({duration(seconds)})" + (f": {result}" if result else "")
    log.info(line)
    _say(line)
    return 0


def _machine() -> dict[str, str | None]:
    """Say where the stage ran: host, processor, GPU if one was used, and the number of the cluster's job."""
    torch = sys.modules.get("torch")
    gpu = torch.cuda.get_device_name() if torch and torch.cuda.is_initialized() else None
    job = next((os.environ[name] for name in ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID") if name in os.environ), None)
    return {"host": platform.node(), "processor": processor_name(), "gpu": gpu, "cluster_job": job}


def _computing_seconds(work: Path) -> float | None:
    """Read how long the stage took when it last computed its result instead of copying it back."""
    try:
        usage: dict[str, float | None] = json.loads(checked_bytes(work / "usage.json"))
    except (OSError, ValueError, UserError):
        return None
    return usage.get("computing_seconds")


def _failed(title: str, message: str, log_path: Path) -> int:
    if os.environ.get("SAMIZDAT_TRACEBACK"):
        traceback.print_exc()
    if logging.getLogger().handlers:
        log.error("%s: %s", title, message)
    _say(f"✗ {title}: {message}\n  Log: {log_path}")
    return 1


def _crashed(title: str, log_path: Path) -> int:
    """Report an unexpected error: the traceback goes to the log, its last line to the terminal."""
    log.error("%s", traceback.format_exc())
    last = traceback.format_exc(limit=0).strip().splitlines()[-1]
    remedy = "this is a bug; please report it with the traceback, which is in the log"
    return _failed(title, f"{last}\n  What to do: {remedy}", log_path)


def _open_log(path: Path) -> None:
    """Write the log to a file of the stage; the terminal is for the progress line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, mode="w", encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.captureWarnings(True)
    if "transformers" in sys.modules:
        # Its progress bars and tables about weights would break our progress line.
        sys.modules["transformers"].utils.logging.disable_progress_bar()
        sys.modules["transformers"].utils.logging.set_verbosity_error()


def announce(message: str) -> None:
    """Say at the terminal what comes next, and log it."""
    log.info("%s", message)
    if not RANK:
        _say(f"· {message}")


def tell(message: str) -> None:
    """Say something at the terminal that is no error, and log it."""
    log.warning("%s", message)
    if not RANK:
        _say(f"! {message}")


def _say(line: str) -> None:
    """Print a line for people; it may have words of somebody's texts, which must not control the terminal."""
    # At a terminal, over the progress line of this process or of another one.
    begin = "\r\x1b[K" if sys.stderr.isatty() and os.environ.get("TERM") != "dumb" else ""
    print(f"{begin}{visible(line)}", file=sys.stderr, flush=True)


def progress(title: str, total: int, unit: str, *, items: Iterable[Any] | None = None) -> "tqdm[Any]":
    """Show a progress line with rate and time left if stderr is a terminal, else nothing.

    Use it as `for item in progress(…, items=…)`, or call `.update(n)` and `.set_postfix_str("loss 3.2")`.
    """
    return tqdm(
        items,
        desc=title,
        total=total,
        unit=f" {unit}",
        unit_scale=True,
        disable=True if RANK else None,
        leave=False,
        mininterval=0.5,
    )
