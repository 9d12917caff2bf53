"""One label of what several people said of a text."""

from collections import Counter
from collections.abc import Iterable, Sequence

# Mean ratings from -NEUTRAL to NEUTRAL, on a scale from -4 to 4, are neutral.
NEUTRAL = 0.5


def sentiment(mean: float) -> str:
    """Return the sentiment label of a mean rating."""
    return "neutral" if abs(mean) <= NEUTRAL else "positive" if mean > 0 else "negative"


def of_most(answers: Sequence[Iterable[str]]) -> tuple[str, ...]:
    """Return the labels that more than half of the answers have, in alphabetical order."""
    often = Counter(label for labels in answers for label in set(labels))
    return tuple(sorted(label for label, number in often.items() if 2 * number > len(answers)))


def most_frequent(labels: Sequence[str]) -> str | None:
    """Return the label that is given most often; None where several are, or none is."""
    (first, number), (_, next_number) = [*Counter(labels).most_common(2), ("", 0), ("", 0)][:2]
    return first if number > next_number else None
