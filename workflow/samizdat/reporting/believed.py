"""Say how far a classifier can be believed: by the labels of the corpus, by people who were asked, or not at all."""

from samizdat.base.language import message, say
from samizdat.records.classifiers import MULTI_LABEL
from samizdat.reporting.raters import of_question, rho
from samizdat.reporting.run import Run
from samizdat.reporting.words import counted, percent_interval

NOT_KNOWN = message("How often it is right here is not known, since people did not label these texts for it")


def trust(run: Run, classifier: str, by_corpus: str | None, unknown: str = NOT_KNOWN) -> list[str]:
    """Say how far a classifier can be believed: by labels of the corpus, by raters, or that it is not known.

    Args:
        run: the run.
        classifier: its name.
        by_corpus: a sentence without its full stop; None where the corpus has nothing to compare with.
        unknown: the message for a classifier that raters were not asked about either.
    """
    first = by_corpus or (None if was_asked(run, classifier, "texts") else say(unknown))
    return [f"{one}." for one in (first, in_brief(run, classifier)) if one]


def was_asked(run: Run, classifier: str, subset: str) -> bool:
    """Whether raters were asked about "texts" or "samples" for a classifier."""
    there = {(metric, subset) for metric in ("accuracy", "spearman", "unestimated")}
    return not of_question(run, classifier).keys().isdisjoint(there)


def in_brief(run: Run, classifier: str) -> str | None:
    """Say in half a line how good a classifier is by people; None where nobody was asked."""
    found = of_question(run, classifier)
    if row := found.get(("spearman", "texts")):
        return say(
            "Spearman’s ρ with people is {value}, by {texts}: 1 is the same order, 0 none",
            value=rho(row),
            texts=counted(row["rows"], "drawn text", "drawn texts"),
        )
    row = found.get(("accuracy", "texts"))
    if row is not None:
        words = (
            message("By {texts} that people labelled it is right in every label on {share}")
            if run.cards[classifier].kind == MULTI_LABEL
            else message("By {texts} that people labelled it is right on {share}")
        )
        return say(
            words,
            texts=counted(row["rows"], "drawn text", "drawn texts"),
            share=percent_interval(row["value"], row["low"], row["high"]),
        )
    if row := found.get(("unestimated", "texts")):
        return say(
            "People were asked about {texts} for it, but no answer can be compared with it",
            texts=counted(row["rows"], "drawn text", "drawn texts"),
        )
    needed = found.get(("rows_needed", "texts"))
    if needed is None or classifier in {*run.quality["classifier"], *run.several_quality["classifier"]}:
        return None
    texts = counted(int(needed["value"]), "text", "texts")
    return say("{texts} labelled by people would tell it to ±5 points", texts=texts)
