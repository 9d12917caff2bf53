"""Show what people said of drawn texts: how far they agree, how good classifiers are by them, who wrote the texts."""

from samizdat.base.language import message, numeral, plural, say
from samizdat.records.classifiers import MULTI_LABEL, NUMBER, SINGLE_LABEL
from samizdat.records.labels import ORIGIN, is_own
from samizdat.reporting import own_questions, verdicts
from samizdat.reporting.frames import Row, in_order, rows_of
from samizdat.reporting.number_scale import digits_of
from samizdat.reporting.outside import labelled, named
from samizdat.reporting.run import Run
from samizdat.reporting.words import (
    Prose,
    Table,
    bounds,
    count,
    counted,
    exact_percent,
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
    "accuracy": message("accuracy"),
    "micro_f1": message("micro-F1"),
    "f1": message("F1"),
    "spearman": message("Spearman’s ρ with people"),
    "mean": message("mean, as people say"),
    "above_people": message("mean, above that of people"),
    "mean_absolute_error": message("mean distance from people"),
    "precision": message("precision"),
    "recall": message("recall"),
    "share": message("share, as people say"),
    "difference": message("texts called a person’s, more often than samples"),
    "krippendorff_alpha": message("Krippendorff’s α of the raters"),
    "kappa": message("Cohen’s κ of two raters"),
}
_ON_ITS_SCALE = {"mean", "above_people", "mean_absolute_error"}  # of a classifier's numbers
SUBSETS = {"texts": message("texts"), "samples": message("samples")}
_MIXED = message("Raters saw texts and samples mixed, without a sign of which is which.")
# Kind of a question → which of its answers count.
_COUNTED = {
    SINGLE_LABEL: message("The label of a text is the one that its raters gave most often."),
    MULTI_LABEL: message("Of several labels a text has those that more than half of its raters gave."),
    NUMBER: message("Of several numbers the mean counts."),
    ORIGIN: message("Where they said who wrote a text, each answer counts."),
}
_ESTIMATED = message(
    "Estimates are for all texts or samples that could have been drawn: a row counts for as many as it was drawn from."
)
_TOLD = {
    1: message("**People can tell samples from texts.**"),
    -1: message("**People take samples for a person’s more often than texts.**"),
    0: message("**No sign that people can tell samples from texts was found.**"),
}


def opening(run: Run) -> Prose | None:
    """Say of each question what people labelled, how far they agree, and what follows; and what nobody labelled.

    None where nobody was asked and there is nobody to ask.
    """
    asked = in_order(run.rater_quality.loc[run.rater_quality["metric"] == "drawn", "question"])
    said = [_how(run, asked), *(_told_of(run, question) for question in asked)] if asked else []
    paragraphs = [*said, *_lacking(run)]
    return Prose("\n\n".join(paragraphs)) if paragraphs else None


def _how(run: Run, asked: list[str]) -> str:
    """Say how raters were asked, and what their answers stand for, by the kinds of the questions."""
    kinds = {one if one == ORIGIN else run.cards[one].kind if one in run.cards else SINGLE_LABEL for one in asked}
    said = [say(_MIXED), *(say(words) for kind, words in _COUNTED.items() if kind in kinds)]
    return " ".join(said if kinds == {ORIGIN} else [*said, say(_ESTIMATED)])


def of_question(run: Run, question: str) -> dict[tuple[str, str | None], Row]:
    """Return the rows of a question that are of all raters and labels, by metric and subset."""
    rows = run.rater_quality[(run.rater_quality["question"] == question) & run.rater_quality["label"].isna()]
    rows = rows[rows["rater"].isna()]
    return {(row["metric"], None if is_null(row["subset"]) else row["subset"]): row for row in rows_of(rows)}


def _told_of(run: Run, question: str) -> str:
    found = of_question(run, question)
    if question == ORIGIN:
        said = [told(run)]
    elif is_own(question):
        said = [own_questions.answered(run, question)]
    else:
        rows = counted(found["drawn", None]["rows"], "text and sample", "texts and samples")
        who = labelled(run, question)
        asked = say("People were asked to label {rows} for {classifier}.", rows=rows, classifier=who)
        said = [asked, _quality(run, question, found)]
    left = _left_out(run, question, found)
    return " ".join(one for one in (*said, _agreement(run, question), left) if one)


