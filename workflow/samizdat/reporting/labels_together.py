"""Show which labels go together that classifiers give which give several labels at once."""

import pandas as pd
import seaborn as sns

from samizdat.base.language import message, say
from samizdat.measures.label_metrics import FEWEST_GIVEN
from samizdat.records.classifiers import MULTI_LABEL
from samizdat.records.statistics import FREQUENT_LABELS
from samizdat.reporting.frames import parts_of, rows_of
from samizdat.reporting.outside import titled
from samizdat.reporting.run import Run
from samizdat.reporting.several_labels import NONE
from samizdat.reporting.style import Picture, described, drawing, wrapped
from samizdat.reporting.words import Prose, drawn, percent, quotation


def cooccurrence(run: Run) -> Picture | Prose:
    """Draw which share of the texts with one label has another one, too."""
    parts = {one: part for one, part in parts_of(run.cooccurrence, "classifier").items() if part["both"].any()}
    if not parts:
        return Prose(say("No text was given two labels.") if run.of_kind(MULTI_LABEL) else say(NONE))
    shown = {classifier: _of_frequent(part) for classifier, part in parts.items()}
    tables = {classifier: _together(part) for classifier, part in shown.items()}
    title = _together_finding(run, pd.concat(shown.values()))
    heights = [1.2 + 0.3 * len(values) for values in tables.values()]
    with drawing(title, sum(heights), rows=len(tables), height_ratios=heights) as (picture, axes):
        for axis, (classifier, values) in zip(axes, tables.items(), strict=True):
            number = parts[classifier]["label"].nunique()
            sns.heatmap(
                100 * values, ax=axis, annot=True, fmt=".0f", cmap="Blues", vmin=0, vmax=100, linewidths=1,
                mask=values.isna(), annot_kws={"size": 8}, cbar=False,
                xticklabels=[wrapped(one, 16, 2) for one in values.columns],
                yticklabels=[wrapped(one, 24, 2) for one in values.index],
            )  # fmt: skip
            also = (
                message("% also called (the {shown} most frequent of {all} labels)")
                if len(values) < number
                else message("% also called")
            )
            axis.set(xlabel=say(also, shown=len(values), all=number), ylabel=say("of the texts called"))
            axis.set_title(wrapped(titled(run, classifier), 60))
            axis.tick_params(length=0)
            axis.tick_params(axis="x", rotation=90)
            axis.tick_params(axis="y", rotation=0)
            axis.grid(visible=False)
        said = [
            say(
                "{classifier}, texts called {label}: {shares}",
                classifier=drawn(titled(run, classifier)),
                label=drawn(str(one)),
                shares=", ".join(f"{percent(share)} {drawn(str(other))}" for other, share in line.dropna().items()),
            )
            for classifier, values in tables.items()
            for one, line in values.iterrows()
        ]
        picture.alternative_text = described(title, say("Heat map of the shares that are also called otherwise"), said)
    return picture


def _by_frequency(part: pd.DataFrame) -> pd.Series:
    return part.drop_duplicates("label").sort_values("texts", ascending=False, kind="stable")["label"]


def _of_frequent(part: pd.DataFrame) -> pd.DataFrame:
    """Choose the rows of the most frequent labels with each other."""
    frequent = _by_frequency(part).head(FREQUENT_LABELS)
    return part[part["label"].isin(frequent) & part["other"].isin(frequent)]


def _together(part: pd.DataFrame) -> pd.DataFrame:
    """Make a square table, frequent labels first: of the texts with the label of a row, the share of a column."""
    labels = _by_frequency(part)
    return part.pivot(index="label", columns="other", values="share").reindex(index=labels, columns=labels)


def _together_finding(run: Run, rows: pd.DataFrame) -> str:
    """Say as a title which label goes with another one most, compared with all texts, of labels that are not rare."""
    known = rows[(rows["texts"] >= FEWEST_GIVEN) & (rows["share"] > rows["share_of_all"])]
    if known.empty:
        return say("Which labels go together")
    top = max(rows_of(known), key=lambda row: row["share"] - row["share_of_all"])
    return say(
        "Of what {classifier} calls {label}, {share} is also called {other}, as is {share_of_all} of all texts",
        classifier=drawn(titled(run, top["classifier"])),
        label=quotation(drawn(top["label"])),
        share=percent(top["share"]),
        other=quotation(drawn(top["other"])),
        share_of_all=percent(top["share_of_all"]),
    )
