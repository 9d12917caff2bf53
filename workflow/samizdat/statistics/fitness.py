"""Whether the texts are what a classifier was made for: languages, lengths, windows, and what got no label."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pandas as pd
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from samizdat.records.classifiers import ClassifierCard

# The language of less than this can't be told with any confidence.
LANGUAGE_CHARACTERS = 20
LANGUAGE_PROBABILITY = 0.9


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def language(text: str) -> str | None:
    """The ISO 639-1 code of a text's language; None where it is too short or too mixed to tell.

    Lui and Baldwin, langid.py: An Off-the-shelf Language Identification Tool, ACL 2012.
    """
    if len(text) < LANGUAGE_CHARACTERS:
        return None
    # Long texts need not be read to their end.
    code, probability = _identifier().classify(text[:2000])
    return code if probability >= LANGUAGE_PROBABILITY else None


def languages(corpus: pd.DataFrame) -> pd.Series:
    """The language of each text, by its id."""
    return pd.Series([language(text) for text in corpus["text"]], index=corpus["id"], dtype=object)


def fitness(
    card: ClassifierCard, corpus: pd.DataFrame, scores: pd.DataFrame, spoken: pd.Series
) -> Iterator[dict[str, Any]]:
    """Rows of `statistics_records.FITNESS`: how many texts are outside of what a classifier was made for.

    Args:
        card: the classifier, with the languages and lengths that it was made for, as far as they are known.
        corpus: all texts.
        scores: `records.SCORES` of them.
        spoken: their languages by id.
    """
    words = corpus["text"].str.split().str.len()
    known = spoken.dropna()
    checks = [
        ("no_label", int(scores["label"].isna().sum()), len(scores)),
        ("several_windows", int((scores["windows"] > 1).sum()), len(scores)),
    ]
    if card.languages:
        checks.append(("other_language", int((~known.isin(list(card.languages))).sum()), len(known)))
    if card.min_words is not None:
        checks.append(("too_short", int((words < card.min_words).sum()), len(words)))
    if card.max_words is not None:
        checks.append(("too_long", int((words > card.max_words).sum()), len(words)))
    for check, texts, of in checks:
        yield {"classifier": card.name, "check": check, "texts": texts, "of": of}
