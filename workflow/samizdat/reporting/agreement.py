"""Show how often each classifier agrees with people, and which labels it takes for which."""

from collections.abc import Mapping

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from samizdat.base.escaping import plain, shortened
from samizdat.measures.label_metrics import FEWEST_GIVEN
from samizdat.records.classifiers import SINGLE_LABEL
from samizdat.reporting import verdicts
from samizdat.reporting.frames import Row, in_order, parts_of, rows_of
from samizdat.reporting.interval_charts import Panel, interval_panels
from samizdat.reporting.outside import labelled, named, titled
from samizdat.reporting.run import Run
from samizdat.reporting.style import Picture, described, legend_below, panels_in_pairs, wrapped
from samizdat.reporting.words import (
    Prose,
    Table,
    bounds,
    count,
    counted,
    drawn,
    is_null,
    joined,
    name,
    number_interval,
    p_equals,
    percent,
    percent_interval,
    table,
    too_few,
)

NONE_COMPARABLE = (
    "The corpus has no labels that a classifier can be compared with, so it is not known how good the classifiers are "
    "here."
)
ONLY_RATERS = (
    "The corpus has no labels that a classifier can be compared with. What raters say of drawn texts is in the section "
    "about people who were asked."
)
NONE_OF_ONE_LABEL = (
    "The corpus has no labels that a classifier which gives each text one label can be compared with. What is known of "
    "the others is in the sections about them."
)
RELATIONS = {1: "more than", -1: "less than", 0: "not clearly different from"}
METHODS = {
    "classifier": "classifier",
    "majority": "most frequent label",
    "lexicon": "VADER’s word list",
    "human": "one rater against the others",
    "raters": "the raters with each other",
}

METRICS = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "micro_f1": "micro-F1",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "accuracy_above_majority": "accuracy above the most frequent label’s",
    "calibration_error": "calibration error",
    "confidence_gap": "mean probability less accuracy",
    "krippendorff_alpha": "Krippendorff’s α of labels",
    "krippendorff_alpha_ratings": "Krippendorff’s α of ratings",
}
# Labels below a confusion matrix are horizontal where there are at most so many, with so many characters in all.
UPRIGHT_LABELS, MATRIX_CHARACTERS = 4, 40


def opening(run: Run) -> Prose:
    """Say how often each classifier agrees with people on texts that it had not seen, next to a baseline."""
    return Prose(" ".join(sentences(run)) or none_comparable(run))


def none_comparable(run: Run) -> str:
    """Say that no single-label classifier can be compared with people; other kinds have sections of their own."""
    if run.cards.keys() != set(run.of_kind(SINGLE_LABEL)):
        return NONE_OF_ONE_LABEL
    asked = run.rater_quality.loc[run.rater_quality["metric"] == "drawn", "question"]
    return NONE_COMPARABLE if run.cards.keys().isdisjoint(asked) else ONLY_RATERS


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
    sign = verdicts.off_baseline(run).get(classifier, 0)
    verdict = RELATIONS[sign]
    start = (
        f"The classifier {labelled(run, classifier)} agrees with people on "
        f"{percent_interval(own['value'], own['low'], own['high'])} of {count(own['texts'])} held-out texts"
    )
    end = f"its macro-F1 is {number_interval(f1['value'], f1['low'], f1['high'])}"
    if is_null(f1["low"]) and not is_null(own["low"]):
        end += f" (without an interval, since a label was given fewer than {FEWEST_GIVEN} times)"
    reached = percent_interval(baseline["value"], baseline["low"], baseline["high"])
    if is_null(gain["low"]):
        few = too_few()
        return f"{start}, and the most frequent label alone would agree on {reached}; {end}. {few}"
    points = [f"{100 * gain[one]:.1f}" for one in ("value", "low", "high")]
    return (
        f"{start}, {verdict} the {reached} that the most frequent label alone would reach (the difference is "
        f"{points[0]} percentage points, {points[1]} to {points[2]}; {p_equals(gain['p_value'])}); {end}."
    )


def in_brief(run: Run, classifier: str) -> str | None:
    """Say in half a line how far a classifier agrees with the corpus' labels; None where there are none."""
    rows = run.quality[(run.quality["classifier"] == classifier) & (run.quality["metric"] == "accuracy")]
    found = {row["method"]: row for row in rows_of(rows)}
    if not found:
        return None
    own, baseline = (percent(found[method]["value"]) for method in ("classifier", "majority"))
    relation = RELATIONS[verdicts.off_baseline(run).get(classifier, 0)]
    return (
        f"It agrees with people on {own} of {counted(found['classifier']['texts'], 'held-out text')}, {relation} the "
        f"{baseline} of always giving the most frequent label"
    )


def scores(run: Run) -> Picture | Prose:
    """Draw accuracy, macro-F1 and each label's F1 with intervals, next to those of the baselines."""
    if run.quality.empty:
        return Prose(none_comparable(run))
    frame = run.quality[run.quality["metric"].isin(["accuracy", "macro_f1", "f1"])]
    frame = frame.assign(shown=[_metric(row) for row in rows_of(frame)])
    methods = {shown: frame[frame["method"] == one] for one, shown in METHODS.items() if one in set(frame["method"])}
    panels = [_panel(run, classifier, part, methods) for classifier, part in parts_of(frame, "classifier").items()]
    heights = [0.45 + 0.1 * len(panel.names) * len(methods) for panel in panels]
    title = _scores_finding(run, in_order(frame["classifier"]))
    figure = interval_panels(title, panels, heights, legend_inches=0.4, spread=0.6, name_characters=26, sharex=True)
    with figure as (picture, axes):
        for axis in axes:
            axis.set_xlim(0, 1)
        axes[-1].set_xlabel("score, 0 to 1")
        legend_below(picture, axes[0])
        descriptions = [
            f"{drawn(panel.heading)} {metric} ({method}) {value:.2f}"
            for panel in panels
            for method, rows in panel.series.items()
            for metric, value in rows["value"].items()
        ]
        picture.alternative_text = (
            f"{title}. Points with {percent(run.confidence)} intervals: " + ", ".join(descriptions) + "."
        )
    return picture


