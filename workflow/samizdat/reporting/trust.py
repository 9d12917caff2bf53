"""Show how far classifiers can be trusted: calibration, the texts they were made for, agreement with each other."""

from collections.abc import Mapping, Set
from typing import NamedTuple

import numpy as np
import pandas as pd
import seaborn as sns

from samizdat.base.escaping import escape_isolated, quoted
from samizdat.base.language import message, numeral, say
from samizdat.records.classifiers import SINGLE_LABEL
from samizdat.reporting import verdicts
from samizdat.reporting.agreement import none_comparable
from samizdat.reporting.classifiers import NONE_LABELLED, NONE_OF_ONE_LABEL
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
    counted,
    drawn,
    exact_percent,
    is_null,
    number_interval,
    percent,
    quotation,
    scored,
    table,
)

# Cohen, Statistical Power Analysis, 1988, section 7.2: w of 0.1 is small, 0.3 medium, 0.5 large.
EFFECTS = ((0.5, message("large")), (0.3, message("medium")), (0.1, message("small")), (0.0, message("very small")))
CERTAINTIES = {"most": message("most"), "least": message("least")}


class Association(NamedTuple):
    """A measure of association, as it is written in a cell, and as messages in a title and an alternative text."""

    symbol: str
    name: str
    spoken: str


ASSOCIATIONS = {
    "cohen_kappa": Association("κ", message("Cohen’s κ"), message("Cohen’s kappa")),
    "cramers_v": Association("V", message("Cramér’s V"), message("Cramér’s V")),
}
# Which way probabilities err → what is said of it.
WRONG = {
    1: message(
        "{classifier} is right less often than it says: by {points} points on average, where chance explains up to "
        "{chance}"
    ),
    -1: message(
        "{classifier} is right more often than it says: by {points} points on average, where chance explains up to "
        "{chance}"
    ),
    0: message(
        "{classifier} is not right as often as it says: by {points} points on average, where chance explains up to "
        "{chance}"
    ),
}


