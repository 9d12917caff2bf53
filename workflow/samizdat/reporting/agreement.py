"""Show how often each classifier agrees with people, and which labels it takes for which."""

from collections.abc import Mapping

import pandas as pd

from samizdat.base.escaping import isolated, plain, shortened
from samizdat.base.language import message, numeral, say
from samizdat.measures.label_metrics import FEWEST_GIVEN
from samizdat.records.classifiers import SINGLE_LABEL
from samizdat.reporting import verdicts
from samizdat.reporting.confusion_matrices import draw_confusion, given_most
from samizdat.reporting.frames import Row, in_order, parts_of, rows_of
from samizdat.reporting.interval_charts import Panel, interval_panels
from samizdat.reporting.largest_groups import heading_of_frequent
from samizdat.reporting.outside import labelled, named, titled
from samizdat.reporting.run import Run
from samizdat.reporting.style import Picture, legend_below
from samizdat.reporting.words import (
    Prose,
    Table,
    bounds,
    count,
    counted,
    drawn,
    exact_percent,
    is_null,
    joined,
    name,
    number_interval,
    p_equals,
    percent,
    percent_interval,
    quotation,
    table,
    too_few,
)

NONE_COMPARABLE = message(
    "The corpus has no labels that a classifier can be compared with, so it is not known how good the classifiers are "
    "here."
)
ONLY_RATERS = message(
    "The corpus has no labels that a classifier can be compared with. What raters say of drawn texts is in the section "
    "about people who were asked."
)
NONE_OF_ONE_LABEL = message(
    "The corpus has no labels that a classifier which gives each text one label can be compared with. What is known of "
    "the others is in the sections about them."
)
# Relation to the majority baseline → what is said of a classifier, at length and in brief.
RELATIONS = {
    1: message(
        "The classifier {classifier} agrees with people on {own} of {texts} held-out texts, more than the {baseline} "
        "that the most frequent label alone would reach (the difference is {points} percentage points, {low} to "
        "{high}; {p}); its macro-F1 is {f1}."
    ),
    -1: message(
        "The classifier {classifier} agrees with people on {own} of {texts} held-out texts, less than the {baseline} "
        "that the most frequent label alone would reach (the difference is {points} percentage points, {low} to "
        "{high}; {p}); its macro-F1 is {f1}."
    ),
    0: message(
        "The classifier {classifier} agrees with people on {own} of {texts} held-out texts, not clearly different from "
        "the {baseline} that the most frequent label alone would reach (the difference is {points} percentage points, "
        "{low} to {high}; {p}); its macro-F1 is {f1}."
    ),
}
RELATIONS_IN_BRIEF = {
    1: message(
        "Better than guessing: right on {own} of {texts} by the labels of the corpus; always guessing the most "
        "frequent label is right on {baseline}"
    ),
    -1: message(
        "Worse than guessing: right on {own} of {texts} by the labels of the corpus; always guessing the most frequent "
        "label is right on {baseline}"
    ),
    0: message(
        "Not clearly better than guessing: right on {own} of {texts} by the labels of the corpus; always guessing the "
        "most frequent label is right on {baseline}"
    ),
}
UNTESTED_IN_BRIEF = message(
    "Right on {own} of {texts} by the labels of the corpus; always guessing the most frequent label is right on "
    "{baseline}; too few documents for a comparison"
)
METHODS = {
    "classifier": message("classifier"),
    "majority": message("most frequent label"),
    "lexicon": message("VADER’s word list"),
    "human": message("one rater against the others"),
    "raters": message("the raters with each other"),
}

METRICS = {
    "accuracy": message("accuracy"),
    "macro_f1": message("macro-F1"),
    "micro_f1": message("micro-F1"),
    "precision": message("precision"),
    "recall": message("recall"),
    "f1": message("F1"),
    "accuracy_above_majority": message("accuracy above the most frequent label’s"),
    "calibration_error": message("calibration error"),
    "confidence_gap": message("mean probability less accuracy"),
    "krippendorff_alpha": message("Krippendorff’s α of labels"),
    "krippendorff_alpha_ratings": message("Krippendorff’s α of ratings"),
}


