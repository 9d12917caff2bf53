"""Whether texts are of the kind that a classifier was made for: language, length, windows, texts without a label."""

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

import pandas as pd
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from samizdat.measures.words import split_words
from samizdat.records.classifiers import ANSWERS, MULTI_LABEL, ClassifierCard
from samizdat.statistics.tables import Row

# A text that is shorter, or whose most probable language is less probable, has no language that can be detected.
LANGUAGE_CHARACTERS = 20
LANGUAGE_PROBABILITY = 0.9
# Variants of a language, which the identifier lists apart: their probabilities add up (ISO 639-3, macrolanguages).
VARIANTS = {"nn": "no", "nb": "no", "arz": "ar", "ary": "ar", "yue": "zh", "wuu": "zh", "uzs": "uz", "sdh": "ku"}
# Only the beginning of a long text is read to detect its language.
READ_CHARACTERS = 2000
# Of a larger corpus so many texts are drawn: a share of them is known to less than half a percent.
READ_TEXTS = 50_000


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def language(text: str) -> str | None:
    """Detect the language of a text: its ISO 639-1 code; None where the text is too short or too mixed.

    Lui and Baldwin, langid.py: An Off-the-shelf Language Identification Tool, ACL 2012.
    """
    if len(text) < LANGUAGE_CHARACTERS:
        return None
    found: dict[str, float] = defaultdict(float)
    for code, probability in _identifier().rank(text[:READ_CHARACTERS]):
        found[_without_variant(code)] += probability
    best = max(found, key=found.__getitem__)
    return best if found[best] >= LANGUAGE_PROBABILITY else None


@cache
def _without_variant(code: str) -> str:
    """Return the language of a code with a region or script (`zh-TW`), or of a variant."""
    language = re.split("[-_]", code.lower())[0]
    return VARIANTS.get(language, language)


def languages(corpus: pd.DataFrame, seed: int) -> pd.Series:
    """Detect the language of each text, of at most READ_TEXTS that the seed draws; the result is indexed by id."""
    read = corpus.sample(READ_TEXTS, random_state=seed & 0xFFFFFFFF) if len(corpus) > READ_TEXTS else corpus
    return pd.Series([language(text) for text in read["text"]], index=read["id"], dtype=object)


def answered(card: ClassifierCard, scores: pd.DataFrame) -> pd.Series:
    """Say to which texts a classifier gave a label, or a number."""
    said = scores[ANSWERS[card.kind]]
    return said.map(lambda given: given is not None and len(given) > 0) if card.kind == MULTI_LABEL else said.notna()


def fitness(card: ClassifierCard, corpus: pd.DataFrame, scores: pd.DataFrame, spoken: pd.Series) -> Iterator[Row]:
    """Count the texts that a classifier was not made for: the rows of `records.statistics.FITNESS`.

    Args:
        card: the classifier, with the languages and lengths that it was made for, as far as the config names them.
        corpus: all texts.
        scores: `records.classifiers.SCORES` of all texts.
        spoken: the languages of all texts, by id.
    """
    known = spoken.dropna()
    checks = [
        ("no_label", int((~answered(card, scores)).sum()), len(scores)),
        ("several_windows", int((scores["windows"] > 1).sum()), len(scores)),
    ]
    if card.languages:
        fit = [_without_variant(code) for code in card.languages]
        checks.append(("other_language", int((~known.isin(fit)).sum()), len(known)))
    if card.min_words is not None or card.max_words is not None:
        words = [len(split_words(text)) for text in corpus["text"]]
        if card.min_words is not None:
            checks.append(("too_short", sum(number < card.min_words for number in words), len(words)))
        if card.max_words is not None:
            checks.append(("too_long", sum(number > card.max_words for number in words), len(words)))
    for check, texts, of in checks:
        yield {"classifier": card.name, "check": check, "texts": texts, "of": of}
