"""How often each classifier agrees with people, and which labels it takes for which."""

import pandas as pd
import seaborn as sns

from samizdat.reporting.run import Run
from samizdat.reporting.style import Picture, drawing, interval_points, legend_below, wrapped
from samizdat.reporting.words import (
    Prose,
    Table,
    count,
    drawn,
    joined,
    label,
    name,
    number_interval,
    percent,
    percent_interval,
    table,
)

NONE_COMPARABLE = (
    "No classifier can be held against a label that people gave, so nothing is known here of how good they are."
)
METHODS = {
    "classifier": "classifier",
    "majority": "most frequent label",
    "lexicon": "VADER’s word list",
    "human": "one rater against the others",
}

# What finds room side by side below a confusion matrix.
UPRIGHT_LABELS, MATRIX_CHARACTERS = 4, 40


def opening(run: Run) -> Prose:
    """How often each classifier agrees with people on texts that it had not seen, and against what baseline."""
    return Prose(" ".join(sentences(run)) or NONE_COMPARABLE)


def sentences(run: Run) -> list[str]:
    """For each classifier that people's labels can be held against, its scores beside the majority baseline."""
    return [_sentence(run, classifier) for classifier in dict.fromkeys(run.quality["classifier"])]


def _sentence(run: Run, classifier: str) -> str:
    overall = run.quality[(run.quality["classifier"] == classifier) & run.quality["label"].isna()]
    found = {(row["method"], row["metric"]): row for row in overall.to_dict("records")}
    own, baseline = found["classifier", "accuracy"], found["majority", "accuracy"]
    f1 = found["classifier", "macro_f1"]
    verdict = {1: "more than", -1: "less than", 0: "not clearly different from"}[against_baseline(run, classifier)]
    return (
        f"The classifier {label(classifier)} agrees with people on "
        f"{percent_interval(own['value'], own['low'], own['high'])} of {count(own['texts'])} held-out texts, "
        f"{verdict} the {percent_interval(baseline['value'], baseline['low'], baseline['high'])} that the most "
        f"frequent label alone would reach; its macro-F1 is {number_interval(f1['value'], f1['low'], f1['high'])}."
    )


def against_baseline(run: Run, classifier: str) -> int:
    """1 or -1 where the accuracy is clearly above or below the majority baseline's, 0 where their intervals meet."""
    rows = run.quality[(run.quality["classifier"] == classifier) & (run.quality["metric"] == "accuracy")]
    own, baseline = (rows[rows["method"] == method].iloc[0] for method in ("classifier", "majority"))
    return int(own["low"] > baseline["high"]) - int(own["high"] < baseline["low"])


def scores(run: Run) -> Picture | Prose:
    """Accuracy, macro-F1 and each label's F1 with intervals, beside the majority baseline."""
    if run.quality.empty:
        return Prose(NONE_COMPARABLE)
    frame = run.quality[run.quality["metric"].isin(["accuracy", "macro_f1", "f1"])]
    names = list(dict.fromkeys(frame["classifier"]))
    measured = [_measured(frame[frame["classifier"] == classifier]) for classifier in names]
    better = [classifier for classifier in names if against_baseline(run, classifier) > 0]
    title = (
        f"Better than always giving the most frequent label: {joined(drawn(one) for one in better)}"
        if better
        else "No classifier is clearly better than always giving the most frequent label"
    )
    methods = {one: shown for one, shown in METHODS.items() if one in set(frame["method"])}
    heights = [0.45 + 0.14 * len(dict.fromkeys(row["shown"] for row in rows)) * len(methods) for rows in measured]
    with drawing(title, 0.75 + sum(heights), rows=len(names), height_ratios=heights, sharex=True) as (picture, axes):
        descriptions = []
        for axis, classifier, rows in zip(axes, names, measured, strict=True):
            places = {metric: place for place, metric in enumerate(dict.fromkeys(row["shown"] for row in rows))}
            for series, (method, shown) in enumerate(methods.items()):
                some = [row for row in rows if row["method"] == method]
                interval_points(
                    axis,
                    [places[row["shown"]] + (series - (len(methods) - 1) / 2) * 0.6 / len(methods) for row in some],
                    [row["value"] for row in some],
                    [row["low"] for row in some],
                    [row["high"] for row in some],
                    series=series,
                    label=shown,
                )
                descriptions += [f"{drawn(classifier)} {row['shown']} ({shown}) {row['value']:.2f}" for row in some]
            axis.set_yticks(range(len(places)), [wrapped(one, 26, 2) for one in places])
            axis.set_ylim(len(places) - 0.4, -0.6)
            axis.set_xlim(0, 1)
            axis.set_title(wrapped(classifier, 60))
            axis.grid(visible=False, axis="y")
        axes[-1].set_xlabel("score, 0 to 1")
        legend_below(picture, axes[0])
        picture.alternative_text = (
            f"{title}. Points with {percent(run.confidence)} intervals: " + ", ".join(descriptions) + "."
        )
    return picture


