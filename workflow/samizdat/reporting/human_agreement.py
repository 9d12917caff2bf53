"""Say how far people agree with each other, next to how far a classifier agrees with them."""

from collections.abc import Mapping

from samizdat.base.language import message, say
from samizdat.reporting.frames import Row, parts_of, rows_of
from samizdat.reporting.outside import labelled
from samizdat.reporting.run import Run
from samizdat.reporting.words import Prose, is_null, joined, number_interval, percent

ALPHAS = {
    "krippendorff_alpha": message("{alpha} for their labels"),
    "krippendorff_alpha_ratings": message("{alpha} for their ratings"),
}


def ceiling(run: Run) -> Prose | None:
    """Compare each classifier's macro-F1 with one person's and a word list's, where several people labelled texts.

    None where the corpus has no labels to compare with.
    """
    if run.quality.empty:
        return None
    sentences = []
    rows = run.quality[run.quality["label"].isna()]
    for classifier, part in parts_of(rows, "classifier").items():
        found = {(row["method"], row["metric"]): row for row in rows_of(part)}
        if ("human", "macro_f1") in found:
            sentences.append(_ceiling(run, classifier, found))
    return Prose(
        " ".join(sentences)
        or say("How far people agree with each other about these labels is not known from the corpus.")
    )


def _ceiling(run: Run, classifier: str, found: Mapping[tuple[str, str], Row]) -> str:
    """Compare one classifier with people and, where there is one, with the word list."""

    def spelled(method: str, metric: str = "macro_f1") -> str:
        row = found[method, metric]
        return number_interval(row["value"], row["low"], row["high"])

    own, human = (found[method, "macro_f1"]["value"] for method in ("classifier", "human"))
    values = {
        "human": spelled("human"),
        "classifier": labelled(run, classifier),
        "own": spelled("classifier"),
        "of_that": say(", {share} of that", share=percent(own / human)) if human else "",
    }
    words = f"{say('People do not agree either.')} " if human < 1 else ""
    words += (
        say(
            "One rater, drawn at random for each text, reaches a macro-F1 of {human} "
            "compared with the mean of the others. {classifier} reaches {own}{of_that}; the word list of VADER reaches "
            "{lexicon}.",
            lexicon=spelled("lexicon"),
            **values,
        )
        if ("lexicon", "macro_f1") in found
        else say(
            "One rater, drawn at random for each text, reaches a macro-F1 of {human} "
            "compared with what most of the others say. {classifier} reaches {own}{of_that}.",
            **values,
        )
    )
    values_of = {metric: found["raters", metric]["value"] for metric in ALPHAS if ("raters", metric) in found}
    defined = [metric for metric, value in values_of.items() if not is_null(value)]
    if defined:
        alphas = joined(say(ALPHAS[metric], alpha=spelled("raters", metric)) for metric in defined)
        words += " " + say("Krippendorff’s α of the raters is {alphas}: 1 is agreement, 0 chance.", alphas=alphas)
    if len(defined) < len(values_of):
        words += " " + say("Krippendorff’s α of the raters’ labels is not defined, since all of these are the same.")
    return words
