"""The classifiers: what they are, and what they say of the texts."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from samizdat.base.escaping import escape
from samizdat.reporting.run import Run
from samizdat.reporting.style import Picture, drawing, in_percent, interval_points, legend_below, wrapped
from samizdat.reporting.words import Prose, Table, count, counted, drawn, name, percent, table

NONE_APPLIED = "No classifier was applied in this run (`classifiers` in the config is empty)."
SHOWN_GROUPS = 6


def cards(run: Run) -> Table | Prose:
    """What each classifier predicts, was made for, and comes from."""
    rows = [
        [
            name(card.name),
            escape(card.predicts),
            escape(card.made_for),
            escape(card.reference),
            escape(card.origin) + (f" on {counted(card.training_texts, 'text')}" if card.training_texts else ""),
        ]
        for card in run.cards.values()
    ]
    return (
        table(rows, ["Classifier", "Predicts", "Made for", "Published in", "Comes from"])
        if rows
        else Prose(NONE_APPLIED)
    )


def shares_by_group(run: Run) -> Picture | Prose:
    """Each classifier's label shares in each group of texts, with intervals."""
    shares = run.shares[run.shares["subset"] == "texts"]
    if shares.empty:
        return Prose(NONE_APPLIED)
    of_groups = shares[shares["group_kind"] == "group"]
    ordered = [group for group in run.texts["group"].value_counts().index if group in set(of_groups["group"])]
    groups = ordered[:SHOWN_GROUPS]
    largest = f" (the {SHOWN_GROUPS} largest of {count(len(ordered))} groups)" if len(ordered) > SHOWN_GROUPS else ""
    overall = shares[shares["group_kind"] == "all"]
    top = overall.loc[overall["share"].idxmax()]
    title = (
        f"Of all texts, {drawn(top['classifier'])} calls {percent(top['share'])} “{drawn(top['label'])}”"
        if not groups
        else _group_finding(of_groups[of_groups["group"].isin(groups)])
    )
    names = list(dict.fromkeys(shares["classifier"]))
    rows = [(classifier, shares[(shares["classifier"] == classifier)]) for classifier in names]
    heights = [0.5 + max(2, part["label"].nunique()) * (0.2 + 0.085 * max(len(groups), 1)) for _, part in rows]
    with drawing(title, 0.8 + sum(heights), rows=len(rows), height_ratios=heights) as (picture, axes):
        descriptions = []
        for axis, (classifier, part) in zip(axes, rows, strict=True):
            labels = list(dict.fromkeys(part["label"]))
            series = groups or [None]
            for number, group in enumerate(series):
                some = part[part["group"] == group] if group is not None else part[part["group_kind"] == "all"]
                some = some.set_index("label").reindex(labels)
                offset = (number - (len(series) - 1) / 2) * 0.7 / len(series)
                interval_points(
                    axis, np.arange(len(labels)) + offset, some["share"], some["low"], some["high"],
                    series=number, label="all texts" if group is None else group,
                )  # fmt: skip
                descriptions.append(
                    f"{drawn(classifier)}, {'all texts' if group is None else drawn(group)}: "
                    + ", ".join(f"{drawn(one)} {percent(share)}" for one, share in some["share"].items())
                )
            finish_labels(axis, labels, f"share of texts{largest}", classifier)
        if groups:
            legend_below(picture, axes[0])
        picture.alternative_text = (
            f"{title}. Points with {percent(run.confidence)} intervals. " + "; ".join(descriptions) + "."
        )
    return picture


def _group_finding(shares: pd.DataFrame) -> str:
    """The label whose shares lie furthest apart in two groups whose intervals do not touch, in words."""
    best: tuple[float, str] = (0.0, "No label’s share differs between groups by more than the intervals allow")
    for (classifier, one), part in shares.groupby(["classifier", "label"], sort=False):
        high, low = part.loc[part["share"].idxmax()], part.loc[part["share"].idxmin()]
        gap = high["share"] - low["share"]
        # That texts of a group are given the group's own name is no finding.
        if high["low"] > low["high"] and gap > best[0] and one != high["group"]:
            words = (
                f"Of “{drawn(high['group'])}”, {drawn(classifier)} calls {percent(high['share'])} “{drawn(one)}”; "
                f"of “{drawn(low['group'])}”, {percent(low['share'])}"
            )
            best = (gap, words)
    return best[1]


def finish_labels(axis: Axes, labels: list[str], xlabel: str, classifier: str) -> None:
    """Label names down the side, shares in percent along the bottom."""
    axis.set_yticks(range(len(labels)), [wrapped(one, 24, 2) for one in labels])
    axis.set_ylim(len(labels) - 0.4, -0.6)
    axis.set(xlabel=xlabel)
    axis.set_title(wrapped(classifier, 60))
    axis.set_xlim(left=0)
    axis.xaxis.set_major_formatter(in_percent())
    axis.grid(visible=False, axis="y")
