"""Draw how long the texts of the corpus are, by group."""

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter, Locator, LogLocator, MaxNLocator, NullLocator

from samizdat.base.language import plural, say
from samizdat.reporting.corpus import ALL, UNGROUPED
from samizdat.reporting.largest_groups import SHOWN_GROUPS, finding_of_largest
from samizdat.reporting.run import Run
from samizdat.reporting.style import INK, PALETTE, Picture, drawing, wrapped
from samizdat.reporting.words import count, drawn, is_null

# Medians that differ by less than this factor are called about equal.
ALIKE = 1.2
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def lengths(run: Run) -> Picture:
    """Draw the lengths of texts as a box for each group."""
    groups, characters = run.texts["group"], run.texts["characters"]
    sizes = groups.value_counts(dropna=False)
    largest = sizes.index[:SHOWN_GROUPS]
    ungrouped = say(UNGROUPED if groups.notna().any() else ALL)
    found = [
        (ungrouped, characters[groups.isna()]) if is_null(group) else (group, characters[groups == group])
        for group in largest
    ]
    found.sort(key=lambda one: one[0])
    quantiles = pd.DataFrame(
        [np.quantile(lengths, QUANTILES) for _, lengths in found], [heading for heading, _ in found], QUANTILES
    )
    quantiles = quantiles.iloc[np.argsort(quantiles[0.5], kind="stable")]
    title = finding_of_largest(_length_finding(quantiles[0.5]), len(largest), len(sizes))
    with drawing(title, 0.75 + 0.3 * len(quantiles)) as (picture, [axis]):
        names = ("whislo", "q1", "med", "q3", "whishi")
        axis.bxp(
            [dict(zip(names, row, strict=True)) for row in quantiles.to_numpy()], positions=range(len(quantiles)),
            orientation="horizontal", showfliers=False, patch_artist=True, widths=0.55,
            boxprops={"facecolor": PALETTE[0], "alpha": 0.55}, medianprops={"linewidth": 2.2, "color": INK},
        )  # fmt: skip
        axis.set_xscale("log")
        axis.xaxis.set_major_locator(_ticks(quantiles.to_numpy()))
        axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value)))
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_yticks(range(len(quantiles)), [wrapped(group, 24, 2) for group in quantiles.index])
        axis.grid(visible=False, axis="y")
        axis.set_xlabel(say("length of a text, characters (logarithmic)"))
        boxes = "; ".join(
            f"{drawn(str(group))} {count(row[0.5])} ({_from_to(row[0.25], row[0.75])})"
            for group, row in quantiles.iterrows()
        )
        kind = say("Boxes on a logarithmic scale; medians with the middle half: {boxes} characters.", boxes=boxes)
        picture.alternative_text = f"{title}. {kind}"
    return picture


def _ticks(lengths: np.ndarray) -> Locator:
    """Choose ticks for a logarithmic axis: between lengths that are near each other, 1, 2, 5, 10, … are too few."""
    near = lengths.max() < 10 * lengths.min()
    return MaxNLocator(5, steps=[1, 2, 5, 10], integer=True) if near else LogLocator(subs=(1, 2, 5))


def _from_to(low: float, high: float) -> str:
    return say("{low} to {high}", low=count(low), high=count(high))


def _length_finding(medians: pd.Series) -> str:
    """Say as a title which groups have the shortest and the longest texts; `medians` are in rising order."""
    short, long = medians.iloc[0], medians.iloc[-1]
    if len(medians) == 1:
        return plural(
            "Half of the texts have up to {count}\u00a0character",
            "Half of the texts have up to {count}\u00a0characters",
            short,
        )
    values = {"low": count(short), "high": count(long)}
    if long < ALIKE * short:
        return say("The groups’ texts are about equally long: medians of {low} to {high} characters", **values)
    return say(
        "Shortest are the texts of “{shortest}” (median {low} characters), longest those of “{longest}” ({high})",
        shortest=drawn(medians.index[0]),
        longest=drawn(medians.index[-1]),
        **values,
    )
