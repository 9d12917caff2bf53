"""Write any text for Typst as a string, in which nothing is markup, with its direction and places to break it."""

import itertools
import re
import unicodedata

# Scripts without blanks between words break by themselves; a break elsewhere would be wrong.
_BREAK_BY_THEMSELVES = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_WORD = re.compile(rf"[^\s\u00a0\u200b{_BREAK_BY_THEMSELVES}\U00020000-\U0003ffff]+")
_JOINERS = "\u200c\u200d"
_MARKS = {"Mn", "Mc", "Me", "Cf", "Sk"}


def literal(text: str) -> str:
    """Write a text as a string of Typst's."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def break_long_words(text: str, longest: int) -> str:
    """Put an invisible place to break after each letter of the words that are longer than `longest` characters."""
    return _WORD.sub(lambda word: _breakable(word[0]) if len(word[0]) > longest else word[0], text)


def _breakable(word: str) -> str:
    """Put places to break between letters, but not before a mark or beside a joiner, which belong to one letter."""
    parts = [word[:1]]
    for before, letter in itertools.pairwise(word):
        whole = before in _JOINERS or letter in _JOINERS or unicodedata.category(letter) in _MARKS
        parts.append(letter if whole else f"\u200b{letter}")
    return "".join(parts)


def pieces(text: str) -> list[str]:
    """Split a text where a line may end; a script without blanks may break at each letter."""
    return [piece for piece in re.split(rf"[\s\u200b]|(?<=[{_BREAK_BY_THEMSELVES}])|(?<=[-–/])(?=\w)", text) if piece]


def reads_from_right(text: str) -> bool:
    """Whether a text is written from right to left: its first letter with a direction decides."""
    directions = (unicodedata.bidirectional(letter) for letter in text)
    return next((direction in ("R", "AL") for direction in directions if direction in ("L", "R", "AL")), False)


def width(text: str) -> float:
    """Estimate how wide a line is, in ems of the report's font."""
    return sum(_letter_width(letter) for letter in text)


def _letter_width(letter: str) -> float:
    if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.0
    return 0.72 if letter.isupper() or letter in "mwMW%@" else 0.5
