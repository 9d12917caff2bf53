"""The report's texts, tables and figures: each function takes a run and returns Markdown or a picture.

Imports `base`, `records` and `measures`, and no torch.
"""

from samizdat.reporting import (
    agreement,
    classifiers,
    copy_lengths,
    corpus,
    few_shot,
    fitness,
    heads,
    held_out_loss,
    human_agreement,
    inside,
    label_comparison,
    labels_together,
    numbers,
    positions,
    provenance,
    raters,
    sample_quality,
    samples,
    several_labels,
    summary,
    terms,
    training,
    trust,
)
from samizdat.reporting.run import Run, open_run

__all__ = [
    "Run",
    "agreement",
    "classifiers",
    "copy_lengths",
    "corpus",
    "few_shot",
    "fitness",
    "heads",
    "held_out_loss",
    "human_agreement",
    "inside",
    "label_comparison",
    "labels_together",
    "numbers",
    "open_run",
    "positions",
    "provenance",
    "raters",
    "sample_quality",
    "samples",
    "several_labels",
    "summary",
    "terms",
    "training",
    "trust",
]
