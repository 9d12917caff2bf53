"""Draw which labels classifiers take for which."""

from collections.abc import Mapping

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from samizdat.base.language import say
from samizdat.reporting.frames import in_order, parts_of
from samizdat.reporting.largest_groups import SHOWN_LABELS, heading_of_frequent
from samizdat.reporting.outside import titled
from samizdat.reporting.run import Run
from samizdat.reporting.style import Picture, described, panels_in_pairs, wrapped
from samizdat.reporting.words import count, drawn, percent, quotation

# Labels below a confusion matrix are horizontal where there are at most so many, with so many characters in all.
UPRIGHT_LABELS, MATRIX_CHARACTERS = 4, 40


def draw_confusion(run: Run) -> Picture:
    """Draw a matrix for each classifier: a row for each label that people gave, a column for each that it gives.

    Of many labels those are drawn that are given most.
    """
    tables = parts_of(run.confusion, "classifier")
    title = _confusion_finding(run, tables)
    shown = {classifier: given_most(part) for classifier, part in tables.items()}
    widest = max(map(len, shown.values()))
    words = [word for labels in shown.values() for one in labels for word in drawn(one).split()]
    upright = widest <= UPRIGHT_LABELS and max(map(len, words)) <= MATRIX_CHARACTERS // widest
    width = MATRIX_CHARACTERS // widest if upright else 24
    height = (1.25 if upright else 2.3) + 0.36 * widest
    with panels_in_pairs(title, len(tables), height, 0.2) as (picture, axes):
        for axis, (classifier, part) in zip(axes, tables.items(), strict=True):
            _matrix(axis, part, shown[classifier], width)
            heading = heading_of_frequent(titled(run, classifier), len(shown[classifier]), part["human"].nunique())
            axis.set_title(wrapped(heading, 40))
            axis.tick_params(axis="x", length=0, rotation=0 if upright else 90)
            axis.tick_params(axis="y", length=0, rotation=0)
        picture.alternative_text = described(
            title,
            say("Confusion matrices with counts of held-out texts"),
            [
                say("{classifier}, people say {label}: ", classifier=drawn(titled(run, classifier)), label=drawn(human))
                + ", ".join(f"{drawn(predicted)} {count(number)}" for predicted, number in line.items())
                for classifier, part in tables.items()
                for human, line in _lines(_square(part, shown[classifier]))
            ],
        )
    return picture


def given_most(confusion: pd.DataFrame) -> list[str]:
    """Choose the labels of a classifier that people and the classifier together gave most, in its own order."""
    human, predicted = (confusion.groupby(side, sort=False)["count"].sum() for side in ("human", "predicted"))
    most = set((human + predicted).sort_values(ascending=False, kind="stable").index[:SHOWN_LABELS])
    return [one for one in in_order(confusion["human"]) if one in most]


def _square(confusion: pd.DataFrame, labels: list[str]) -> pd.DataFrame:
    """Make a table of counts with a row for each label that people gave and a column for each that is predicted."""
    part = confusion[confusion["human"].isin(labels) & confusion["predicted"].isin(labels)]
    counts = part.pivot(index="human", columns="predicted", values="count").reindex(index=labels, columns=labels)
    return counts.fillna(0).astype(int)


def _matrix(axis: Axes, confusion: pd.DataFrame, labels: list[str], width: int) -> None:
    """Draw a confusion matrix with a row for each label that people gave, coloured by its share of the row.

    Args:
        axis: where to draw.
        confusion: `records.statistics.CONFUSION` of one classifier.
        labels: those that are drawn; a row's share is of all.
        width: characters of a line of a label below the matrix.
    """
    given = confusion.groupby("human", sort=False)["count"].sum()[labels]
    counts = _square(confusion, labels)
    sns.heatmap(
        counts.div(given.where(given > 0, 1), axis=0), annot=counts.map(count), fmt="", cmap="Blues", vmin=0, vmax=1,
        cbar=False, ax=axis, linewidths=1.5, linecolor="white", annot_kws={"fontsize": 8.5},
        xticklabels=[wrapped(one, width, 2) for one in counts.columns],
        yticklabels=[wrapped(one, 16, 3) for one in counts.index],
    )  # fmt: skip
    axis.set(xlabel=say("the classifier says"), ylabel=say("people say"))


def _lines(counts: pd.DataFrame) -> list[tuple[str, dict[str, int]]]:
    """List the lines of a confusion matrix: the label that people gave, and how often the classifier gives which."""
    return [
        (human, dict(zip(counts.columns, line, strict=True)))
        for human, line in zip(counts.index, counts.to_numpy().tolist(), strict=True)
    ]


def _confusion_finding(run: Run, tables: Mapping[str, pd.DataFrame]) -> str:
    """Say as a title which label is most often taken for which other."""
    worst = (0, say("Every held-out text got the label that people gave it"))
    for classifier, part in tables.items():
        wrong = part[part["human"] != part["predicted"]]
        if wrong.empty or wrong["count"].max() <= worst[0]:
            continue
        human, predicted, number = wrong[["human", "predicted", "count"]].to_numpy()[wrong["count"].argmax()]
        found = say(
            "Most often confused by {classifier}: of what people call {human}, {share} is called {predicted}",
            classifier=drawn(titled(run, classifier)),
            human=quotation(drawn(human)),
            share=percent(number / part.loc[part["human"] == human, "count"].sum()),
            predicted=quotation(drawn(predicted)),
        )
        worst = (number, found)
    return worst[1]
