"""Draw how far samples are from texts in the course of training, by the labels that classifiers give them."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from samizdat.base.language import message, numeral, say
from samizdat.reporting import verdicts
from samizdat.reporting.frames import Row, parts_of, rows_of
from samizdat.reporting.interval_charts import interval_line
from samizdat.reporting.outside import titled
from samizdat.reporting.run import Run
from samizdat.reporting.style import (
    DASHES,
    FAINT,
    Picture,
    described,
    legend_below,
    legend_label,
    panels_in_pairs,
    wrapped,
)
from samizdat.reporting.words import drawn, exact_percent, is_null, joined


def draw_course(run: Run, rows: pd.DataFrame) -> Picture:
    """Draw the divergences of `rows`, of samples from texts at each checkpoint, with intervals."""
    title = _course_finding(run, rows)
    classifiers = parts_of(rows, "classifier")
    with panels_in_pairs(title, len(classifiers), 2.2, 0.5, sharey=True) as (picture, axes):
        for axis, (classifier, part) in zip(axes, classifiers.items(), strict=True):
            for series, (model, course) in enumerate(parts_of(part, "model").items()):
                _course(axis, course.sort_values("percent"), series, model)
            axis.set_title(wrapped(titled(run, classifier), 40))
            axis.set(xlabel=say("share of the training done, %"), xlim=(0, 105))
            # Where every text and sample has one label, all divergences are 0.
            axis.set_ylim(0, 1.05 * np.nanmax(rows[["observed_bits", "high", "chance_bits"]].to_numpy(float)) or 0.05)
        axes[0].set_ylabel(say("divergence from the texts, bits"))
        legend_below(picture, axes[0])
        kind = say(
            "Lines of the Jensen–Shannon divergence with {confidence} intervals; dotted is what chance explains",
            confidence=exact_percent(run.confidence),
        )
        picture.alternative_text = described(
            title,
            kind,
            [
                f"{drawn(titled(run, classifier))}, {drawn(model)}: "
                + ", ".join(
                    say("{bits} bits at {percent} %", bits=numeral(_best(row), ".3f"), percent=row["percent"])
                    for row in rows_of(course)
                )
                for classifier, part in classifiers.items()
                for model, course in parts_of(part, "model").items()
            ],
        )
    return picture


def _best(row: Row) -> float:
    """Return a divergence without what chance adds, or as it was observed where there are too few documents."""
    return float(row["observed_bits"] if is_null(row["jensen_shannon_bits"]) else row["jensen_shannon_bits"])


def _course_finding(run: Run, rows: pd.DataFrame) -> str:
    """Say as a title whether the samples end nearer to the texts than they began, where the test shows it."""
    moved = [(_by(run, last), nearer) for last, nearer in verdicts.moved(run)]
    nearer, away = (joined(by for by, is_nearer in moved if is_nearer == which) for which in (True, False))
    if not moved:
        return say("No classifier shows whether training moves the samples nearer to the texts")
    found = (
        message(
            "Training moves the samples nearer to the texts according to {nearer} and away from the texts according to "
            "{away}"
        )
        if nearer and away
        else message("Training moves the samples nearer to the texts according to {nearer}")
        if nearer
        else message("Training moves the samples away from the texts according to {away}")
    )
    all_told = len(moved) == len(rows.groupby(["classifier", "model"]))
    elsewhere = "" if all_told else say("; no other move can be distinguished from chance")
    return say(found, nearer=nearer, away=away) + elsewhere


def _by(run: Run, row: Row) -> str:
    """Name a classifier and, of several models, the one that it judges: another one may move the other way."""
    classifier = drawn(titled(run, row["classifier"]))
    return classifier if len(run.models) == 1 else f"{classifier} ({drawn(row['model'])})"


def _course(axis: Axes, part: pd.DataFrame, series: int, model: str) -> None:
    """Draw the divergences of one model's checkpoints, and what chance explains."""
    interval_line(
        axis, part["percent"], part["jensen_shannon_bits"].fillna(part["observed_bits"]), part["low"], part["high"],
        series=series, label=legend_label(model, 30), linestyle=DASHES[series % len(DASHES)],
    )  # fmt: skip
    axis.plot(
        part["percent"],
        part["chance_bits"],
        color=FAINT,
        linestyle=":",
        linewidth=1.1,
        label=say("what chance explains") if series == 0 else None,
    )
