"""Show how labels and numbers change from the beginnings of long documents to their ends."""

import math

import pandas as pd

from samizdat.base.language import message, numeral, say
from samizdat.reporting import verdicts
from samizdat.reporting.frames import Row, parts_of, rows_of
from samizdat.reporting.interval_charts import interval_line
from samizdat.reporting.number_scale import digits_of
from samizdat.reporting.outside import labelled, titled
from samizdat.reporting.run import Run
from samizdat.reporting.style import (
    DASHES,
    Picture,
    described,
    in_percent,
    legend_columns,
    legend_label,
    panels_in_pairs,
    wrapped,
)
from samizdat.reporting.words import (
    Prose,
    count,
    counted,
    drawn,
    exact_percent,
    first_labels,
    is_null,
    joined,
    label,
    number_interval,
    percent,
    quotation,
)

_TOO_FEW = message("Too few documents to say whether labels or numbers change through them")
# Of a classifier, those that change most.
SHOWN_LABELS = 4
NAMED_LABELS = 3
NAMED_CHANGES = 6  # the clearest
_FALLS_OR_RISES = (
    message("by the classifier {classifier} the number falls by {value}"),
    message("by the classifier {classifier} the number rises by {value}"),
)
_LESS_OR_MORE = (
    message("by the classifier {classifier} {label} becomes less frequent, by {points}"),
    message("by the classifier {classifier} {label} becomes more frequent, by {points}"),
)


def opening(run: Run) -> Prose | None:
    """Say which labels and numbers change through long documents; nothing where no document is long."""
    rows = run.position_changes
    if rows.empty:
        return None
    if rows["p_holm"].isna().all():
        return Prose(f"{say(_TOO_FEW)}.")
    documents = counted(int(rows["documents"].max()), "document", "documents")
    found = sorted(verdicts.changing_through_documents(run), key=lambda row: row["p_value"])
    if not found:
        return Prose(
            say(
                "No change was found from the beginning to the end of the {documents} of five texts or more.",
                documents=documents,
            )
        )
    more = len(found) - NAMED_CHANGES
    others = [counted(more, "more change", "more changes")] if more > 0 else []
    return Prose(
        say(
            "From the beginning to the end of the {documents} of five texts or more: {changes}.",
            documents=documents,
            changes=joined([*(_change(run, row) for row in found[:NAMED_CHANGES]), *others]),
        )
    )


def _change(run: Run, row: Row) -> str:
    """Say by how much a label's share, or the number, changes, with an interval of the same sign."""
    sign = 1 if row["value"] > 0 else -1
    value, low, high = (sign * row[bound] for bound in ("value", *(("low", "high")[::sign])))
    who = labelled(run, row["classifier"])
    if is_null(row["label"]):
        written = number_interval(value, low, high, digits_of(run, row["classifier"]))
        return say(_FALLS_OR_RISES[sign > 0], classifier=who, value=written)
    # A rare label may change by a part of a point, which is not 0.
    digits = max(1, math.ceil(-math.log10(100 * value)))
    points = say(
        "{value} ({low} to {high})\u00a0percentage points",
        **{
            bound: numeral(100 * share, f".{digits}f")
            for bound, share in (("value", value), ("low", low), ("high", high))
        },
    )
    return say(_LESS_OR_MORE[sign > 0], classifier=who, label=label(row["label"]), points=points)


def chart(run: Run) -> Picture | Prose:
    """Draw for each classifier the shares of the labels that change most, or the mean, in each fifth of documents."""
    classifiers = parts_of(run.positions, "classifier")
    if not classifiers:
        return Prose(say("There are too few documents of five texts or more to follow labels through them."))
    title = _finding(run)
    with panels_in_pairs(title, len(classifiers), 2.6, 0.3) as (picture, axes):
        described_parts = []
        for axis, (classifier, rows) in zip(axes, classifiers.items(), strict=True):
            series = _shown(run, classifier, rows)
            for number, (words, part) in enumerate(series.items()):
                interval_line(
                    axis, part["part"], part["value"], part["low"], part["high"],
                    series=number, label=legend_label(words, 24), linestyle=DASHES[number % len(DASHES)],
                )  # fmt: skip
                values = (_value(run, row) for row in rows_of(part))
                described_parts.append(f"{drawn(titled(run, classifier))}, {drawn(words)}: {', '.join(values)}")
            axis.set_title(wrapped(titled(run, classifier), 40))
            axis.set(xlabel=say("fifth of a document"), xticks=range(1, 6))
            if rows["label"].notna().all():
                axis.yaxis.set_major_formatter(in_percent())
                axis.set_ylim(bottom=0)
            labels = axis.get_legend_handles_labels()[1]
            every = rows["label"].nunique()
            chosen = say("the {shown} of {all} labels that change most", shown=SHOWN_LABELS, all=count(every))
            axis.legend(
                ncols=legend_columns(labels, 2, 3.6), loc="upper left", bbox_to_anchor=(0, -0.2), alignment="left",
                title=chosen if every > SHOWN_LABELS else None, title_fontsize="small",
            )  # fmt: skip
        confidence = exact_percent(run.confidence)
        kind = say("Lines over the five parts of documents, with {confidence} intervals", confidence=confidence)
        picture.alternative_text = described(title, kind, described_parts)
    return picture


def _shown(run: Run, classifier: str, rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Choose the labels that change most, in the classifier's order: words of the legend → rows of five parts."""
    if rows["label"].isna().all():
        return {say("mean"): rows}
    changes = run.position_changes[run.position_changes["classifier"] == classifier]
    most = changes.reindex(changes["value"].abs().sort_values(ascending=False, kind="stable").index)
    chosen = set(most["label"].head(SHOWN_LABELS))
    return {words: part for words, part in parts_of(rows, "label").items() if words in chosen}


def _value(run: Run, row: Row) -> str:
    form = f".{digits_of(run, row['classifier'])}f"
    return numeral(row["value"], form) if is_null(row["label"]) else percent(row["value"])


def _finding(run: Run) -> str:
    if run.position_changes["p_holm"].isna().all():
        return say(_TOO_FEW)
    found = verdicts.changing_through_documents(run)
    if not found:
        return say("No label or number was found to change through documents")
    names = list(dict.fromkeys(row["label"] for row in found if not is_null(row["label"])))
    if not names:
        return say("Through documents a number changes")
    told = first_labels(names, NAMED_LABELS, lambda one: quotation(drawn(one)))
    return say("Through documents the share of {labels} changes", labels=told)
