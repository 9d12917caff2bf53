"""Snakemake's output at the terminal, without its messages about its own progress."""

import logging
import re

# Messages that Snakemake's option `quiet` can't switch off. Warnings, errors and "Nothing to be done" are kept.
_OWN_PROGRESS = re.compile(
    "Config file .* is extended|Assuming unrestricted|Building DAG|Using shell|Select jobs|Execute [0-9]+ jobs"
    r"|Complete log\(s\)",
)


def quieten_snakemake() -> None:
    """Hide Snakemake's messages about its own progress; each stage prints a line of its own."""
    for handler in logging.getLogger("snakemake.logging").handlers:
        handler.addFilter(_is_shown)


def _is_shown(record: logging.LogRecord) -> bool:
    return record.levelno > logging.INFO or not _OWN_PROGRESS.match(record.getMessage())
