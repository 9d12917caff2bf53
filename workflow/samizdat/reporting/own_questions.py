"""Say what people answered to a question of one's own, for which there is no classifier."""

from samizdat.base.escaping import escape
from samizdat.base.language import message, say
from samizdat.records.labels import ASKED
from samizdat.reporting.frames import rows_of
from samizdat.reporting.run import Run
from samizdat.reporting.words import count, counted, joined, label, percent_interval, quotation

_ESTIMATED = {
    "texts": message("As estimated for all {number} texts: {shares}."),
    "samples": message("As estimated for all {number} samples: {shares}."),
}


def titled(question: str) -> str:
    """Return the short name of a question, as its author gave it."""
    return question.removeprefix(ASKED)


def answered(run: Run, question: str) -> str:
    """Say of how many rows people were asked the question, and what share of texts and of samples has each answer."""
    rows = run.rater_quality[run.rater_quality["question"] == question]
    (drawn,) = rows_of(rows[rows["metric"] == "drawn"])
    said = [
        say(
            "People were asked the question {question} for {rows}.",
            question=quotation(f"<bdi>{escape(drawn['words'])}</bdi>"),
            rows=counted(drawn["rows"], "text and sample", "texts and samples"),
        )
    ]
    shares = rows[rows["metric"] == "share"]
    for subset, words in _ESTIMATED.items():
        if own := rows_of(shares[shares["subset"] == subset]):
            each = (f"{label(row['label'])} {percent_interval(row['value'], row['low'], row['high'])}" for row in own)
            said.append(say(words, number=count(own[0]["population"]), shares=joined(each)))
    return " ".join(said)
