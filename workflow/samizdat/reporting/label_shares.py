"""Draw the label shares of several sets of texts or samples, classifier by classifier."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from samizdat.base.escaping import isolated
from samizdat.base.language import message, said_raw, say, with_signs
from samizdat.reporting.frames import parts_of, rows_of
from samizdat.reporting.interval_charts import Panel, interval_panels
from samizdat.reporting.largest_groups import SHOWN_LABELS, heading_of_frequent
from samizdat.reporting.outside import titled
from samizdat.reporting.run import Run
from samizdat.reporting.style import (
    HATCHES,
    PALETTE,
    WIDTH_INCHES,
    Picture,
    described,
    in_percent,
    legend_below,
    legend_columns,
    legend_label,
)
from samizdat.reporting.words import counted, drawn, is_null, percent, quotation


def shares_of_texts(run: Run) -> pd.DataFrame:
    """Return the label shares of all texts together."""
    return run.shares[(run.shares["subset"] == "texts") & (run.shares["group_kind"] == "all")]


def shares_of_samples(run: Run, kind: str) -> pd.DataFrame:
    """Return the label shares of samples grouped by `kind`: "model", "temperature" or "percent" of the training."""
    return run.shares[(run.shares["subset"] == "samples") & (run.shares["group_kind"] == kind)]


def most_frequent(run: Run, shares: pd.DataFrame, *, named: bool = True) -> str:
    """Say which label has the largest share of the texts, with the classifier's name or without.

    Texts that a classifier was trained on, or gave no label, are left out; where there are such, the number is said.
    """
    top = max(rows_of(shares[shares["label"].notna()]), key=lambda row: row["share"])
    most = max(rows_of(shares[shares["classifier"] == top["classifier"]]), key=lambda row: row["share"])
    texts = round(most["count"] / most["share"])
    of_all, of_some = (
        (
            message("{classifier} gives {label} to {share} of all texts"),
            message("{classifier} gives {label} to {share} of {texts}"),
        )
        if named
        else (message("It gives {label} to {share} of all texts"), message("It gives {label} to {share} of {texts}"))
    )
    return say(
        of_all if texts == run.corpus.texts else of_some,
        classifier=drawn(titled(run, top["classifier"])),
        label=quotation(drawn(top["label"])),
        share=percent(top["share"]),
        texts=counted(texts, "text", "texts"),
    )


def next_to_texts(texts: pd.DataFrame, samples: pd.DataFrame, words: str) -> dict[str, pd.DataFrame]:
    """Name the sets of a figure: all texts, and the samples of each group, which is a number, in rising order.

    Args:
        texts: label shares of all texts.
        samples: those of samples.
        words: a message that names the samples of a group; `{}` in it is the group.
    """
    groups = sorted(parts_of(samples, "group").items(), key=lambda item: float(item[0]))
    return {say("texts"): texts} | {said_raw(words).format(with_signs(group)): rows for group, rows in groups}


def draw_label_shares(
    run: Run,
    title: str,
    sets: Mapping[str, pd.DataFrame],
    classifiers: Sequence[str],
    *,
    kind: str,
    inches: tuple[float, float],
    spread: float = 0.65,
    xlabel: str | None = None,
    legend: bool = True,
) -> Picture:
    """Draw each label's share in each set, with intervals.

    Args:
        run: what the report is about.
        title: the finding.
        sets: words of the legend → rows of `LABEL_SHARES`.
        classifiers: a panel for each, top to bottom.
        kind: the kind of figure, for the alternative text.
        inches: height of a label, without and for each set.
        spread: the part of the room between two labels that the sets share.
        xlabel: what the shares are of; by default nothing is said of it.
        legend: whether to name the sets.
    """
    panels = [_panel(run, classifier, sets) for classifier in classifiers]
    heights = [0.5 + len(panel.names) * (inches[0] + inches[1] * len(sets)) for panel in panels]
    figure = interval_panels(title, panels, heights, legend_inches=0.4, spread=spread, name_characters=24)
    with figure as (picture, axes):
        for axis in axes:
            axis.set(xlabel=xlabel or say("share"))
            axis.set_xlim(left=0)
            axis.xaxis.set_major_formatter(in_percent())
        if legend:
            legend_below(picture, axes[0])
        parts = [
            f"{isolated(panel.heading)}, {drawn(words)}: {shares}"
            for panel in panels
            for words, rows in panel.series.items()
            if (shares := shares_in_words(panel.names, rows["value"]))
        ]
        picture.alternative_text = described(title, kind, parts)
    return picture


def shares_in_words(labels: Iterable[str], shares: Iterable[float]) -> str:
    """Write labels with their shares for an alternative text: good 52 %, bad 48 %; nothing for a share that is null."""
    known = [(label, share) for label, share in zip(labels, shares, strict=True) if not is_null(share)]
    return ", ".join(f"{drawn(label)} {percent(share)}" for label, share in known)


def stacked_bars(axis: Axes, names: Sequence[str], shares: np.ndarray, width_inches: float = WIDTH_INCHES) -> None:
    """Draw stacked bars, each label with its colour and hatch.

    Args:
        axis: where to draw.
        names: the labels.
        shares: of shape (label, bar).
        width_inches: of the picture.
    """
    left = np.zeros(shares.shape[1])
    narrow = WIDTH_INCHES / width_inches
    for series, (one, values) in enumerate(zip(names, shares, strict=True)):
        bars = axis.barh(
            range(len(values)), values, left=left, height=0.72, edgecolor="white", linewidth=0.8,
            color=sns.desaturate(PALETTE[series], 0.85), hatch=HATCHES[series], label=legend_label(one, 30),
        )  # fmt: skip
        axis.bar_label(
            bars, [percent(value) if value >= 0.06 * narrow else "" for value in values], label_type="center",
            fontsize=7.5, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85},
        )  # fmt: skip
        left += values
    axis.set_xlim(0, 1)
    axis.xaxis.set_major_formatter(in_percent())
    axis.grid(visible=False)
    columns = legend_columns(axis.get_legend_handles_labels()[1], 5, width_inches)
    axis.legend(ncols=columns, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)


def _panel(run: Run, classifier: str, sets: Mapping[str, pd.DataFrame]) -> Panel:
    """Show a classifier's labels with their share in each set; of many those that are most frequent in one of the sets.

    They are in the classifier's order.
    """
    own = {words: rows[rows["classifier"] == classifier] for words, rows in sets.items()}
    every = pd.concat(own.values()).groupby("label", sort=False)["share"].max()
    frequent = set(every.sort_values(ascending=False, kind="stable").index[:SHOWN_LABELS])
    labels = [str(one) for one in every.index if one in frequent]
    series = {
        words: rows.set_index("label").reindex(labels).rename(columns={"share": "value"}) for words, rows in own.items()
    }
    return Panel(heading_of_frequent(titled(run, classifier), len(labels), len(every)), labels, series)
