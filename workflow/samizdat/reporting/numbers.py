"""Show what classifiers say that give a number: how it is spread over texts and samples, and who orders texts alike."""

import pandas as pd

from samizdat.base.language import message, numeral, say, with_signs
from samizdat.measures.bootstrap import FEWEST_DOCUMENTS
from samizdat.records.classifiers import NUMBER
from samizdat.reporting import believed
from samizdat.reporting.frames import Row, parts_of, rows_of
from samizdat.reporting.label_comparison import TOO_FEW
from samizdat.reporting.largest_groups import finding_of_largest
from samizdat.reporting.number_scale import digits_of
from samizdat.reporting.outside import labelled, named, titled
from samizdat.reporting.raters import SUBSETS, rho
from samizdat.reporting.run import Run
from samizdat.reporting.style import PALETTE, Picture, described, drawing, wrapped
from samizdat.reporting.words import (
    Prose,
    Table,
    bounds,
    count,
    counted,
    drawn,
    exact_percent,
    is_null,
    label,
    name,
    number_interval,
    table,
)

SHOWN_GROUPS = 6
MIDDLE, LINE = ("quantile_0.25", "quantile_0.5", "quantile_0.75"), ("quantile_0.05", "quantile_0.95")
QUANTILE = "quantile_"
METRICS = {
    "mean": message("mean"),
    "above_texts": message("mean, above that of the texts"),
    "spearman": message("Spearman’s ρ with people"),
}
# Which of the texts or samples a number is of.
PARTS = {
    "all": message("all"),
    "human": message("held out, with a number by people"),
    "group": message("group {name}"),
    "model": message("model {name}"),
    "temperature": message("temperature {name}"),
    "percent": message("percent {name}"),
}
NONE = message("No classifier of this run gives a number.")
# How far the mean of samples is from that of the texts, of a run with one model, and with several: below, above.
_OF_SAMPLES = (
    message("The mean of {samples} is lower by {value}"),
    message("The mean of {samples} is higher by {value}"),
)
_OF_MODEL = (
    message("The mean of {samples} of {model} is lower by {value}"),
    message("The mean of {samples} of {model} is higher by {value}"),
)


def opening(run: Run) -> Prose:
    """Say of each classifier the mean of texts, how far samples are from it, and whether people order texts alike."""
    return Prose("\n\n".join(_sentences(run, one) for one in run.of_kind(NUMBER)) or say(NONE))


def in_brief(run: Run, classifier: str) -> list[str]:
    """Say in short what a classifier finds, and how far it can be believed."""
    rows = _of(run, classifier)
    mean = _one(rows, "texts", "all", "mean")
    if mean is None:
        return [say("It read no text.")]
    said = [_mean(run, mean), *_above(run, rows)]
    return [*(f"{one}." for one in said), *_few(rows), say("*Trust:*"), *_trust(run, rows)]


def _sentences(run: Run, classifier: str) -> str:
    rows = _of(run, classifier)
    mean = _one(rows, "texts", "all", "mean")
    who = labelled(run, classifier)
    if mean is None:
        return say("The classifier {classifier} read no text.", classifier=who)
    each = say("The classifier {classifier} gives each text a number", classifier=who)
    said = [each, _mean(run, mean), *_above(run, rows)]
    return " ".join([*(f"{one}." for one in said), *_few(rows), *_trust(run, rows)])


def _few(rows: pd.DataFrame) -> list[str]:
    """Say where there are too few texts, or too few samples to compare with them."""
    means = rows[rows["metric"].isin(["mean", "above_texts"]) & rows["group_kind"].isin(["all", "model"])]
    return [say(TOO_FEW, fewest=FEWEST_DOCUMENTS)] if means["low"].isna().any() else []


def _of(run: Run, classifier: str) -> pd.DataFrame:
    return run.numbers[run.numbers["classifier"] == classifier]


def _one(rows: pd.DataFrame, subset: str, kind: str, metric: str) -> Row | None:
    found = rows[(rows["subset"] == subset) & (rows["group_kind"] == kind) & (rows["metric"] == metric)]
    return rows_of(found)[0] if len(found) else None


def _mean(run: Run, row: Row) -> str:
    return say("The mean of {texts} is {value}", texts=counted(row["texts"], "text", "texts"), value=_value(run, row))


def _value(run: Run, row: Row) -> str:
    return number_interval(row["value"], row["low"], row["high"], digits_of(run, row["classifier"]))


def _above(run: Run, rows: pd.DataFrame) -> list[str]:
    """Say how far the mean of each model's samples is above or below that of the texts."""
    found = rows[(rows["group_kind"] == "model") & (rows["metric"] == "above_texts")]
    said = _OF_MODEL if len(run.models) > 1 else _OF_SAMPLES
    return [
        say(
            said[row["value"] >= 0],
            samples=counted(row["texts"], "sample", "samples"),
            model=label(row["group"]),
            value=_distance(run, row),
        )
        for row in rows_of(found)
    ]


def _distance(run: Run, row: Row) -> str:
    """Write how far a mean is above or below that of the texts, with an interval of the same sign."""
    below = row["value"] < 0
    return _value(run, row | {"value": -row["value"], "low": -row["high"], "high": -row["low"]} if below else row)


def _trust(run: Run, rows: pd.DataFrame) -> list[str]:
    """Say how the numbers go with those of the corpus, or of raters."""
    by_corpus = None
    if row := _one(rows, "texts", "human", "spearman"):
        by_corpus = say(
            "Spearman’s ρ of its numbers and those of people ({column}) is {value} on {texts}: 1 is the same order, 0 "
            "none",
            column=label(row["label_column"]),
            value=rho(row),
            texts=counted(row["texts"], "held-out text", "held-out texts"),
        )
    unknown = message("Whether people would order these texts alike is not known, since they gave no numbers")
    return believed.trust(run, str(rows["classifier"].iloc[0]), by_corpus, unknown)


