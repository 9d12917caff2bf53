"""The frame of every stage: options from its signature, a log, a lock, a progress line, errors for people."""

import argparse
import contextlib
import ctypes
import errno
import inspect
import json
import logging
import os
import resource
import signal
import sys
import time
import traceback
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from samizdat.base.errors import UserError
from samizdat.base.files import locked, write_text
from samizdat.base.reuse import restored
from samizdat.base.wording import duration

log = logging.getLogger("samizdat")
_DISK_ERRORS = (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT)
# Of the processes that torchrun starts for one stage, the first holds the lock and speaks.
RANK = int(os.environ.get("RANK", "0"))


def run(stage: Callable[..., str | None], arguments: Sequence[str] | None = None) -> None:
    """Run a stage as a command-line program and exit with its status.

    Every parameter of `stage` becomes one required option, a dataclass parameter one option for each of its
    fields; there are no defaults, because the config is their only home. Strings and paths are taken as they
    stand, all other values are JSON (`null` for none). Three options belong to the frame: `--log` (a file),
    `--work` (the stage's private folder, outside all declared outputs) and `--title` (its name for people).
    A stage that has a parameter `work` is given that folder. What a stage returns is its one-line result.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m {inspect.getmodule(stage).__spec__.name}",
        description=inspect.getdoc(stage),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    hints = typing.get_type_hints(stage)
    hints.pop("return", None)
    for name, hint in hints.items():
        for option, kind in _options(name, hint):
            parser.add_argument(
                _flag(option), dest=option, required=True, type=_converter(kind), metavar=_metavar(kind)
            )
    parser.add_argument("--log", required=True, type=Path, metavar="FILE")
    parser.add_argument("--title", required=True, metavar="TEXT")
    if "work" not in hints:
        parser.add_argument("--work", required=True, type=Path, metavar="FOLDER")
    values = vars(parser.parse_args(arguments))
    log_path, title, work = values.pop("log"), values.pop("title"), values["work"]
    if RANK:
        log_path, title = log_path.with_suffix(f".{RANK}.log"), f"{title} (process {RANK})"
    call = {
        name: hint(**{field.name: values[field.name] for field in fields(hint)}) if is_dataclass(hint) else values[name]
        for name, hint in hints.items()
    }
    status = _run_guarded(stage, call, log_path, title, work)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    # Taking the three thousand modules behind torch apart in good order takes half a second a stage.
    os._exit(status)


def _run_guarded(stage: Callable[..., str | None], call: dict[str, Any], log_path: Path, title: str, work: Path) -> int:
    """Run the stage under its lock and log; return the exit status."""
    die_with_parent()
    started = time.monotonic()
    try:
        _open_log(log_path)
        with contextlib.nullcontext() if RANK else locked(work / "lock"):
            result = stage(**call)
            if RANK:
                return 0
            seconds = time.monotonic() - started
            # ru_maxrss is in KiB on Linux and in bytes on macOS.
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
            usage = {"title": title, "elapsed_seconds": round(seconds, 2), "peak_memory_bytes": peak}
            usage["computing_seconds"] = _computing_seconds(work) if work in restored else usage["elapsed_seconds"]
            write_text(work / "usage.json", json.dumps(usage) + "\n")
    except UserError as error:
        return _failed(title, str(error), log_path)
    except KeyboardInterrupt:
        return _failed(title, "interrupted; run the same command again to go on", log_path)
    except Exception as error:
        said = _disk_refuses(error)
        if said is None:
            return _crashed(title, log_path)
        remedy = "free some disk space or make the folder writable, then run the same command again"
        return _failed(title, f"{said}.\n  What to do: {remedy}", log_path)
    line = f"✓ {title} ({duration(seconds)})" + (f": {result}" if result else "")
    log.info(line)
    print(line, file=sys.stderr, flush=True)
    return 0


def _disk_refuses(error: Exception) -> str | None:
    """What a full or a read-only disk says through one library or another; None for any other error."""
    if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
        return f"{error.strerror}{f' ({error.filename})' if error.filename else ''}"
    # Not every library keeps the number: safetensors, tokenizers and SQLite have only words.
    words = [*(os.strerror(number) for number in _DISK_ERRORS), "database or disk is full", "readonly database"]
    return next((word for word in words if word in str(error)), None)


def _computing_seconds(work: Path) -> float | None:
    """How long the stage took when it last computed its result and did not only put it back."""
    try:
        return json.loads((work / "usage.json").read_text(encoding="utf-8")).get("computing_seconds")
    except (OSError, ValueError):
        return None


def _failed(title: str, message: str, log_path: Path) -> int:
    if os.environ.get("SAMIZDAT_TRACEBACK"):
        traceback.print_exc()
    log.error("%s: %s", title, message)
    print(f"✗ {title}: {message}\n  Log: {log_path}", file=sys.stderr, flush=True)
    return 1


def _crashed(title: str, log_path: Path) -> int:
    """A failure that nobody foresaw: the traceback goes to the log, its last line to the terminal."""
    log.error("%s", traceback.format_exc())
    last = traceback.format_exc(limit=0).strip().splitlines()[-1]
    return _failed(
        title, f"{last}\n  What to do: this is a bug; the log has the traceback, please report both", log_path
    )


def _options(name: str, hint: Any) -> list[tuple[str, Any]]:
    if not is_dataclass(hint):
        return [(name, hint)]
    hints = typing.get_type_hints(hint)
    return [(field.name, hints[field.name]) for field in fields(hint)]


def _flag(option: str) -> str:
    return "--" + option.replace("_", "-")


def _metavar(kind: Any) -> str:
    return {str: "TEXT", Path: "PATH"}.get(kind, f"JSON:{getattr(kind, '__name__', kind)}")


def _converter(kind: Any) -> Callable[[str], Any]:
    """How an option's text becomes a value of `kind`; argparse refuses a wrong one with the option's name."""
    if kind in (str, Path):
        return kind

    def convert(text: str) -> Any:
        allowed = typing.get_args(kind) if typing.get_origin(kind) in (types.UnionType, typing.Union) else (kind,)
        if text == "null" and type(None) in allowed:
            return None
        if any(text in typing.get_args(choice) for choice in allowed if typing.get_origin(choice) is typing.Literal):
            return text
        for plain in (str, Path):
            if plain in allowed:
                return plain(text)
        value = json.loads(text)
        for choice in allowed:
            origin = typing.get_origin(choice) or choice
            if origin is tuple and isinstance(value, list):
                return tuple(Path(item) if Path in typing.get_args(choice) else item for item in value)
            if origin is float and type(value) in (int, float):
                return float(value)
            if type(value) is origin:
                return value
        raise ValueError(text)

    convert.__name__ = _metavar(kind)
    return convert


def _open_log(path: Path) -> None:
    """Log to a file of the stage's own; the terminal stays free for the progress line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
    logging.captureWarnings(True)
    if "transformers" in sys.modules:
        # Its bars and tables about reading weights would run through our progress line.
        sys.modules["transformers"].utils.logging.disable_progress_bar()
        sys.modules["transformers"].utils.logging.set_verbosity_error()


def die_with_parent() -> None:
    """Ask Linux to end this process when Snakemake dies: no orphan may write into a successor's files."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def progress(title: str, total: int, unit: str, *, items: Iterable[Any] | None = None) -> tqdm:
    """A live line with rate and time left where stderr is a terminal, and nothing elsewhere.

    Use as `for item in progress(…, items=…)` or call `.update(n)` and `.set_postfix_str("loss 3.2")`.
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