def calibration(run: Run) -> Picture | Prose:
    """Draw how often labels are right against how probable the classifier says they are, on held-out texts."""
    if run.calibration.empty:
        return Prose(none_comparable(run))
    errors = {row["classifier"]: row for row in rows_of(run.quality) if row["metric"] == "calibration_error"}
    title = _calibration_finding(run, errors)
    classifiers = parts_of(run.calibration, "classifier")
    with drawing(title, 3.0) as (picture, [axis]):
        axis.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=":", label=say("perfect calibration"))
        for series, (classifier, part) in enumerate(classifiers.items()):
            interval_line(
                axis, part["confidence"], part["accuracy"], part["low"], part["high"],
                series=series, label=legend_label(titled(run, classifier), 40),
            )  # fmt: skip
        axis.set(xlabel=say("mean probability of the label"), ylabel=say("share that people agree with"))
        axis.set(xlim=(0, 1.02), ylim=(0, 1.02))
        axis.xaxis.set_major_formatter(in_percent())
        axis.yaxis.set_major_formatter(in_percent())
        legend_below(picture, axis)
        picture.alternative_text = described(
            title,
            say("Points with {confidence} intervals", confidence=exact_percent(run.confidence)),
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
        return say("Too few documents to say whether labels are right as often as the classifiers say")
    wrong = verdicts.miscalibrated(run)
    if not wrong:
        return say("No gap was found between how often labels are right and how probable the classifiers call them")
    worst = max(wrong, key=lambda row: row["value"])
    classifier = worst["classifier"]
    return say(
        WRONG[verdicts.overconfident(run, classifier)],
        classifier=quotation(drawn(titled(run, classifier))),
        points=numeral(100 * worst["value"], ".1f"),
        chance=numeral(100 * worst["chance"], ".1f"),
    )


def _calibrated(run: Run, bins: pd.DataFrame, error: Row) -> str:
    """Say how often a classifier is right at each probability."""
    said = say(
        "{classifier}, expected calibration error {error}",
        classifier=drawn(titled(run, error["classifier"])),
        error=numeral(error["value"], ".3f"),
    )
    if not is_null(error["chance"]):
        said += say(" (chance explains up to {chance})", chance=numeral(error["chance"], ".3f"))
    parts = [
        say(
            "{accuracy} right where it says {confidence} ({texts})",
            accuracy=percent(row["accuracy"]),
            confidence=percent(row["confidence"]),
            texts=counted(row["texts"], "text", "texts"),
        )
        for row in rows_of(bins)
    ]
    return f"{said}: {', '.join(parts)}"


def associations(run: Run) -> Picture | Prose:
    """Draw a heat map of how strongly the labels of each two classifiers are associated."""
    pairs = run.associations
    if pairs.empty:
        return Prose(say("There are no two classifiers whose labels could be compared."))
    if len(pairs) == 1:
        return Prose(_only_pair(run, rows_of(pairs)[0]))
    names = [one for one in run.cards if one in set(pairs["left"]) | set(pairs["right"])]
    values = pd.DataFrame(np.nan, index=names[1:], columns=names[:-1])
    words = values.astype(object).fillna("")
    for row in rows_of(pairs):
        values.loc[row["right"], row["left"]] = row["value"]
        value = f"{ASSOCIATIONS[row['measure']].symbol} {numeral(row['value'], '.2f')}"
        words.loc[row["right"], row["left"]] = f"{value}\n{bounds(row['low'], row['high'], 2)}"
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
        picture.alternative_text = say("{title}. Heat map of {pairs}.", title=title, pairs=parts)
    return picture


def _pair(run: Run, row: Row) -> str:
    """Say how strongly the labels of two classifiers are associated."""
    return say(
        "{left} and {right}: {measure} {value} over {texts}",
        left=drawn(titled(run, row["left"])),
        right=drawn(titled(run, row["right"])),
        measure=say(ASSOCIATIONS[row["measure"]].spoken),
        value=number_interval(row["value"], row["low"], row["high"]),
        texts=counted(row["texts"], "text", "texts"),
    )


def _only_pair(run: Run, row: Row) -> str:
    """Say whether the labels of the only two classifiers go together."""
    answer = (
        say("There are too few documents to say")
        if is_null(row["p_holm"])
        else say("Yes")
        if verdicts.associated(run)
        else say("Not by more than chance")
    )
    return say(
        "Do the labels of the two classifiers go together? {answer}: {pair}.",
        answer=answer,
        pair=escape_isolated(_pair(run, row)),
    )


def _associations_finding(run: Run) -> str:
    """Say as a title which classifiers' labels go together most, of those that do so by more than chance."""
    pairs = run.associations
    if pairs["p_holm"].isna().all():
        return say("Too few documents to say whether the labels of classifiers go together")
    found = verdicts.associated(run)
    if not found:
        return say("No two classifiers have labels that go together by more than chance")
    top = max(found, key=lambda row: row["value"])
    return say(
        "Most alike: {left} and {right}, {measure} {value}",
        left=drawn(titled(run, top["left"])),
        right=drawn(titled(run, top["right"])),
        measure=say(ASSOCIATIONS[top["measure"]].name),
        value=numeral(top["value"], ".2f"),
    )


def group_tests_note(run: Run) -> Prose | None:
    """Say what the tests of groups ask; nothing where none was made."""
    if run.group_tests.empty:
        return None
    return Prose(
        say(
            "One test for each classifier asks whether its label shares differ between the groups; Cramér's V says how "
            "large the difference is, from 0 to 1. The more texts, the smaller the difference that such a test finds, "
            "so a small p alone means little."
        )
    )


def group_tests(run: Run) -> Table | Prose:
    """List whether each classifier's label shares differ between groups by more than chance, and how much."""
    different = {row["classifier"] for row in verdicts.different_groups(run)}
    rows = [
        [
            named(run, row["classifier"]),
            f"{number_interval(row['cramers_v'], row['low'], row['high'])}{_effect(row, different)}",
            numeral(row["chi_square"], ",.1f"),
            count(row["degrees_of_freedom"]),
            say("too few documents") if is_null(row["p_holm"]) else _p_value(row["p_holm"]),
            count(row["texts"]),
        ]
        for row in rows_of(run.group_tests)
    ]
    header = [say("Classifier"), say("Cramér’s V"), say("Chi-square"), say("Degrees of freedom")]
    header += [say("p, corrected"), say("Texts")]
    if not rows:
        two = message("There are not two groups of labelled texts to compare, or all these texts have one label.")
        return Prose(say(two if run.of_kind(SINGLE_LABEL) else NONE_OF_ONE_LABEL))
    return table(rows, header, numbers=header[2:])


def _p_value(value: float) -> str:
    """Write a p value."""
    return say("below {number}", number=numeral(0.001, ".3f")) if value < 0.001 else numeral(value, ".3f")


def _effect(row: Row, different: Set[str]) -> str:
    """Name the size of an effect, where chance does not explain it; nothing with too few documents."""
    if is_null(row["p_holm"]):
        return ""
    if row["classifier"] not in different:
        return f", {say('no difference found')}"
    return ", " + next(say(word) for bound, word in EFFECTS if row["cramers_v"] >= bound)


def examples(run: Run) -> Table | Prose:
    """List the texts that each classifier is most and least certain of; none where texts may not be published."""
    found = run.certain_examples
    if found.empty:
        return Prose(say(NONE_LABELLED))
    if not run.publish_texts:
        return Prose(say("Texts of the corpus are not shown in this report (`publish_texts: false`)."))
    texts = run.texts_of(found["id"])
    rows = [
        [
            named(run, row["classifier"]),
            say(CERTAINTIES[row["certainty"]]),
            quoted(texts[row["id"]], language=run.language),
            scored(row["label"], percent(row["probability"])),
            "" if is_null(row["runner_up"]) else scored(row["runner_up"], percent(row["runner_up_probability"])),
        ]
        for row in rows_of(found)
    ]
    return table(rows, [say("Classifier"), say("Certainty"), say("Text"), say("Label"), say("Second label")])
