"""What makes a column of labels useless, told before any classifier is trained on it."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from samizdat.base import stage
from samizdat.base.corpus_files import named

# A column of more different labels, most of which occur once, is no column of labels.
MANY_LABELS = 20
# What programs and people write where a text has no label; it may also be one.
NO_LABEL = {"na", "n/a", "#n/a", "null", "none", "-", "?", "missing"}


def tell_labels(
    labels: Mapping[str, Mapping[str, int]], conflicting: Mapping[str, int], raters: Collection[str]
) -> None:
    """Tell of columns whose labels can hardly be learned, or are perhaps none, or differ between duplicates.

    Args:
        labels: column → label → texts.
        conflicting: column → texts whose duplicates have another label.
        raters: the labels that are made of those of single people.
    """
    for column, number in conflicting.items():
        stage.tell(
            f"the column {column!r} has several labels for the duplicates of {number:,} text{'s' * (number > 1)}; "
            "the first label counts"
        )
    for column, texts in labels.items():
        what = (
            f"label {column!r} (corpus.rater_columns)"
            if column in raters
            else f"column {column!r} (corpus.label_columns)"
        )
        for problem in _problems(texts):
            stage.tell(f"the {what} {problem}")


def _problems(texts: Mapping[str, int]) -> Iterator[str]:
    labelled = sum(texts.values())
    if not texts:
        yield "gives no text that was kept a label"
        return
    if len(texts) > MANY_LABELS and len(texts) * 2 > labelled:
        yield (
            f"has {len(texts):,} different labels in {labelled:,} texts; if these are numbers for a classifier with "
            "`kind: number`, all is well; else leave the column out, or make classes of it"
        )
        return
    once = sorted(label for label, number in texts.items() if number == 1)
    if once:
        verb = "is a label" if len(once) == 1 else "are labels"
        yield (
            f"has labels of which nothing can be learned: {named(once)} {verb} of one text alone; join them to others, "
            "or if a cell has several labels, set `label_separator` of the classifier"
        )
    missing = sorted(label for label in texts if label.lower() in NO_LABEL)
    if missing:
        number = sum(texts[label] for label in missing)
        yield (
            f"has the label {' and '.join(map(repr, missing))} in {number:,} texts; where that means that there is "
            "none, empty these cells"
        )
    looks = {label: _look(label) for label in texts}
    times = Counter(looks.values())
    same = sorted(label for label, look in looks.items() if times[look] > 1)
    if same:
        yield (
            f"has labels that look alike and are written with other characters: {named([*map(ascii, same)])}; they "
            "count as different"
        )
    alike = Counter(look.casefold() for look in times)
    twice = sorted(label for label, look in looks.items() if alike[look.casefold()] > 1)
    if twice:
        yield f"has labels that only capital letters tell apart: {named(twice)}; they count as different"


def _look(label: str) -> str:
    """Write a label so that labels which look alike are the same: with usual letters and blanks, and none unseen."""
    seen = "".join(letter for letter in unicodedata.normalize("NFKC", label) if unicodedata.category(letter) != "Cf")
    return " ".join(seen.split())
