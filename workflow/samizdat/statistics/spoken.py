"""Which language a text is in."""

import re
from collections import defaultdict
from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

# A text that is shorter, or whose most probable language is less probable, has no language that can be detected.
LANGUAGE_CHARACTERS = 20
LANGUAGE_PROBABILITY = 0.9
# Variants of a language, which the identifier lists apart: their probabilities add up (ISO 639-3, macrolanguages).
VARIANTS = {"nn": "no", "nb": "no", "arz": "ar", "ary": "ar", "yue": "zh", "wuu": "zh", "uzs": "uz", "sdh": "ku"}
# Only the beginning of a long text is read to detect its language.
READ_CHARACTERS = 2000


@cache
def identifier() -> LanguageIdentifier:
    """Load the identifier, once in each process."""
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def language(text: str) -> str | None:
    """Detect the language of a text: its ISO 639-1 code; None where the text is too short or too mixed.

    Lui and Baldwin, langid.py: An Off-the-shelf Language Identification Tool, ACL 2012.
    """
    if len(text) < LANGUAGE_CHARACTERS:
        return None
    found: dict[str, float] = defaultdict(float)
    for code, probability in identifier().rank(text[:READ_CHARACTERS]):
        found[without_variant(code)] += probability
    best = max(found, key=found.__getitem__)
    return best if found[best] >= LANGUAGE_PROBABILITY else None


@cache
def without_variant(code: str) -> str:
    """Return the language of a code with a region or script (`zh-TW`), or of a variant."""
    language = re.split("[-_]", code.lower())[0]
    return VARIANTS.get(language, language)
