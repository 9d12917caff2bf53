"""Show how far classifiers can be trusted: calibration, the texts they were made for, agreement with each other."""

from collections.abc import Mapping, Set
from typing import NamedTuple

import numpy as np
import pandas as pd
import seaborn as sns

from samizdat.base.escaping import escape_isolated, quoted
from samizdat.reporting import verdicts
from samizdat.reporting.frames import Row, parts_of, rows_of
from samizdat.reporting.interval_charts import interval_line
from samizdat.reporting.outside import named, titled
from samizdat.reporting.run import Run
from samizdat.reporting.style import (
    FAINT,
    Picture,
    described,
    drawing,
    in_percent,
    legend_below,
    legend_label,
    wrapped,
)
from samizdat.reporting.words import (
    Prose,
    Table,
    bounds,
    count,
    drawn,
    is_null,
    number_interval,
    percent,
    scored,
    table,
)

# Cohen, Statistical Power Analysis, 1988, section 7.2: w of 0.1 is small, 0.3 medium, 0.5 large.
EFFECTS = ((0.5, "large"), (0.3, "medium"), (0.1, "small"), (0.0, "very small"))


class Association(NamedTuple):
    """A measure of association, as it is written in a cell, in a title and in an alternative text."""

    symbol: str
    name: str
    spoken: str


ASSOCIATIONS = {
    "cohen_kappa": Association("κ", "Cohen’s κ", "Cohen’s kappa"),
    "cramers_v": Association("V", "Cramér’s V", "Cramér’s V"),
}


def calibration(run: Run) -> Picture | Prose:
    """Draw how often labels are right against how probable the classifier says they are, on held-out texts."""
    if run.calibration.empty:
        return Prose("Without labels that people gave, it is not known whether the probabilities can be believed.")
    errors = {row["classifier"]: row for row in rows_of(run.quality) if row["metric"] == "calibration_error"}
    title = _calibration_finding(run, errors)
    classifiers = parts_of(run.calibration, "classifier")
    with drawing(title, 3.0) as (picture, [axis]):
        axis.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=":", label="perfect calibration")
        for series, (classifier, part) in enumerate(classifiers.items()):
            interval_line(
                axis, part["confidence"], part["accuracy"], part["low"], part["high"],
                series=series, label=legend_label(titled(run, classifier), 40),
            )  # fmt: skip
        axis.set(xlabel="mean probability of the label", ylabel="share that people agree with", xlim=(0, 1.02))
        axis.set_ylim(0, 1.02)
        axis.xaxis.set_major_formatter(in_percent())
        axis.yaxis.set_major_formatter(in_percent())
        legend_below(picture, axis)
        picture.alternative_text = described(
            title,
            f"Points with {percent(run.confidence)} intervals",
            [_calibrated(run, part, errors[classifier]) for classifier, part in classifiers.items()],
        )
    return picture


def _calibration_finding(run: Run, errors: Mapping[str, Row]) -> str:
    """Say as a title whose calibration error is largest of those that chance does not explain.

    p values are corrected for the number of classifiers. Which way probabilities err is said only where the interval of
    the mean gap says so, too.
    """
    tested = [row for row in errors.values() if not is_null(row["p_value"])]
    if not tested:
        return "Too few documents to say whether labels are right as often as the classifiers say"
    wrong = verdicts.miscalibrated(run)
    if not wrong:
        return "No gap was found between how often labels are right and how probable the classifiers call them"
    worst = max(wrong, key=lambda row: row["value"])
    classifier = worst["classifier"]
    leads = {1: "right less often than", -1: "right more often than", 0: "not right as often as"}
    lead = leads[verdicts.overconfident(run, classifier)]
    size = f"{100 * worst['value']:.1f} points on average, where chance explains up to {100 * worst['chance']:.1f}"
    return f"“{drawn(titled(run, classifier))}” is {lead} it says: by {size}"


def _calibrated(run: Run, bins: pd.DataFrame, error: Row) -> str:
    """Say how often a classifier is right at each probability."""
    return (
        f"{drawn(titled(run, error['classifier']))}, expected calibration error {error['value']:.3f}"
        + ("" if is_null(error["chance"]) else f" (chance explains up to {error['chance']:.3f})")
        + ": "
        + ", ".join(
            f"{percent(row['accuracy'])} right where it says {percent(row['confidence'])} ({count(row['texts'])} texts)"
            for row in rows_of(bins)
        )
    )


