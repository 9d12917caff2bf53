"""Say the report's own words in the reader's language: sentences, plurals, and the signs in numbers.

The English sentence is the name of a message. Translations are in `samizdat/languages/`, a catalogue for each language
(gettext's .po), which `make messages` brings up to date. The language is chosen once, where a run is opened.
"""

import gettext
import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

CATALOGUES = Path(__file__).parents[1] / "languages"
ENGLISH = "en"
LANGUAGES = (ENGLISH, *sorted(path.stem for path in CATALOGUES.glob("*.po")))

_spoken = ENGLISH


def speak(language: str) -> None:
    """Choose the language of all that is said from now on; without a catalogue it is English."""
    global _spoken
    _spoken = language if language in LANGUAGES else ENGLISH


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Choose a language for some statements."""
    before = _spoken
    speak(language)
    try:
        yield
    finally:
        speak(before)


def message(english: str) -> str:
    """Return a sentence as it is, for a constant that is made before the language is known; `say` it later."""
    return english


def say(english: str, /, **values: object) -> str:
    """Say a sentence, with values in the places that are named in it.

    `make messages` finds sentences by their text, so `english` is a literal, or comes from a constant of `message`.
    """
    return said_raw(english).format(**values)


def said_raw(english: str) -> str:
    """Say a sentence whose braces are no places for values, such as Markdown of the document."""
    return _translations(_spoken).gettext(english)


def plural(one: str, many: str, number: float, /, **values: object) -> str:
    """Say a sentence in the form that its number needs; `{count}` is the number, with thousands separated."""
    chosen = _translations(_spoken).ngettext(one, many, round(number))
    return chosen.format(count=numeral(number, ",.0f"), **values)


def numeral(value: float, form: str) -> str:
    """Write a number by a format of Python's (`,.0f`, `.2f`, `g`), with the signs of the language: 1 234,5 in Czech."""
    return with_signs(f"{value:{form}}")


def with_signs(number: str) -> str:
    """Give a number that is written in English the signs of the language."""
    return number.translate(_signs(_spoken))


def catalogue_digest(language: str) -> str:
    """Compute a digest of a language's words, by which an edit of them makes the report again; empty for English."""
    return "" if language == ENGLISH else hashlib.sha256(_path(language).read_bytes()).hexdigest()[:16]


def _path(language: str) -> Path:
    return CATALOGUES / f"{language}.po"


@cache
def _translations(language: str) -> gettext.NullTranslations:
    if language == ENGLISH:
        return gettext.NullTranslations()
    # Most starts of the package say nothing in another language.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    with _path(language).open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@cache
def _signs(language: str) -> dict[int, str]:
    """Return what replaces the comma between thousands and the point before decimals."""
    if language == ENGLISH:
        return {}
    from babel import Locale

    signs = Locale(language).number_symbols["latn"]
    return {ord(","): signs["group"], ord("."): signs["decimal"]}