def _left_out(run: Run, question: str, found: dict[tuple[str, str | None], Row]) -> str:
    """Say how many rows a question leaves out, and why, and what no estimate is for; nothing where it has all."""
    rows = {metric: row["rows"] for (metric, subset), row in found.items() if subset is None}
    left = []
    undecided = rows["undecided"]
    if question == ORIGIN:  # where raters disagree, each answer counts
        undecided = rows["drawn"] - rows.get("gone", 0) - rows["accuracy"] if "accuracy" in rows else 0
    if undecided:
        single = question != ORIGIN and (question not in run.cards or run.cards[question].kind == SINGLE_LABEL)
        words = (
            message("{number} got no single label from most raters") if single else message("{number} got no answer")
        )
        left.append(say(words, number=count(undecided)))
    if gone := rows.get("gone"):
        left.append(plural("{count} is not in the run any more", "{count} are not in the run any more", gone))
    if seen := rows.get("seen"):
        left.append(
            plural(
                "{count} got no label from the classifier, or it was trained on it since",
                "{count} got no label from the classifier, or it was trained on them since",
                seen,
            )
        )
    said = [say("Left out: {rows}.", rows=joined(left))] if left else []
    lost = {one: found["unestimated", one]["population"] for one in SUBSETS if ("unestimated", one) in found}
    if lost:
        texts = joined(
            counted(number, "text", "texts") if one == "texts" else counted(number, "sample", "samples")
            for one, number in lost.items()
        )
        said.append(say("No estimate is for {texts}: no row that was drawn from them can be used.", texts=texts))
    return " ".join(said)


def _agreement(run: Run, question: str) -> str:
    """Say how far raters agree: one alpha, or of several labels the least and the largest."""
    rows = run.rater_quality[run.rater_quality["question"] == question]
    rows = rows[rows["metric"] == "krippendorff_alpha"]
    alphas = sorted(rows_of(rows[rows["value"].notna()]), key=lambda row: row["value"])
    if not alphas:
        alike = message("Krippendorff’s α of the raters’ answers is not defined, since all of these are the same.")
        return "" if rows.empty else say(alike)
    least, largest = _alpha(alphas[0]), _alpha(alphas[-1])
    if len(alphas) == 1:
        return say("Krippendorff’s α of the raters is {alpha}: 1 is agreement, 0 chance.", alpha=least)
    return say(
        "Krippendorff’s α of the raters is {least} to {largest}: 1 is agreement, 0 chance.",
        least=least,
        largest=largest,
    )


def _alpha(row: Row) -> str:
    value = number_interval(row["value"], row["low"], row["high"])
    return value if is_null(row["label"]) else say("{value} for {label}", value=value, label=label(row["label"]))


def _quality(run: Run, question: str, found: dict[tuple[str, str | None], Row]) -> str:
    kind = run.cards[question].kind
    of_numbers = {"texts": message("{value} for the {number} texts"),
                  "samples": message("{value} for the {number} samples")}  # fmt: skip
    of_labels = {"texts": message("on {value} of the {number} texts"),
                 "samples": message("on {value} of the {number} samples")}  # fmt: skip
    metric, words, written = ("spearman", of_numbers, rho) if kind == NUMBER else ("accuracy", of_labels, _share)
    values = joined(
        say(words[subset], value=written(row), number=count(row["population"]))
        for subset in SUBSETS
        if (row := found.get((metric, subset)))
    )
    if not values:
        return say("None of them can be compared with the classifier.")
    if kind == NUMBER:
        return say(
            "Spearman’s ρ of the classifier’s numbers and the means of the raters’ is {values}, as estimated from "
            "those: 1 is the same order, 0 none.",
            values=values,
        )
    if kind == MULTI_LABEL:
        return say(
            "The classifier gives exactly the labels that most raters give {values}, as estimated from those.",
            values=values,
        )
    return say("The classifier gives the label that most raters give {values}, as estimated from those.", values=values)


