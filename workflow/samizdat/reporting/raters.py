"""Show what people said of drawn texts: how far they agree, how good classifiers are by them, who wrote the texts."""

from samizdat.records.classifiers import MULTI_LABEL, NUMBER, SINGLE_LABEL
from samizdat.records.labels import ORIGIN
from samizdat.reporting import verdicts
from samizdat.reporting.agreement import none_comparable
from samizdat.reporting.frames import Row, in_order, rows_of
from samizdat.reporting.outside import labelled, named
from samizdat.reporting.run import Run
from samizdat.reporting.words import (
    Prose,
    Table,
    bounds,
    count,
    counted,
    is_null,
    joined,
    label,
    name,
    number_interval,
    p_equals,
    percent,
    percent_interval,
    table,
)

METRICS = {
    "accuracy": "accuracy",
    "micro_f1": "micro-F1",
    "f1": "F1",
    "spearman": "Spearman’s ρ with people",
    "mean": "mean, as people say",
    "above_people": "mean, above that of people",
    "mean_absolute_error": "mean distance from people",
    "precision": "precision",
    "recall": "recall",
    "share": "share, as people say",
    "difference": "texts called a person’s, more often than samples",
    "krippendorff_alpha": "Krippendorff’s α of the raters",
    "kappa": "Cohen’s κ of two raters",
}
_ORIGIN = "person or model"
NONE_ASKED = "People were not asked about this run."
NOT_KNOWN = "How often it is right here is not known, since people did not label these texts for it"
_HOW = (
    "Raters saw texts and samples mixed, without a sign of which is which. The label of a text is the one that most "
    "raters gave. Estimates are for all texts or samples that could have been drawn: a row counts for as many as it "
    "was drawn from."
)
_TOLD = {
    1: "**People can tell samples from texts.**",
    -1: "**People take samples for a person’s more often than texts.**",
    0: "**No sign that people can tell samples from texts was found.**",
}


def opening(run: Run) -> Prose:
    """Say of each question what people labelled, how far they agree, and what follows; and what nobody labelled."""
    asked = in_order(run.rater_quality.loc[run.rater_quality["metric"] == "drawn", "question"])
    said = [_HOW, *(_of_question(run, question) for question in asked)] if asked else []
    return Prose("\n\n".join([*said, *_lacking(run)]) or (NONE_ASKED if run.cards else none_comparable(run)))


def _found(run: Run, question: str) -> dict[tuple[str, str | None], Row]:
    """Return the rows of a question that are of all raters and labels, by metric and subset."""
    rows = run.rater_quality[(run.rater_quality["question"] == question) & run.rater_quality["label"].isna()]
    rows = rows[rows["rater"].isna()]
    return {(row["metric"], None if is_null(row["subset"]) else row["subset"]): row for row in rows_of(rows)}


def _of_question(run: Run, question: str) -> str:
    found = _found(run, question)
    drawn, undecided = found["drawn", None]["rows"], found["undecided", None]["rows"]
    words = {"undecided": "got no one label from most raters", "gone": "are not in the run any more",
             "seen": "got no label from the classifier, or it was trained on them since"}  # fmt: skip
    left = [
        f"{count(found[metric, None]['rows'])} {what}"
        for metric, what in words.items()
        if metric in ("gone", "seen") and (metric, None) in found and found[metric, None]["rows"]
    ]
    kind = SINGLE_LABEL if question == ORIGIN else run.cards[question].kind
    if kind != SINGLE_LABEL:
        words["undecided"] = "got no answer"
    if question != ORIGIN and undecided:
        left.insert(0, f"{count(undecided)} {words['undecided']}")
    out = f" Left out: {joined(left)}." if left else ""
    what = told(run) if question == ORIGIN else _quality(run, question, found)
    of = "whether a person or a model wrote them" if question == ORIGIN else f"for {labelled(run, question)}"
    agree = _agreement(run, question)
    return f"People labelled {counted(drawn, 'text and sample', 'texts and samples')} {of}. {what}{agree}{out}"


def _agreement(run: Run, question: str) -> str:
    """Say how far raters agree: one alpha, or of several labels the least and the largest."""
    rows = run.rater_quality[run.rater_quality["question"] == question]
    alphas = sorted(rows_of(rows[rows["metric"] == "krippendorff_alpha"]), key=lambda row: row["value"])
    if not alphas:
        return ""
    told = [
        number_interval(row["value"], row["low"], row["high"])
        + ("" if is_null(row["label"]) else f" for {label(row['label'])}")
        for row in (alphas[:1] + alphas[-1:])[: len(alphas)]
    ]
    return f" Krippendorff’s α of the raters is {' to '.join(told)}: 1 is agreement, 0 chance."