def _measured(frame: pd.DataFrame) -> list[dict]:
    """The rows of a quality figure, each with the words to show for its metric."""
    words = {"accuracy": "accuracy", "macro_f1": "macro-F1"}
    return [
        row | {"shown": words.get(row["metric"], f"F1 of “{drawn(str(row['label']))}”")}
        for row in frame.to_dict("records")
    ]


def every_score(run: Run) -> Table | Prose:
    """Every quality number with its interval."""
    words = {"macro_f1": "macro-F1", "f1": "F1", "calibration_error": "calibration error"}
    rows = [
        [
            name(row["classifier"]),
            METHODS[row["method"]],
            words.get(row["metric"], row["metric"]),
            name(row["label"]),
            f"{row['value']:.3f}",
            f"{row['low']:.3f} to {row['high']:.3f}",
            count(row["texts"]),
        ]
        for row in run.quality.to_dict("records")
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
    return table(rows, header, numbers=header[4:]) if rows else Prose(NONE_COMPARABLE)


def confusion(run: Run) -> Picture | Prose:
    """Of the texts that people gave a label, how many the classifier gave which, for each classifier."""
    if run.confusion.empty:
        return Prose(NONE_COMPARABLE)
    names = list(dict.fromkeys(run.confusion["classifier"]))
    tables = {
        classifier: part.pivot(index="human", columns="predicted", values="count").reindex(
            index=list(dict.fromkeys(part["human"])), columns=list(dict.fromkeys(part["predicted"]))
        )
        for classifier, part in run.confusion.groupby("classifier", sort=False)
    }
    title = _confusion_finding(tables)
    columns = min(2, len(names))
    rows = -(-len(names) // columns)
    widest = max(len(counts) for counts in tables.values())
    words = [word for counts in tables.values() for one in counts.columns for word in drawn(one).split()]
    upright = widest <= UPRIGHT_LABELS and max(map(len, words)) <= MATRIX_CHARACTERS // widest
    width = MATRIX_CHARACTERS // widest if upright else 24
    height = (1.25 if upright else 2.3) + 0.36 * widest
    with drawing(title, 0.6 + rows * height, rows=rows, columns=columns) as (picture, axes):
        for axis in axes[len(names) :]:
            axis.set_axis_off()
        descriptions = []
        for axis, (classifier, counts) in zip(axes, tables.items(), strict=False):
            given = counts.sum(axis=1)
            row_shares = counts.div(given.where(given > 0, 1), axis=0)
            sns.heatmap(
                row_shares, annot=counts, fmt=",d", cmap="Blues", vmin=0, vmax=1, cbar=False, ax=axis, linewidths=1.5,
                linecolor="white", annot_kws={"fontsize": 8.5},
                xticklabels=[wrapped(one, width, 2) for one in counts.columns],
                yticklabels=[wrapped(one, 16, 3) for one in counts.index],
            )  # fmt: skip
            axis.set(xlabel="the classifier says", ylabel="people say")
            axis.set_title(wrapped(classifier, 40))
            axis.tick_params(axis="x", length=0, rotation=0 if upright else 90)
            axis.tick_params(axis="y", length=0, rotation=0)
            descriptions += [
                f"{drawn(classifier)}, people say {drawn(one)}: "
                + ", ".join(f"{drawn(other)} {number:,}" for other, number in line.items())
                for one, line in counts.iterrows()
            ]
        picture.alternative_text = (
            f"{title}. Confusion matrices with counts of held-out texts. " + "; ".join(descriptions) + "."
        )
    return picture


def _confusion_finding(tables: dict[str, pd.DataFrame]) -> str:
    """The most frequent confusion, in words."""
    worst = (0, "Every held-out text got the label that people gave it")
    for classifier, counts in tables.items():
        for human, line in counts.iterrows():
            for predicted, number in line.items():
                if human != predicted and number > worst[0]:
                    share = number / line.sum()
                    words = f"of what people call “{drawn(human)}”, {percent(share)} is called “{drawn(predicted)}”"
                    worst = (number, f"Most often confused by {drawn(classifier)}: {words}")
    return worst[1]
