"""Show what classifiers say that give a number: how it is spread over texts and samples, and who orders texts alike."""

import pandas as pd

from samizdat.records.classifiers import NUMBER
from samizdat.reporting import raters
from samizdat.reporting.frames import Row, parts_of, rows_of
from samizdat.reporting.outside import labelled, named, titled
from samizdat.reporting.run import Run
from samizdat.reporting.style import PALETTE, Picture, described, drawing, wrapped
from samizdat.reporting.words import (
    Prose,
    Table,
    bounds,
    count,
    counted,
    drawn,
    is_null,
    label,
    name,
    number_interval,
    percent,
    table,
)

SHOWN_GROUPS = 6
MIDDLE, LINE = ("quantile_0.25", "quantile_0.5", "quantile_0.75"), ("quantile_0.05", "quantile_0.95")
METRICS = {
    "mean": "mean",
    **{f"quantile_{share}": f"{100 * share:.0f} % are at or below" for share in (0.05, 0.25, 0.5, 0.75, 0.95)},
    "above_texts": "mean, above that of the texts",
    "spearman": "Spearman’s ρ with people",
}
NONE = "No classifier of this run gives a number."


def opening(run: Run) -> Prose:
    """Say of each classifier the mean of texts, how far samples are from it, and whether people order texts alike."""
    return Prose("\n\n".join(_sentences(run, one) for one in run.of_kind(NUMBER)) or NONE)


def in_brief(run: Run, classifier: str) -> list[str]:
    """Say in short what a classifier finds, and how far it can be believed."""
    rows = _of(run, classifier)
    mean = _one(rows, "texts", "all", "mean")
    if mean is None:
        return ["It read no text."]
    return [f"{_mean(mean)}.", *(f"{one}." for one in _above(run, rows)), "*Trust:*", *_trust(run, rows)]


def _sentences(run: Run, classifier: str) -> str:
    rows = _of(run, classifier)
    mean = _one(rows, "texts", "all", "mean")
    if mean is None:
        return f"The classifier {labelled(run, classifier)} read no text."
    said = [f"The classifier {labelled(run, classifier)} gives each text a number. {_mean(mean)}", *_above(run, rows)]
    return " ".join([". ".join(said) + ".", *_trust(run, rows)])


def _of(run: Run, classifier: str) -> pd.DataFrame:
    return run.numbers[run.numbers["classifier"] == classifier]


def _one(rows: pd.DataFrame, subset: str, kind: str, metric: str) -> Row | None:
    found = rows[(rows["subset"] == subset) & (rows["group_kind"] == kind) & (rows["metric"] == metric)]
    return rows_of(found)[0] if len(found) else None


def _mean(row: Row) -> str:
    return f"The mean of {counted(row['texts'], 'text')} is {_value(row)}"


def _value(row: Row) -> str:
    return number_interval(row["value"], row["low"], row["high"])


def _above(run: Run, rows: pd.DataFrame) -> list[str]:
    """Say how far the mean of each model's samples is above that of the texts."""
    found = rows[(rows["group_kind"] == "model") & (rows["metric"] == "above_texts")]
    return [
        f"The mean of {counted(row['texts'], 'sample')}"
        + (f" of {label(row['group'])}" if len(run.models) > 1 else "")
        + f" is {_above_or_below(row)}"
        for row in rows_of(found)
    ]


def _above_or_below(row: Row) -> str:
    """Say how far a mean is above or below that of the texts, with an interval of the same sign."""
    if row["value"] >= 0:
        return f"higher by {_value(row)}"
    return f"lower by {number_interval(-row['value'], -row['high'], -row['low'])}"


def _trust(run: Run, rows: pd.DataFrame) -> list[str]:
    """Say how the numbers go with those of the corpus, or of raters."""
    by_corpus = None
    if row := _one(rows, "texts", "human", "spearman"):
        by_corpus = (
            f"Spearman’s ρ of its numbers and those of people ({label(row['label_column'])}) is {_value(row)} on "
            f"{counted(row['texts'], 'held-out text')}: 1 is the same order, 0 none"
        )
    unknown = "Whether people would order these texts alike is not known, since they gave no numbers"
    return raters.trust(run, str(rows["classifier"].iloc[0]), by_corpus, unknown)


