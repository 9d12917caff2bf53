"""What the report says, shows and draws: every function takes a run and gives Markdown or a picture."""

from samizdat.reporting import (
    agreement,
    classifiers,
    comparison,
    corpus,
    provenance,
    sample_quality,
    samples,
    summary,
    training,
    trust,
)
from samizdat.reporting.run import Run, open_run

__all__ = [
    "Run",
    "agreement",
    "classifiers",
    "comparison",
    "corpus",
    "open_run",
    "provenance",
    "sample_quality",
    "samples",
    "summary",
    "training",
    "trust",
]