def spread(run: Run) -> Picture | Prose:
    """Draw how the numbers of texts, of groups and of samples are spread: boxes, and the interval of the middle."""
    groups = _groups(run, run.numbers)
    parts = {one: _bars(part, groups[:SHOWN_GROUPS]) for one, part in parts_of(run.numbers, "classifier").items()}
    if not parts:
        return Prose(say(NONE))
    title = finding_of_largest(say("Numbers of texts and of samples"), len(groups[:SHOWN_GROUPS]), len(groups))
    heights = [0.75 + 0.28 * len(bars) for bars in parts.values()]
    with drawing(title, sum(heights), rows=len(parts), height_ratios=heights) as (picture, axes):
        for axis, (classifier, bars) in zip(axes, parts.items(), strict=True):
            for place, (_, found) in enumerate(bars):
                low, middle, high = (found[one]["value"] for one in MIDDLE)
                start, end = (found[one]["value"] for one in LINE)
                axis.hlines(place, start, end, color=PALETTE[0], linewidth=1.2)
                axis.barh(place, high - low, left=low, height=0.5, color=PALETTE[0], alpha=0.35)
                axis.plot([middle], [place], marker="o", color=PALETTE[0])
                bounds_of = found[MIDDLE[1]]
                if not is_null(bounds_of["low"]):
                    axis.hlines(place, bounds_of["low"], bounds_of["high"], color=PALETTE[0], linewidth=3)
            axis.set_yticks(range(len(bars)), [wrapped(one, 24, 2) for one, _ in bars])
            axis.set_ylim(len(bars) - 0.4, -0.6)
            axis.use_sticky_edges = False  # a box at the edge has room beside it
            axis.set(xlabel=say("number"))
            axis.set_title(wrapped(titled(run, classifier), 60))
            axis.grid(visible=False, axis="y")
        said = [
            say(
                "{which}: middle {value}, half of them from {low} to {high}",
                which=f"{drawn(titled(run, classifier))}, {drawn(words)}",
                value=_value(run, found[MIDDLE[1]]),
                low=numeral(found[MIDDLE[0]]["value"], f".{digits_of(run, classifier)}f"),
                high=numeral(found[MIDDLE[2]]["value"], f".{digits_of(run, classifier)}f"),
            )
            for classifier, bars in parts.items()
            for words, found in bars
        ]
        kind = say(
            "Boxes of the middle half, lines of the middle 90 %, and {confidence} intervals of the middle",
            confidence=exact_percent(run.confidence),
        )
        picture.alternative_text = described(title, kind, said)
    return picture


def _groups(run: Run, rows: pd.DataFrame) -> list[str]:
    """Return the groups of texts that have numbers, the largest first."""
    groups = set(rows.loc[rows["group_kind"] == "group", "group"])
    return [one for one in run.texts["group"].value_counts().index if one in groups]


def _bars(rows: pd.DataFrame, groups: list[str]) -> list[tuple[str, dict[str, Row]]]:
    """Choose the sets of the figure: all texts, these groups, samples at each temperature; each metric → row.

    A group may be called as another set is.
    """
    temperatures = sorted(set(rows.loc[rows["group_kind"] == "temperature", "group"]), key=float)
    chosen = [(say("all texts"), "texts", "all", None), *((one, "texts", "group", one) for one in groups)]
    chosen += [(_at_temperature(one), "samples", "temperature", one) for one in temperatures]
    bars = []
    for words, subset, kind, group in chosen:
        own = rows[(rows["subset"] == subset) & (rows["group_kind"] == kind)]
        own = own if group is None else own[own["group"] == group]
        if len(own):
            bars.append((words, {row["metric"]: row for row in rows_of(own)}))
    return bars


def _at_temperature(temperature: str) -> str:
    """Name the samples of one temperature for a figure."""
    return say("{who}, temperature {temperature}", who=say("samples"), temperature=with_signs(temperature))


def every_number(run: Run) -> Table | Prose:
    """List means, quantiles, differences and correlations with their intervals."""
    rows = [
        [
            named(run, row["classifier"]),
            say(SUBSETS[row["subset"]]),
            say(PARTS[row["group_kind"]], name=_part(row)),
            _metric(row["metric"]),
            say("not defined") if is_null(row["value"]) else numeral(row["value"], f".{digits}f"),
            bounds(row["low"], row["high"], digits),
            count(row["texts"]),
        ]
        for row in rows_of(run.numbers)
        for digits in [3 if row["metric"] == "spearman" else 1 + digits_of(run, row["classifier"])]
    ]
    header = [
        say("Classifier"),
        say("Of"),
        say("Which"),
        say("Measure"),
        say("Value"),
        say("{confidence} interval", confidence=exact_percent(run.confidence)),
        say("Texts or samples"),
    ]
    return table(rows, header, numbers=header[4:]) if rows else Prose(say(NONE))


def _part(row: Row) -> str:
    """Name the group of a row for its cell; a group of the corpus is no number, whatever its name."""
    return name(row["group"] if row["group_kind"] != "temperature" else with_signs(row["group"]))


def _metric(metric: str) -> str:
    if metric in METRICS:
        return say(METRICS[metric])
    share = 100 * float(metric.removeprefix(QUANTILE))
    return say("{percent} % are at or below", percent=numeral(share, ".0f"))
