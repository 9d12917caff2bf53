"""The strata that texts are drawn from for raters: what a classifier says of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from samizdat.records.classifiers import MULTI_LABEL, NUMBER, Kind

# The numbers of texts are cut into so many bands of one width.
BANDS = 5
NO_LABEL = "no label"


def strata_of(answers: pd.Series, kind: Kind) -> list[str]:
    """Name the stratum of each text, so that what is rare is drawn often enough.

    It is the label that the classifier gives; of several labels the one that the fewest of these texts have; of numbers
    the band that the number is in.

    Args:
        answers: what a classifier says of the texts, none of them null.
        kind: of the classifier.
    """
    if kind == NUMBER:
        edges = np.linspace(answers.min(), answers.max(), BANDS + 1) if len(answers) else np.zeros(BANDS + 1)
        places = np.searchsorted(edges[1:-1], answers, side="right")
        return [f"{edges[place]:g} to {edges[place + 1]:g}" for place in places]
    if kind != MULTI_LABEL:
        return answers.tolist()
    often = Counter(label for given in answers for label in given)
    return [_rarest(given, often) for given in answers]


def stratum_sizes(answers: Mapping[Any, int], kind: Kind) -> list[int]:
    """Count the texts in each stratum.

    Args:
        answers: what a classifier says → how many texts it says it of; several labels are a tuple.
        kind: of the classifier, which gives labels.
    """
    if kind != MULTI_LABEL:
        return list(answers.values())
    often: Counter[str] = Counter()
    for given, number in answers.items():
        often.update(dict.fromkeys(given, number))
    sizes: Counter[str] = Counter()
    for given, number in answers.items():
        sizes[_rarest(given, often)] += number
    return list(sizes.values())


def _rarest(given: Sequence[str], often: Mapping[str, int]) -> str:
    """Name the stratum of a text with several labels: the label that the fewest texts have."""
    return min(given, key=lambda label: (often[label], label)) if len(given) else NO_LABEL