def opening(run: Run) -> Prose:
    """Say how often each classifier agrees with people on texts that it had not seen, next to a baseline."""
    return Prose(" ".join(sentences(run)) or none_comparable(run))


def none_comparable(run: Run) -> str:
    """Say that no single-label classifier can be compared with people; other kinds have sections of their own."""
    if run.cards.keys() != set(run.of_kind(SINGLE_LABEL)):
        return say(NONE_OF_ONE_LABEL)
    asked = run.rater_quality.loc[run.rater_quality["metric"] == "drawn", "question"]
    return say(NONE_COMPARABLE if run.cards.keys().isdisjoint(asked) else ONLY_RATERS)


def sentences(run: Run) -> list[str]:
    """Write a sentence on each classifier that can be compared with labels that people gave."""
    return [_sentence(run, classifier) for classifier in in_order(run.quality["classifier"])]


def _sentence(run: Run, classifier: str) -> str:
    """Say how often one classifier agrees with people, and whether that is more than the majority baseline."""
    overall = run.quality[(run.quality["classifier"] == classifier) & run.quality["label"].isna()]
    found = {(row["method"], row["metric"]): row for row in rows_of(overall)}
    own, baseline = found["classifier", "accuracy"], found["majority", "accuracy"]
    f1 = found["classifier", "macro_f1"]
    gain = found["classifier", "accuracy_above_majority"]
    macro_f1 = number_interval(f1["value"], f1["low"], f1["high"])
    if is_null(f1["low"]) and not is_null(own["low"]):
        macro_f1 += say(
            " (without an interval, since a label was given fewer than {fewest} times)",
            fewest=FEWEST_GIVEN,
        )
    reached = {
        "classifier": labelled(run, classifier),
        "own": percent_interval(own["value"], own["low"], own["high"]),
        "texts": count(own["texts"]),
        "baseline": percent_interval(baseline["value"], baseline["low"], baseline["high"]),
        "f1": macro_f1,
    }
    if is_null(gain["low"]):
        said = say(
            "The classifier {classifier} agrees with people on {own} of {texts} held-out texts, and the most frequent "
            "label alone would agree on {baseline}; its macro-F1 is {f1}.",
            **reached,
        )
        return f"{said} {too_few()}"
    points, low, high = (numeral(100 * gain[one], ".1f") for one in ("value", "low", "high"))
    relation = RELATIONS[verdicts.off_baseline(run).get(classifier, 0)]
    return say(relation, points=points, low=low, high=high, p=p_equals(gain["p_value"]), **reached)


def in_brief(run: Run, classifier: str) -> str | None:
    """Say in half a line how far a classifier agrees with the corpus' labels; None where there are none."""
    rows = run.quality[run.quality["classifier"] == classifier]
    found = {row["method"]: row for row in rows_of(rows[rows["metric"] == "accuracy"])}
    if not found:
        return None
    own, baseline = (percent(found[method]["value"]) for method in ("classifier", "majority"))
    relation = RELATIONS_IN_BRIEF[verdicts.off_baseline(run).get(classifier, 0)]
    return say(
        relation if _tested(rows) else UNTESTED_IN_BRIEF,
        own=own,
        texts=counted(found["classifier"]["texts"], "held-out text", "held-out texts"),
        baseline=baseline,
    )


def _tested(quality: pd.DataFrame) -> bool:
    """Whether there are documents enough to compare any of these classifiers with the most frequent label."""
    gains = quality[quality["metric"] == "accuracy_above_majority"]
    return bool(gains["p_value"].notna().any())


