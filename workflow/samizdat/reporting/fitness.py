"""Say how many texts the classifiers were not made for."""

from samizdat.base.language import message, say
from samizdat.records.classifiers import NUMBER, SINGLE_LABEL
from samizdat.reporting.classifiers import NONE_APPLIED
from samizdat.reporting.frames import rows_of
from samizdat.reporting.outside import OUTSIDE, WARN_SHARE, found_outside, in_words
from samizdat.reporting.run import Run
from samizdat.reporting.words import Prose, Table, count, counted, joined, label, name, percent, table

_CHECKS = {"no_label": message("given no label"), "several_windows": message("read in several windows")}
# The same, where no text is such a one.
_NUMBERLESS = message("given no number")
_ALL_ANSWERED = message("got a label or a number from each classifier")
_ALL_ZERO = {
    "no_label": message("got a label from each classifier"),
    "several_windows": message("fits into one window of each classifier"),
    "other_language": message("is in a language that the classifiers were made for"),
    "too_short": message("is as long as the classifiers need"),
    "too_long": message("is no longer than the classifiers can read"),
}


def counts(run: Run) -> Table | Prose:
    """Count for each classifier the texts that it was not made for."""
    if len(run.fitness) and not run.fitness["texts"].any() and (run.fitness["of"] == run.corpus.texts).all():
        zero = _ALL_ZERO | ({"no_label": _ALL_ANSWERED} if run.of_kind(NUMBER) else {})
        every = joined(dict.fromkeys(say(zero[one]) for one in run.fitness["check"]))
        return Prose(say("Every text {every}.", every=every))
    rows = []
    for row in rows_of(run.fitness):
        checks = _CHECKS | ({"no_label": _NUMBERLESS} if run.cards[row["classifier"]].kind == NUMBER else {})
        words = say(checks[row["check"]]) if row["check"] in checks else in_words(run, row)
        if row["of"]:
            cells = [count(row["texts"]), count(row["of"]), percent(row["texts"] / row["of"])]
        else:
            words, cells = say("{what}: of no text could it be told", what=words), ["", "", ""]
        rows.append([name(row["classifier"]), words, *cells])
    header = [say("Classifier"), say("Texts"), say("Number"), say("Of"), say("Share")]
    return table(rows, header, numbers=header[2:]) if rows else Prose(say(NONE_APPLIED))


def warnings(run: Run) -> Prose:
    """Warn in a sentence of each classifier that was not made for much of the corpus."""
    sentences = [sentence for classifier in run.cards for sentence in warnings_of(run, classifier)]
    if sentences:
        return Prose(" ".join(sentences))
    known = run.fitness[run.fitness["check"].isin(OUTSIDE)]
    if len(known) and not known["of"].any():
        return Prose(
            say("Of no text could it be told in which language it is, so nothing is said of the classifiers’ fit.")
        )
    if len(known):
        nearly_all = (
            message("Where the config says what a classifier was made for, nearly all texts are of that kind.")
            if (known["of"] == run.corpus.texts).all()
            else message(
                "Where the config says what a classifier was made for, nearly all texts of which it is known are of "
                "that kind."
            )
        )
        return Prose(say(nearly_all))
    return Prose(say("The config does not say which texts the classifiers were made for."))


def warnings_of(run: Run, classifier: str) -> list[str]:
    """Say what many texts are that a classifier was not made for, and whether many got no label."""
    made_for = [
        say(
            "**{classifier} was not made for all of these texts**: {share} of {texts} are {what}.",
            classifier=label(classifier),
            share=percent(row["texts"] / row["of"]),
            texts=counted(row["of"], "text", "texts"),
            what=in_words(run, row),
        )
        for row in found_outside(run, classifier)
    ]
    return [*made_for, *_without_label(run, classifier)]


def _without_label(run: Run, classifier: str) -> list[str]:
    """Say how many texts got no label of a single-label classifier, where they are many: no share is of these."""
    if run.cards[classifier].kind != SINGLE_LABEL:
        return []
    rows = run.fitness[(run.fitness["check"] == "no_label") & (run.fitness["classifier"] == classifier)]
    return [
        say(
            "**{classifier} gave no label to {share} of {texts}**: its shares are those of the others.",
            classifier=label(classifier),
            share=percent(row["texts"] / row["of"]),
            texts=counted(row["of"], "text", "texts"),
        )
        for row in rows_of(rows)
        if WARN_SHARE * row["of"] <= row["texts"] < row["of"]
    ]