def spread(run: Run) -> Picture | Prose:
    """Draw how the numbers of texts, of groups and of samples are spread: boxes, and the interval of the middle."""
    parts = {one: _bars(run, part) for one, part in parts_of(run.numbers, "classifier").items()}
    if not parts:
        return Prose(NONE)
    title = "Numbers of texts and of samples"
    heights = [0.75 + 0.28 * len(bars) for bars in parts.values()]
    with drawing(title, sum(heights), rows=len(parts), height_ratios=heights) as (picture, axes):
        for axis, (classifier, bars) in zip(axes, parts.items(), strict=True):
            for place, found in enumerate(bars.values()):
                low, middle, high = (found[one]["value"] for one in MIDDLE)
                start, end = (found[one]["value"] for one in LINE)
                axis.hlines(place, start, end, color=PALETTE[0], linewidth=1.2)
                axis.barh(place, high - low, left=low, height=0.5, color=PALETTE[0], alpha=0.35)
                axis.plot([middle], [place], marker="o", color=PALETTE[0])
                bounds_of = found[MIDDLE[1]]
                if not is_null(bounds_of["low"]):
                    axis.hlines(place, bounds_of["low"], bounds_of["high"], color=PALETTE[0], linewidth=3)
            axis.set_yticks(range(len(bars)), [wrapped(one, 24, 2) for one in bars])
            axis.set_ylim(len(bars) - 0.4, -0.6)
            axis.use_sticky_edges = False  # a box at the edge has room beside it
            axis.set(xlabel="number")
            axis.set_title(wrapped(titled(run, classifier), 60))
            axis.grid(visible=False, axis="y")
        said = [
            f"{drawn(titled(run, classifier))}, {drawn(words)}: middle {_value(found[MIDDLE[1]])}, half of them from "
            f"{found[MIDDLE[0]]['value']:.2f} to {found[MIDDLE[2]]['value']:.2f}"
            for classifier, bars in parts.items()
            for words, found in bars.items()
        ]
        kind = (
            f"Boxes of the middle half, lines of the middle 90 %, and {percent(run.confidence)} intervals of the middle"
        )
        picture.alternative_text = described(title, kind, said)
    return picture


def _bars(run: Run, rows: pd.DataFrame) -> dict[str, dict[str, Row]]:
    """Choose the sets of the figure: all texts, the largest groups, samples at each temperature; each metric → row."""
    groups = set(rows.loc[rows["group_kind"] == "group", "group"])
    largest = [one for one in run.texts["group"].value_counts().index if one in groups][:SHOWN_GROUPS]
    temperatures = sorted(set(rows.loc[rows["group_kind"] == "temperature", "group"]), key=float)
    chosen = [("all texts", "texts", "all", None), *((one, "texts", "group", one) for one in largest)]
    chosen += [(f"samples, temperature {one}", "samples", "temperature", one) for one in temperatures]
    bars = {}
    for words, subset, kind, group in chosen:
        own = rows[(rows["subset"] == subset) & (rows["group_kind"] == kind)]
        own = own if group is None else own[own["group"] == group]
        if len(own):
            bars[words] = {row["metric"]: row for row in rows_of(own)}
    return bars


def every_number(run: Run) -> Table | Prose:
    """List means, quantiles, differences and correlations with their intervals."""
    kinds = {"all": "all", "human": "held out, with a number by people"}
    rows = [
        [
            named(run, row["classifier"]),
            row["subset"],
            kinds.get(row["group_kind"]) or f"{row['group_kind']} {name(row['group'])}",
            METRICS[row["metric"]],
            f"{row['value']:.3f}",
            bounds(row["low"], row["high"], 3),
            count(row["texts"]),
        ]
        for row in rows_of(run.numbers)
    ]
    header = [
        "Classifier",
        "Of",
        "Which",
        "Measure",
        "Value",
        f"{percent(run.confidence)} interval",
        "Texts or samples",
    ]
    return table(rows, header, numbers=header[4:]) if rows else Prose(NONE)
