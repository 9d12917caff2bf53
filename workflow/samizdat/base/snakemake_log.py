"""What Snakemake says at the terminal: what matters, and no more."""

import logging
import re

# Snakemake's `quiet` has no word for these. Warnings, errors and "Nothing to be done" stay.
_CHATTER = re.compile(
    "Config file .* is extended|Assuming unrestricted|Building DAG|Using shell|Select jobs|Execute [0-9]+ jobs"
    r"|Complete log\(s\)",
)


def quieten_snakemake() -> None:
    """Drop Snakemake's remarks about its own progress; each stage has a line of its own."""
    for handler in logging.getLogger("snakemake.logging").handlers:
        handler.addFilter(_matters)


def _matters(record: logging.LogRecord) -> bool:
    return record.levelno > logging.INFO or not _CHATTER.match(record.getMessage())