def scores(run: Run) -> Picture | Prose:
    """Draw accuracy, macro-F1 and each label's F1 with intervals, next to those of the baselines."""
    if run.quality.empty:
        return Prose(none_comparable(run))
    most = {one: set(given_most(part)) for one, part in parts_of(run.confusion, "classifier").items()}
    frame = run.quality[run.quality["metric"].isin(["accuracy", "macro_f1", "f1"])]
    of_shown = [is_null(row["label"]) or row["label"] in most[row["classifier"]] for row in rows_of(frame)]
    frame = frame[of_shown].assign(shown=[_metric(row) for row in rows_of(frame[of_shown])])
    used = set(frame["method"])
    methods = {say(shown): frame[frame["method"] == one] for one, shown in METHODS.items() if one in used}
    panels = [_panel(run, classifier, part, methods) for classifier, part in parts_of(frame, "classifier").items()]
    heights = [0.45 + len(panel.names) * (0.1 + 0.05 * len(methods)) for panel in panels]
    title = _scores_finding(run, in_order(frame["classifier"]))
    figure = interval_panels(title, panels, heights, legend_inches=0.4, spread=0.6, name_characters=26, sharex=True)
    with figure as (picture, axes):
        for axis in axes:
            axis.set_xlim(0, 1)
        axes[-1].set_xlabel(say("score, 0 to 1"))
        legend_below(picture, axes[0])
        descriptions = [
            f"{isolated(panel.heading)} {metric} ({method}) {numeral(value, '.2f')}"
            for panel in panels
            for method, rows in panel.series.items()
            for metric, value in rows["value"].items()
        ]
        kind = say("Points with {confidence} intervals", confidence=exact_percent(run.confidence))
        picture.alternative_text = f"{title}. {kind}: {', '.join(descriptions)}."
    return picture


def _metric(row: Row) -> str:
    """Name the metric of a row as the figure shows it."""
    metric = say(METRICS[row["metric"]])
    if is_null(row["label"]):
        return metric
    return say("{metric} of {label}", metric=metric, label=quotation(plain(shortened(row["label"], 60))))


def _panel(run: Run, classifier: str, scores: pd.DataFrame, methods: Mapping[str, pd.DataFrame]) -> Panel:
    """Show a classifier's scores by metric, a series for each method."""
    series = {shown: rows[rows["classifier"] == classifier].set_index("shown") for shown, rows in methods.items()}
    labels = run.confusion.loc[run.confusion["classifier"] == classifier, "human"].nunique()
    heading = heading_of_frequent(titled(run, classifier), scores["label"].nunique(), labels)
    return Panel(heading, in_order(scores["shown"]), series)


def _scores_finding(run: Run, classifiers: list[str]) -> str:
    """Say as a title which classifiers are clearly better than the majority baseline."""
    if not _tested(run.quality):
        return say("Too few documents to say whether a classifier is better than always giving the most frequent label")
    found = verdicts.off_baseline(run)
    better = [drawn(titled(run, classifier)) for classifier in classifiers if found.get(classifier, 0) > 0]
    if not better:
        return say("No classifier is clearly better than always giving the most frequent label")
    return say("Better than always giving the most frequent label: {classifiers}", classifiers=joined(better))


def every_score(run: Run) -> Table | Prose:
    """List every score with its interval."""
    rows = [
        [
            named(run, row["classifier"]),
            say(METHODS[row["method"]]),
            say(METRICS[row["metric"]]),
            name(row["label"]),
            say("not defined") if is_null(row["value"]) else numeral(row["value"], ".3f"),
            bounds(row["low"], row["high"], 3),
            count(row["texts"]),
        ]
        for row in rows_of(run.quality)
    ]
    header = [say("Classifier"), say("Method"), say("Measure"), say("Label"), say("Value")]
    header += [say("{confidence} interval", confidence=exact_percent(run.confidence)), say("Held-out texts")]
    return table(rows, header, numbers=header[4:]) if rows else Prose(none_comparable(run))


def confusion(run: Run) -> Picture | Prose:
    """Draw a confusion matrix for each classifier: labels that people gave against labels that the classifier gives."""
    return Prose(none_comparable(run)) if run.confusion.empty else draw_confusion(run)
