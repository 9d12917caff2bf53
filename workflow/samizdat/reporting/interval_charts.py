"""Draw values with confidence intervals: as points, a panel for each classifier, and as lines."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes

from samizdat.reporting.style import MARKERS, PALETTE, Picture, drawing, legend_label, wrapped


@dataclass(frozen=True)
class Panel:
    """What one panel of a figure shows: names on its vertical axis, and for each series a value at each name."""

    heading: str
    names: Sequence[str]  # top to bottom
    series: Mapping[str, pd.DataFrame]  # words of the legend → rows with a name as index, and value, low, high


@contextmanager
def interval_panels(
    title: str,
    panels: Sequence[Panel],
    heights: Sequence[float],
    *,
    legend_inches: float,
    spread: float,
    name_characters: int,
    sharex: bool = False,
) -> Iterator[tuple[Picture, list[Axes]]]:
    """Draw panels below each other, points with horizontal intervals in each; a series has one colour and marker.

    Args:
        title: the finding.
        panels: top to bottom, all with the same series.
        heights: of the panels, in inches.
        legend_inches: room for the legend.
        spread: the part of the room between two names that the series of a name share, 0 to 1.
        name_characters: of a line of a name.
        sharex: whether the panels have one scale.
    """
    height = legend_inches + sum(heights)
    with drawing(title, height, rows=len(panels), height_ratios=heights, sharex=sharex) as (picture, axes):
        for axis, panel in zip(axes, panels, strict=True):
            for number, (words, rows) in enumerate(panel.series.items()):
                offset = (number - (len(panel.series) - 1) / 2) * spread / len(panel.series)
                axis.errorbar(
                    rows["value"],
                    [panel.names.index(name) + offset for name in rows.index],
                    xerr=_distances(rows["value"], rows["low"], rows["high"]),
                    fmt=MARKERS[number % len(MARKERS)],
                    color=PALETTE[number % len(PALETTE)],
                    markeredgecolor="white",
                    markeredgewidth=0.5,
                    elinewidth=1.3,
                    capsize=2,
                    label=legend_label(words, 40),
                )
            axis.set_yticks(range(len(panel.names)), [wrapped(name, name_characters, 2) for name in panel.names])
            axis.set_ylim(len(panel.names) - 0.4, -0.6)
            axis.set_title(wrapped(panel.heading, 60))
            axis.grid(visible=False, axis="y")
        yield picture, axes


def interval_line(
    axis: Axes, x: pd.Series, values: pd.Series, lows: pd.Series, highs: pd.Series, *,
    series: int, label: str, linestyle: str | tuple[int, tuple[int, ...]] = "-",
) -> None:  # fmt: skip
    """Draw points with vertical intervals, joined by a line; the number of a series is its colour and its marker."""
    axis.errorbar(
        x, values, yerr=_distances(values, lows, highs), color=PALETTE[series % len(PALETTE)],
        marker=MARKERS[series % len(MARKERS)], linestyle=linestyle, elinewidth=1.2, capsize=2, label=label,
    )  # fmt: skip


def _distances(values: pd.Series, lows: pd.Series, highs: pd.Series) -> list[pd.Series]:
    """Return how far the bounds of intervals are below and above their values; 0 where a bound is on the other side."""
    return [(values - lows).clip(lower=0), (highs - values).clip(lower=0)]
