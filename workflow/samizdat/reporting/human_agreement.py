"""Say how far people agree with each other, next to how far a classifier agrees with them."""

from collections.abc import Mapping

from samizdat.reporting.frames import Row, parts_of, rows_of
from samizdat.reporting.outside import labelled
from samizdat.reporting.run import Run
from samizdat.reporting.words import Prose, joined, number_interval, percent

ALPHAS = {"krippendorff_alpha": "their labels", "krippendorff_alpha_ratings": "their ratings"}


def ceiling(run: Run) -> Prose:
    """Compare each classifier's macro-F1 with one person's and a word list's, where several people labelled texts."""
    sentences = []
    rows = run.quality[run.quality["label"].isna()]
    for classifier, part in parts_of(rows, "classifier").items():
        found = {(row["method"], row["metric"]): row for row in rows_of(part)}
        if ("human", "macro_f1") in found:
            sentences.append(_ceiling(run, classifier, found))
    return Prose(" ".join(sentences) or "How far people agree with each other is not known for this corpus.")


def _ceiling(run: Run, classifier: str, found: Mapping[tuple[str, str], Row]) -> str:
    """Compare one classifier with people and, where there is one, with the word list."""

    def spelled(method: str, metric: str = "macro_f1") -> str:
        row = found[method, metric]
        return number_interval(row["value"], row["low"], row["high"])

    rated = ("lexicon", "macro_f1") in found
    others = "the mean of the others" if rated else "what most of the others say"
    alphas = [
        f"{spelled('raters', metric)} for {what}" for metric, what in ALPHAS.items() if ("raters", metric) in found
    ]
    share = percent(found["classifier", "macro_f1"]["value"] / found["human", "macro_f1"]["value"])
    agree = f" Krippendorff’s α of the raters is {joined(alphas)}: 1 is agreement, 0 chance." if alphas else ""
    words = f"; the word list of VADER reaches {spelled('lexicon')}" if rated else ""
    return (
        f"People do not agree either: one rater, drawn at random for each text, reaches a macro-F1 of "
        f"{spelled('human')} compared with {others}. {labelled(run, classifier)} reaches {spelled('classifier')}, "
        f"{share} of that{words}.{agree}"
    )
