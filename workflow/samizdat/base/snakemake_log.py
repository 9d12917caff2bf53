"""Snakemake's output at the terminal: without its own progress and repetitions, with a word on kills and refusals."""

import logging
import os
import re
import sys
from typing import NoReturn

from samizdat.base.errors import UserError
from samizdat.base.parent import MEMORY_REMEDY

# Messages that Snakemake's option `quiet` can't switch off. Warnings, errors and "Nothing to be done" are kept.
_OWN_PROGRESS = re.compile(
    "Config file .* is extended|Assuming unrestricted|Building DAG|Using shell|Select jobs|Execute [0-9]+ jobs"
    r"|Complete log\(s\)",
)
# What Snakemake adds where a stage has said by itself what is wrong: its whole command, and the same once more.
_SAID_BEFORE = re.compile(
    r"RuleException:\nCalledProcessError in file .* returned non-zero exit status 1\.$"
    r"|WorkflowError:\nAt least one job did not complete successfully\.$",
    re.DOTALL,
)
# The variable that tells a Snakemake which other program starts it and says what to do where it is refused.
ONLY_WHY = "SAMIZDAT_ONLY_WHY"
_KILLED = re.compile(r"died with <Signals\.(SIGKILL|SIGSEGV|SIGABRT|SIGBUS)")


def quieten_snakemake() -> None:
    """Hide Snakemake's messages about its own progress, and its command where a stage failed: stages speak themselves.

    A step that the system kills can say nothing; so it is said here what that mostly means.
    """
    logger = logging.getLogger("snakemake.logging")
    for handler in logger.handlers:
        handler.addFilter(_is_shown)
    logger.addFilter(_tell_of_kill)


def refuse(error: UserError) -> NoReturn:
    """Print why there is no run, and end Snakemake.

    To any other exception Snakemake adds its kind and places in the code, where the user can mend nothing.

    Raises:
        SystemExit: always, with the status 1.
    """
    from samizdat.base.escaping import visible

    said = f"{error.what}." if ONLY_WHY in os.environ else str(error)
    print(f"✗ {visible(said)}", file=sys.stderr, flush=True)
    raise SystemExit(1)


def _is_shown(record: logging.LogRecord) -> bool:
    hidden = _SAID_BEFORE if record.levelno > logging.INFO else _OWN_PROGRESS
    return not hidden.match(record.getMessage())


def _tell_of_kill(record: logging.LogRecord) -> bool:
    """Say what it means if a message is about a step that a signal ended; every message is let through."""
    killed = _KILLED.search(record.getMessage()) if record.levelno >= logging.ERROR else None
    if killed:
        said = "as the system does when memory runs out" if killed[1] == "SIGKILL" else "maybe because memory ran out"
        print(f"✗ a step was ended by {killed[1]}, {said}.\n  What to do: {MEMORY_REMEDY}", file=sys.stderr, flush=True)
    return True