def _quality(run: Run, question: str, found: dict[tuple[str, str | None], Row]) -> str:
    kind = run.cards[question].kind
    if kind == NUMBER:
        orders = [
            f"{number_interval(row['value'], row['low'], row['high'])} for the {count(row['population'])} {subset}"
            for subset in ("texts", "samples")
            if (row := found.get(("spearman", subset)))
        ]
        if not orders:
            return "None of them can be compared with the classifier."
        return (
            f"Spearman’s ρ of the classifier’s numbers and the means of the raters’ is {joined(orders)}, as estimated "
            "from those: 1 is the same order, 0 none."
        )
    parts = [
        f"on {percent_interval(row['value'], row['low'], row['high'])} of the {count(row['population'])} {subset}"
        for subset in ("texts", "samples")
        if (row := found.get(("accuracy", subset)))
    ]
    if not parts:
        return "None of them can be compared with the classifier."
    labels = "exactly the labels" if kind == MULTI_LABEL else "the label"
    return f"The classifier gives {labels} that most raters give {joined(parts)}, as estimated from those."


def told(run: Run) -> str:
    """Say whether people can tell samples from texts; nothing where nobody was asked."""
    found = _found(run, ORIGIN)
    row, difference = found.get(("accuracy", None)), found.get(("difference", None))
    if row is None or difference is None:
        return "" if not found else "No rater has answered for both texts and samples."
    answers = f"{percent_interval(row['value'], row['low'], row['high'])} of their answers are right; guessing gives 50"
    if is_null(difference["p_value"]):
        return f"{answers}{_PERCENT}. Too few rows for a verdict."
    return f"{_TOLD[verdicts.told_by_people(run)]} {answers}{_PERCENT} ({p_equals(difference['p_value'])})."


_PERCENT = percent(0.5)[2:]


def _lacking(run: Run) -> list[str]:
    """Name the classifiers that nobody has labelled texts for, and how many rows would be enough."""
    rows = run.rater_quality[run.rater_quality["metric"] == "rows_needed"]
    known = {*run.quality["classifier"], *run.several_quality["classifier"]}
    known |= {*run.rater_quality.loc[run.rater_quality["metric"] == "drawn", "question"]}
    return [
        f"Nobody has labelled texts for {labelled(run, row['question'])}, so it is not known how often it is right. "
        f"With {counted(int(row['value']), 'drawn text')} of {count(row['population'])}, its accuracy would be known "
        "to ±5 percentage points (`samizdat label draw`)."
        for row in rows_of(rows)
        if row["question"] not in known
    ]


def trust(run: Run, classifier: str, by_corpus: str | None, unknown: str = NOT_KNOWN) -> list[str]:
    """Say how far a classifier can be believed: by labels of the corpus, by raters, or that it is not known.

    Args:
        run: the run.
        classifier: its name.
        by_corpus: a sentence without its full stop; None where the corpus has nothing to compare with.
        unknown: the sentence for a classifier that raters can't be compared with either.
    """
    asked = not _found(run, classifier).keys().isdisjoint({("accuracy", "texts"), ("spearman", "texts")})
    first = by_corpus or (None if asked else unknown)
    return [f"{one}." for one in (first, in_brief(run, classifier)) if one]


def in_brief(run: Run, classifier: str) -> str | None:
    """Say in half a line how good a classifier is by people; None where nobody was asked."""
    found = _found(run, classifier)
    if row := found.get(("spearman", "texts")):
        size, value = counted(row["rows"], "drawn text"), number_interval(row["value"], row["low"], row["high"])
        return f"Spearman’s ρ with people is {value}, by {size}: 1 is the same order, 0 none"
    row = found.get(("accuracy", "texts"))
    if row is not None:
        size = counted(row["rows"], "drawn text")
        every = "in every label " if run.cards[classifier].kind == MULTI_LABEL else ""
        share = percent_interval(row["value"], row["low"], row["high"])
        return f"By {size} that people labelled it is right {every}on {share}"
    needed = _found(run, classifier).get(("rows_needed", "texts"))
    if needed is None or classifier in {*run.quality["classifier"], *run.several_quality["classifier"]}:
        return None
    return f"{counted(int(needed['value']), 'text')} labelled by people would tell it to ±5 points"


def every_number(run: Run) -> Table | None:
    """Show all that was measured with the labels of raters; nothing where nobody was asked."""
    shown = run.rater_quality[run.rater_quality["metric"].isin(METRICS)]
    rows = [
        [
            _ORIGIN if row["question"] == ORIGIN else named(run, row["question"]),
            name(row["subset"]),
            METRICS[row["metric"]],
            name(row["label"]) or joined(name(one) for one in (row["rater"], row["other"]) if not is_null(one)),
            count(row["rows"]),
            f"{row['value']:.3f}",
            bounds(row["low"], row["high"], 3),
        ]
        for row in rows_of(shown)
    ]
    header = ["Question", "Of", "Measure", "Label or rater", "Rows", "Value", f"{percent(run.confidence)} interval"]
    return table(rows, header, numbers=header[4:]) if rows else None