def rho(row: Row) -> str:
    """Write a rank correlation with its interval, or that it is not defined."""
    if is_null(row["value"]):
        return say("not defined (all numbers of one side are equal)")
    return number_interval(row["value"], row["low"], row["high"])


def _share(row: Row) -> str:
    return percent_interval(row["value"], row["low"], row["high"])


def told(run: Run) -> str:
    """Say whether people can tell samples from texts, and of how many they said it; nothing if nobody was asked."""
    found = of_question(run, ORIGIN)
    if not found:
        return ""
    answered = found.get(("accuracy", None))
    words = (
        message("People said of {rows} whether a person or a model wrote them.")
        if answered
        else message("People were asked of {rows} whether a person or a model wrote them.")
    )
    rows = counted((answered or found["drawn", None])["rows"], "text and sample", "texts and samples")
    return f"{say(words, rows=rows)} {_verdict(run, found)}"


def _verdict(run: Run, found: dict[tuple[str, str | None], Row]) -> str:
    row, difference = found.get(("accuracy", None)), found.get(("difference", None))
    if row is None or difference is None:
        return say("No rater has answered for both texts and samples.")
    share, half = percent_interval(row["value"], row["low"], row["high"]), percent(0.5)
    if is_null(difference["p_value"]):
        return say(
            "{share} of their answers are right; guessing gives {half}. Too few rows for a verdict.",
            share=share,
            half=half,
        )
    answers = say(
        "{share} of their answers are right; guessing gives {half} ({p}).",
        share=share,
        half=half,
        p=p_equals(difference["p_value"]),
    )
    return f"{say(_TOLD[verdicts.told_by_people(run)])} {answers}"


def _lacking(run: Run) -> list[str]:
    """Name the classifiers that nobody has labelled texts for, and how many rows would be enough."""
    rows = run.rater_quality[run.rater_quality["metric"] == "rows_needed"]
    known = {*run.quality["classifier"], *run.several_quality["classifier"]}
    known |= {*run.rater_quality.loc[run.rater_quality["metric"] == "drawn", "question"]}
    return [
        say(
            "Nobody has labelled texts for {classifier}, so it is not known how often it is right. With {texts} of "
            "{all}, its accuracy would be known to ±5 percentage points (`samizdat label draw`).",
            classifier=labelled(run, row["question"]),
            texts=counted(int(row["value"]), "drawn text", "drawn texts"),
            all=count(row["population"]),
        )
        for row in rows_of(rows)
        if row["question"] not in known
    ]


def _titled(run: Run, question: str) -> str:
    """Name a question in a cell."""
    if is_own(question):
        return name(own_questions.titled(question))
    return say("person or model") if question == ORIGIN else named(run, question)


def every_number(run: Run) -> Table | None:
    """Show all that was measured with the labels of raters; nothing where nobody was asked."""
    shown = run.rater_quality[run.rater_quality["metric"].isin(METRICS)]
    rows = [
        [
            _titled(run, row["question"]),
            "" if is_null(row["subset"]) else name(say(SUBSETS[row["subset"]])),
            say(METRICS[row["metric"]]),
            name(row["label"]) or joined(name(one) for one in (row["rater"], row["other"]) if not is_null(one)),
            count(row["rows"]),
            say("not defined") if is_null(row["value"]) else numeral(row["value"], f".{digits}f"),
            bounds(row["low"], row["high"], digits),
        ]
        for row in rows_of(shown)
        for digits in [1 + digits_of(run, row["question"]) if row["metric"] in _ON_ITS_SCALE else 3]
    ]
    header = [say("Question"), say("Of"), say("Measure"), say("Label or rater"), say("Rows"), say("Value")]
    header += [say("{confidence} interval", confidence=exact_percent(run.confidence))]
    return table(rows, header, numbers=header[4:]) if rows else None