def associations(run: Run) -> Picture | Prose:
    """Draw a heat map of how strongly the labels of each two classifiers are associated."""
    pairs = run.associations
    if pairs.empty:
        return Prose("There are no two classifiers whose labels could be compared.")
    if len(pairs) == 1:
        return Prose(_only_pair(run, rows_of(pairs)[0]))
    names = [one for one in run.cards if one in set(pairs["left"]) | set(pairs["right"])]
    values = pd.DataFrame(np.nan, index=names[1:], columns=names[:-1])
    words = values.astype(object).fillna("")
    for row in rows_of(pairs):
        values.loc[row["right"], row["left"]] = row["value"]
        words.loc[row["right"], row["left"]] = (
            f"{ASSOCIATIONS[row['measure']].symbol} {row['value']:.2f}\n{bounds(row['low'], row['high'], 2)}"
        )
    title = _associations_finding(run)
    with drawing(title, 1.3 + 0.6 * len(values)) as (picture, [axis]):
        sns.heatmap(
            values, ax=axis, annot=words, fmt="", cmap="Blues", vmin=0, vmax=1, linewidths=1, mask=values.isna(),
            annot_kws={"size": 8.5}, cbar=False,
            xticklabels=[wrapped(titled(run, one), 20, 5) for one in values.columns],
            yticklabels=[wrapped(titled(run, one), 16, 5) for one in values.index],
        )  # fmt: skip
        axis.tick_params(length=0, rotation=0)
        axis.grid(visible=False)
        parts = "; ".join(_pair(run, row) for row in rows_of(pairs))
        picture.alternative_text = f"{title}. Heat map of {parts}."
    return picture


def _pair(run: Run, row: Row) -> str:
    """Say how strongly the labels of two classifiers are associated."""
    return (
        f"{drawn(titled(run, row['left']))} and {drawn(titled(run, row['right']))}: "
        f"{ASSOCIATIONS[row['measure']].spoken} "
        f"{number_interval(row['value'], row['low'], row['high'])} over {count(row['texts'])} texts"
    )


def _only_pair(run: Run, row: Row) -> str:
    """Say whether the labels of the only two classifiers go together."""
    answer = (
        "There are too few documents to say"
        if is_null(row["p_holm"])
        else "Yes"
        if verdicts.associated(run)
        else "Not by more than chance"
    )
    return f"Do the labels of the two classifiers go together? {answer}: {escape_isolated(_pair(run, row))}."


def _associations_finding(run: Run) -> str:
    """Say as a title which classifiers' labels go together most, of those that do so by more than chance."""
    pairs = run.associations
    if pairs["p_holm"].isna().all():
        return "Too few documents to say whether the labels of classifiers go together"
    found = verdicts.associated(run)
    if not found:
        return "No two classifiers have labels that go together by more than chance"
    top = max(found, key=lambda row: row["value"])
    measure = f"{ASSOCIATIONS[top['measure']].name} {top['value']:.2f}"
    return f"Most alike: {drawn(titled(run, top['left']))} and {drawn(titled(run, top['right']))}, {measure}"


def group_tests(run: Run) -> Table | Prose:
    """List whether each classifier's label shares differ between groups by more than chance, and how much."""
    different = {row["classifier"] for row in verdicts.different_groups(run)}
    rows = [
        [
            named(run, row["classifier"]),
            f"{number_interval(row['cramers_v'], row['low'], row['high'])}{_effect(row, different)}",
            f"{row['chi_square']:,.1f}",
            count(row["degrees_of_freedom"]),
            "too few documents" if is_null(row["p_holm"]) else _p_value(row["p_holm"]),
            count(row["texts"]),
        ]
        for row in rows_of(run.group_tests)
    ]
    header = ["Classifier", "Cramér’s V", "Chi-square", "Degrees of freedom", "p, corrected", "Texts"]
    if not rows:
        return Prose("There are not two groups with labelled texts to compare.")
    return table(rows, header, numbers=header[2:])


def _p_value(value: float) -> str:
    """Write a p value."""
    return "below 0.001" if value < 0.001 else f"{value:.3f}"


def _effect(row: Row, different: Set[str]) -> str:
    """Name the size of an effect, where chance does not explain it; nothing with too few documents."""
    if is_null(row["p_holm"]):
        return ""
    if row["classifier"] not in different:
        return ", no difference found"
    return ", " + next(word for bound, word in EFFECTS if row["cramers_v"] >= bound)


def examples(run: Run) -> Table | Prose:
    """List the texts that each classifier is most and least certain of; none where texts may not be published."""
    found = run.certain_examples
    if found.empty:
        return Prose("No text was given a label.")
    if not run.publish_texts:
        return Prose("Texts of the corpus are not shown in this report (`publish_texts: false`).")
    texts = run.texts.set_index("id")["text"]
    rows = [
        [
            named(run, row["classifier"]),
            row["certainty"],
            quoted(texts[row["id"]], language=run.language),
            scored(row["label"], percent(row["probability"])),
            "" if is_null(row["runner_up"]) else scored(row["runner_up"], percent(row["runner_up_probability"])),
        ]
        for row in rows_of(found)
    ]
    return table(rows, ["Classifier", "Certainty", "Text", "Label", "Second label"])
