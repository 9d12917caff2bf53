"""Numbers, intervals and lists as words and Markdown."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from samizdat.base.escaping import escape, plain, shortened

NO_BREAK = "\u00a0"
UNBROKEN_CHARACTERS = 24  # of a label in a narrow cell


class Prose:
    """Markdown that a notebook shows as text."""

    def __init__(self, markdown: str):
        self.markdown = markdown

    def _repr_markdown_(self) -> str:
        return self.markdown

    def __repr__(self) -> str:
        return self.markdown


class Table(Prose):
    """A Markdown table."""


def table(rows: Iterable[Sequence[str]], columns: Sequence[str], *, numbers: Sequence[str] = ()) -> Table:
    """A pipe table of cells that are Markdown already (see `escape`); columns in `numbers` are aligned right."""
    rule = ["---:" if column in numbers else ":---" for column in columns]
    lines = [columns, rule, *([cell or NO_BREAK for cell in row] for row in rows)]
    return Table("\n".join("| " + " | ".join(line) + " |" for line in lines))


def count(number: float) -> str:
    """A whole number with thousands separated: 23,703."""
    return f"{number:,.0f}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: 1 text, 2 texts."""
    return f"{count(number)}{NO_BREAK}{one if number == 1 else many or one + 's'}"


def percent(share: float, digits: int = 0) -> str:
    """A share as percent: 52 %. Shares that would round to 0 or 100 without being so keep a digit."""
    if digits == 0 and 0 < share < 1 and round(share * 100) in (0, 100):
        digits = 1
    return f"{share * 100:.{digits}f}{NO_BREAK}%"


def percent_interval(value: float, low: float, high: float) -> str:
    """A share with its interval: 52 % (49 to 55 %)."""
    return f"{percent(value)} ({percent(low).removesuffix(NO_BREAK + '%')} to {percent(high)})"


def number_interval(value: float, low: float, high: float, digits: int = 2) -> str:
    """A number with its interval: 0.71 [0.69, 0.73]."""
    return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def joined(items: Iterable[str]) -> str:
    """Words as a list: a, b and c."""
    words = list(items)
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def label(name: str) -> str:
    """The name of a label, group or model in a sentence, in quotation marks."""
    return f"“<bdi>{escape(shortened(name))}</bdi>”"


def drawn(name: str) -> str:
    """The name of a label, group or model for a figure and its alternative text: one visible line."""
    return plain(shortened(name, 60))


def name(text: Any) -> str:
    """A name in a table cell, isolated from the direction of its neighbours; nothing for null."""
    missing = text is None or (isinstance(text, float) and math.isnan(text))
    return "" if missing else f"<bdi>{escape(shortened(str(text)))}</bdi>"


def scored(label: str, score: str) -> str:
    """A label and its score in a narrow cell, in one line where the label is short."""
    words = f"{shortened(label, 100)} {score}"
    return name(words.replace(" ", NO_BREAK) if len(label) <= UNBROKEN_CHARACTERS else words)


def code(text: str) -> str:
    """A name of a file or key in the typewriter face."""
    return f"<code>{escape(text)}</code>"


def is_null(value: Any) -> bool:
    """Whether a cell of a table holds nothing."""
    return bool(pd.isna(value))
