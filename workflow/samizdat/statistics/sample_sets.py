"""The sets of samples and of texts that statistics are computed of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from samizdat.records.samples import begun_with_nothing, begun_with_prompts
from samizdat.statistics.tables import Row


@dataclass(frozen=True)
class SampleSet:
    """Samples of one model at one point of its training, that began with nothing or with prompts."""

    model: str
    percent: int  # of training
    temperature: float | None  # None: samples of all temperatures
    begun_with: str  # "nothing" or "prompts"
    samples: pd.DataFrame

    @property
    def names(self) -> Row:
        """The columns of a table that tell sets from one another."""
        return {
            "model": self.model,
            "percent": self.percent,
            "temperature": self.temperature,
            "begun_with": self.begun_with,
        }


def sample_sets(samples: pd.DataFrame) -> Iterator[SampleSet]:
    """Cut samples into sets: by beginning, model and percent, each at all temperatures and then at each of them."""
    for begun_with, part in (("nothing", begun_with_nothing(samples)), ("prompts", begun_with_prompts(samples))):
        for (model, percent), rows in _groups(part, ["model", "percent"]):
            yield SampleSet(model, int(percent), None, begun_with, rows)
            for temperature, some in _groups(rows, "temperature"):
                # In the table a temperature is float32: 0.7 is 0.699999988.
                yield SampleSet(model, int(percent), float(f"{temperature:g}"), begun_with, some)


def label_share_sets(texts: pd.DataFrame, samples: pd.DataFrame) -> Iterator[tuple[str, str, str | None, pd.DataFrame]]:
    """Cut texts and samples into the sets whose label shares are reported; empty sets are left out.

    Yields:
        `subset`, `group_kind` and `group` as in `records.statistics.LABEL_SHARES`, and the rows.
    """
    if len(texts):
        yield "texts", "all", None, texts
    for group, part in _groups(texts, "group"):
        yield "texts", "group", group, part
    published = begun_with_nothing(samples)
    if len(published):
        yield "samples", "all", None, published
    for kind, part in (("model", published), ("temperature", published), ("percent", begun_with_prompts(samples))):
        for group, rows in _groups(part, kind):
            yield "samples", kind, f"{group:g}" if kind == "temperature" else str(group), rows


def _groups(frame: pd.DataFrame, by: str | list[str]) -> Iterator[tuple[Any, pd.DataFrame]]:
    """Group rows by equal values, which come with them; without a type, as pandas can't know it."""
    yield from frame.groupby(by)
