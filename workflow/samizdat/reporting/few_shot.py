"""Show how often few-shot classifiers are right after fewer examples, next to other classifiers of the same labels."""

import pandas as pd

from samizdat.base.language import message, numeral, say
from samizdat.records.classifiers import ACCURACY_BY_EXAMPLES
from samizdat.records.io import read_table
from samizdat.reporting.frames import Row, rows_of
from samizdat.reporting.interval_charts import interval_line
from samizdat.reporting.outside import titled
from samizdat.reporting.run import Run
from samizdat.reporting.style import (
    DASHES,
    PALETTE,
    Picture,
    described,
    drawing,
    in_percent,
    legend_below,
    legend_label,
)
from samizdat.reporting.words import Prose, counted, drawn, exact_percent, percent, percent_interval

NONE = message("No classifier of this run was shown examples.")


def measured(run: Run) -> dict[str, pd.DataFrame]:
    """Read how often each few-shot classifier is right: name → `records.classifiers.ACCURACY_BY_EXAMPLES`."""
    folder = run.folder / "scores"
    return {
        name: read_table(folder / name / "accuracy_by_examples.parquet", ACCURACY_BY_EXAMPLES)
        for name, card in run.cards.items()
        if card.words
    }


def accuracy(run: Run) -> Picture | Prose:
    """Draw the share of held-out texts with the label that people gave, by the number of examples."""
    found = measured(run)
    rows = {name: frame for name, frame in found.items() if frame["value"].notna().all()}
    if not rows:
        without = say("No held-out text has a human label to measure few-shot classifiers with.")
        return Prose(without if found else say(NONE))
    numbers = sorted({int(number) for frame in rows.values() for number in frame["examples"]})
    title = ". ".join(_finding(run, name, rows_of(frame)) for name, frame in rows.items())
    said = []
    with drawing(title, 2.9) as (picture, (axis,)):
        for series, (name, frame) in enumerate(rows.items()):
            words, places = titled(run, name), frame["examples"].map(numbers.index)
            interval_line(
                axis, places, frame["value"], frame["low"], frame["high"], series=series, label=legend_label(words, 40)
            )
            values = (
                say(
                    "{share} after {examples}",
                    share=percent_interval(row["value"], row["low"], row["high"]),
                    examples=numeral(row["examples"], "d"),
                )
                for row in rows_of(frame)
            )
            said.append(f"{drawn(words)}: {', '.join(values)}")
        for number, (name, other) in enumerate(_others(run, list(rows)).items()):
            words = titled(run, name)
            axis.axhline(
                other["value"], color=PALETTE[(len(rows) + number) % len(PALETTE)], linestyle=DASHES[1 + number % 3],
                label=legend_label(words, 40),
            )  # fmt: skip
            texts = counted(other["texts"], "held-out text", "held-out texts")
            of_all = message("{who}: {share} of the {texts} that it gave a label")
            said.append(say(of_all, who=drawn(words), share=percent(other["value"]), texts=texts))
        axis.set_xticks(range(len(numbers)), [str(number) for number in numbers])
        axis.set(xlabel=say("examples read before each text"), ylabel=say("right labels"))
        axis.yaxis.set_major_formatter(in_percent())
        legend_below(picture, axis)
        kind = say("Lines of points with {confidence} intervals", confidence=exact_percent(run.confidence))
        picture.alternative_text = described(title, kind, said)
    return picture


def _finding(run: Run, name: str, rows: list[Row]) -> str:
    """Say in how many texts a classifier is right after none and after all of its examples."""
    first, last = rows[0], rows[-1]
    who, share = drawn(titled(run, name)), percent(last["value"])
    texts = counted(last["texts"], "held-out text", "held-out texts")
    if not last["examples"]:
        return say("{who} is right in {share} of {texts} without examples", who=who, share=share, texts=texts)
    return say(
        "{who} is right in {share} of {texts} after {examples}, in {share_before} without any",
        who=who,
        share=share,
        texts=texts,
        examples=counted(last["examples"], "example", "examples"),
        share_before=percent(first["value"]),
    )


def _others(run: Run, shown: list[str]) -> dict[str, Row]:
    """Return the row of the accuracy of the other classifiers of the same human labels, by name."""
    columns = {run.cards[name].label_column for name in shown}
    quality = run.quality[(run.quality["method"] == "classifier") & (run.quality["metric"] == "accuracy")]
    return {
        row["classifier"]: row
        for row in rows_of(quality)
        if row["label_column"] in columns and row["classifier"] not in shown
    }
