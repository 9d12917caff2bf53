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
    """Translate a sentence that a step wrote into a file, which is English whatever the report's language.

    The message that matches the sentence is looked up, and the values in it are put into the translation.

    Args:
        said: the sentence; it is returned as it is where no message matches.
        among: the messages to compare it with; none: all.
    """
    for english, pattern in _patterns(_spoken):
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
    """Give a number that is written in English a minus, but not a rounded 0, and the signs of the language."""
    unsigned = re.sub(r"^-(?=[0.,]+(?![\d.,]))", "", number)
    return re.sub(r"^-", "−", unsigned.translate(_signs(_spoken)))


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
def _patterns(language: str) -> list[tuple[str, re.Pattern[str]]]:
    """List each message with a regular expression that matches it with any values; that with most fixed text first.

    Messages without fixed text, or with one value in two places, are left out.
    """
    if language == ENGLISH:
        return []
    messages = [one.id for one in _catalogue(language) if isinstance(one.id, str) and one.id]
    found = []
    for english in messages:
        parts = re.split(r"\{(\w+)\}", english)  # fixed text, name of a value, fixed text, …
        fixed, names = parts[::2], parts[1::2]
        if "".join(fixed).strip() and len(set(names)) == len(names):
            pattern = "".join(f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts))
            found.append((len("".join(fixed)), english, re.compile(pattern, re.DOTALL)))
    return [(english, pattern) for _, english, pattern in sorted(found, key=lambda one: -one[0])]


@cache
def _signs(language: str) -> dict[int, str]:
    """Return what replaces the comma between thousands and the point before decimals."""
    if language == ENGLISH:
        return {}
    from babel import Locale

    signs = Locale(language).number_symbols["latn"]
    return {ord(","): signs["group"], ord("."): signs["decimal"]}
