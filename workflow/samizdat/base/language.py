"""Say the report's own words in the reader's language: sentences, plurals, and the signs in numbers.

The English sentence is the name of a message. Translations are in `samizdat/languages/`, a catalogue for each language
(gettext's .po), which `make messages` brings up to date. The language is chosen once, where a run is opened.
"""

import gettext
import hashlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

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


def say_again(said: str, *among: str) -> str:
    """Say what a step wrote in English, from messages with values in their places; what is no message stays.

    For files between steps: they are read by people and programs, so they are English whatever the report's language.

    Args:
        said: the sentence.
        among: the messages that it may be; none: all.
    """
    for english, pattern in _spoken_patterns(_spoken):
        if (not among or english in among) and (found := pattern.fullmatch(said)):
            return say(english, **found.groupdict())
    return said


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

    compiled = io.BytesIO()
    write_mo(compiled, _catalogue(language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@cache
def _catalogue(language: str) -> "Catalog":
    from babel.messages.pofile import read_po

    with _path(language).open("rb") as file:
        return read_po(file, locale=language)


@cache
def _spoken_patterns(language: str) -> list[tuple[str, re.Pattern[str]]]:
    """List the messages, those with most words of their own first, each with the pattern of what is said by it."""
    if language == ENGLISH:
        return []
    messages = [one.id for one in _catalogue(language) if isinstance(one.id, str) and one.id]
    parts = {one: re.split(r"\{(\w+)\}", one) for one in messages}  # words, name, words, name, …, words
    proper = [one for one in messages if any(map(str.strip, parts[one][::2]))]
    patterns = {
        one: "".join(f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts[one]))
        for one in proper
        if len(set(parts[one][1::2])) == len(parts[one][1::2])
    }
    ordered = sorted(patterns, key=lambda one: -sum(map(len, parts[one][::2])))
    return [(one, re.compile(patterns[one], re.DOTALL)) for one in ordered]


@cache
def _signs(language: str) -> dict[int, str]:
    """Return what replaces the comma between thousands and the point before decimals."""
    if language == ENGLISH:
        return {}
    from babel import Locale

    signs = Locale(language).number_symbols["latn"]
    return {ord(","): signs["group"], ord("."): signs["decimal"]}