def _metric(row: Row) -> str:
    """Name the metric of a row as the figure shows it."""
    return METRICS[row["metric"]] + ("" if is_null(row["label"]) else f" of “{plain(shortened(row['label'], 60))}”")


def _panel(run: Run, classifier: str, scores: pd.DataFrame, methods: Mapping[str, pd.DataFrame]) -> Panel:
    """Show a classifier's scores by metric, a series for each method."""
    series = {shown: rows[rows["classifier"] == classifier].set_index("shown") for shown, rows in methods.items()}
    return Panel(titled(run, classifier), in_order(scores["shown"]), series)


def _scores_finding(run: Run, classifiers: list[str]) -> str:
    """Say as a title which classifiers are clearly better than the majority baseline."""
    found = verdicts.off_baseline(run)
    better = [drawn(titled(run, classifier)) for classifier in classifiers if found.get(classifier, 0) > 0]
    if not better:
        return "No classifier is clearly better than always giving the most frequent label"
    return f"Better than always giving the most frequent label: {joined(better)}"


def every_score(run: Run) -> Table | Prose:
    """List every score with its interval."""
    rows = [
        [
            named(run, row["classifier"]),
            METHODS[row["method"]],
            METRICS[row["metric"]],
            name(row["label"]),
            f"{row['value']:.3f}",
            bounds(row["low"], row["high"], 3),
            count(row["texts"]),
        ]
        for row in rows_of(run.quality)
    ]
    header = [
        "Classifier",
        "Method",
        "Measure",
        "Label",
        "Value",
        f"{percent(run.confidence)} interval",
        "Held-out texts",
    ]
    return table(rows, header, numbers=header[4:]) if rows else Prose(none_comparable(run))


def confusion(run: Run) -> Picture | Prose:
    """Draw a confusion matrix for each classifier: labels that people gave against labels that the classifier gives."""
    if run.confusion.empty:
        return Prose(none_comparable(run))
    tables = {
        classifier: part.pivot(index="human", columns="predicted", values="count").reindex(
            index=in_order(part["human"]), columns=in_order(part["predicted"])
        )
        for classifier, part in parts_of(run.confusion, "classifier").items()
    }
    title = _confusion_finding(run, tables)
    widest = max(len(counts) for counts in tables.values())
    words = [word for counts in tables.values() for one in counts.columns for word in drawn(one).split()]
    upright = widest <= UPRIGHT_LABELS and max(map(len, words)) <= MATRIX_CHARACTERS // widest
    width = MATRIX_CHARACTERS // widest if upright else 24
    height = (1.25 if upright else 2.3) + 0.36 * widest
    with panels_in_pairs(title, len(tables), height, 0.2) as (picture, axes):
        for axis, (classifier, counts) in zip(axes, tables.items(), strict=True):
            _matrix(axis, counts, width)
            axis.set_title(wrapped(titled(run, classifier), 40))
            axis.tick_params(axis="x", length=0, rotation=0 if upright else 90)
            axis.tick_params(axis="y", length=0, rotation=0)
        picture.alternative_text = described(
            title,
            "Confusion matrices with counts of held-out texts",
            [
                f"{drawn(titled(run, classifier))}, people say {drawn(human)}: "
                + ", ".join(f"{drawn(predicted)} {number:,}" for predicted, number in line.items())
                for classifier, counts in tables.items()
                for human, line in _lines(counts)
            ],
        )
    return picture


def _matrix(axis: Axes, counts: pd.DataFrame, width: int) -> None:
    """Draw a confusion matrix with a row for each label that people gave, coloured by its share of the row.

    Args:
        axis: where to draw.
        counts: texts by label that people gave (index) and label that the classifier gives (columns).
        width: characters of a line of a label below the matrix.
    """
    given = counts.sum(axis=1)
    sns.heatmap(
        counts.div(given.where(given > 0, 1), axis=0), annot=counts, fmt=",d", cmap="Blues", vmin=0, vmax=1, cbar=False,
        ax=axis, linewidths=1.5, linecolor="white", annot_kws={"fontsize": 8.5},
        xticklabels=[wrapped(one, width, 2) for one in counts.columns],
        yticklabels=[wrapped(one, 16, 3) for one in counts.index],
    )  # fmt: skip
    axis.set(xlabel="the classifier says", ylabel="people say")


def _lines(counts: pd.DataFrame) -> list[tuple[str, dict[str, int]]]:
    """List the lines of a confusion matrix: the label that people gave, and how often the classifier gives which."""
    return [
        (human, dict(zip(counts.columns, line, strict=True)))
        for human, line in zip(counts.index, counts.to_numpy().tolist(), strict=True)
    ]


def _confusion_finding(run: Run, tables: Mapping[str, pd.DataFrame]) -> str:
    """Say as a title which label is most often taken for which other."""
    worst = (0, "Every held-out text got the label that people gave it")
    for classifier, counts in tables.items():
        for human, line in _lines(counts):
            for predicted, number in line.items():
                if human != predicted and number > worst[0]:
                    share = number / sum(line.values())
                    words = f"of what people call “{drawn(human)}”, {percent(share)} is called “{drawn(predicted)}”"
                    worst = (number, f"Most often confused by {drawn(titled(run, classifier))}: {words}")
    return worst[1]
