"""What the report says, shows and draws: every function takes a run and gives Markdown or a picture."""

from samizdat.reporting import (
    classifiers,
    comparison,
    corpus,
    making,
    quality,
    samples,
    summary,
    training,
    trust,
    writing,
)
from samizdat.reporting.run import Run, open_run

__all__ = [
    "Run",
    "classifiers",
    "comparison",
    "corpus",
    "making",
    "open_run",
    "quality",
    "samples",
    "summary",
    "training",
    "trust",
    "writing",
]
