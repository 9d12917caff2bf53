"""Whether texts are of the kind that a classifier was made for: language, length, windows, texts without a label."""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from samizdat.measures.arrays import Counts
from samizdat.measures.words import split_words
from samizdat.records.classifiers import ClassifierCard
from samizdat.statistics.judged_texts import Judged
from samizdat.statistics.spoken import without_variant
from samizdat.statistics.tables import Row


def number_of_words(cards: Iterable[ClassifierCard], texts: pd.Series) -> Counts:
    """Count the words of each text; of none, where no classifier was made for texts of some lengths."""
    asked = any(card.min_words is not None or card.max_words is not None for card in cards)
    return np.array([len(split_words(text)) for text in texts] if asked else [], np.int64)


def fitness(card: ClassifierCard, judged: Judged, spoken: pd.Series, words: Counts) -> Iterator[Row]:
    """Count the texts that a classifier was not made for: the rows of `records.statistics.FITNESS`.

    Args:
        card: the classifier, with the languages and lengths that it was made for, as far as the config names them.
        judged: what it says of the texts.
        spoken: the languages of the texts that were read for it, by id.
        words: how many words texts have, of those that were read for it.
    """
    known = spoken.dropna()
    checks = [
        ("no_label", judged.every - judged.answered, judged.every),
        ("several_windows", judged.several_windows, judged.every),
    ]
    if card.languages:
        fit = [without_variant(code) for code in card.languages]
        checks.append(("other_language", int((~known.isin(fit)).sum()), len(known)))
    if card.min_words is not None:
        checks.append(("too_short", int((words < card.min_words).sum()), len(words)))
    if card.max_words is not None:
        checks.append(("too_long", int((words > card.max_words).sum()), len(words)))
    for check, texts, of in checks:
        yield {"classifier": card.name, "check": check, "texts": texts, "of": of}
