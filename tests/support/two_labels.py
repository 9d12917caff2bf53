"""A run of one classifier with two labels, whose statistics a test can set."""

from pathlib import Path
from typing import Any

import pandas as pd

from samizdat.reporting import Run
from support.run_fixture import make_run, sentences


def make_two_labels(folder: Path) -> Run:
    """Make a run in which a tenth of the texts is called good, and no sample."""
    run = Run(make_run(folder, texts=sentences(60), labels={"mood": ("good", "bad")}))
    both = [("texts", "all", None, 0.1), ("samples", "model", "gpt2-tiny", 0.0), ("texts", "group", "letter", 0.4)]
    both += [("texts", "group", "poem", 0.1)]
    shares = [
        [subset, kind, group, one, round(share * 60), share, share - 0.05, share + 0.05]
        for subset, kind, group, good in both
        for one, share in (("good", good), ("bad", 1 - good))
    ]
    columns = ["subset", "group_kind", "group", "label", "count", "share", "low", "high"]
    vars(run)["shares"] = pd.DataFrame(shares, columns=columns).assign(classifier="mood")
    return run


def divergence(**changes: Any) -> dict[str, Any]:
    """A row of `DIVERGENCES` in which chance explains the difference, with some values changed."""
    row = {
        "classifier": "mood", "model": "gpt2-tiny", "percent": 100, "temperature": None, "begun_with": "nothing",
        "samples": 50, "texts": 100, "observed_bits": 0.03, "jensen_shannon_bits": 0.02, "low": 0.01, "high": 0.03,
        "chance_bits": 0.05, "p_value": 0.3, "p_since_first": 1.0,
        "seeds_low": None, "seeds_high": None,
    }  # fmt: skip
    return row | changes
