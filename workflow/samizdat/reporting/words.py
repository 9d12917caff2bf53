"""Write numbers, intervals, names and lists as words and Markdown, in the report's language."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pandas as pd

from samizdat.base.corpus_files import shown
from samizdat.base.escaping import escape, isolated, shortened
from samizdat.base.language import numeral, plural, say
from samizdat.measures.bootstrap import FEWEST_DOCUMENTS

NO_BREAK = "\u00a0"
LONGEST_DRAWN = 60  # characters of a name in a title or an alternative text
MOST_DECIMALS = 6  # of a percentage
UNBROKEN_CHARACTERS = 10  # of the longest word that stays in one line with a score behind it in a narrow cell


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
    """Write a pipe table.

    Args:
        rows: cells that are Markdown already (see `escape`).
        columns: headings.
        numbers: the columns that are aligned right.
    """
    rule = ["---:" if column in numbers else ":---" for column in columns]
    lines = [columns, rule, *([cell or NO_BREAK for cell in row] for row in rows)]
    return Table("\n".join("| " + " | ".join(line) + " |" for line in lines))


def count(number: float) -> str:
    """Write a whole number with thousands separated: 23,703."""
    return numeral(number, ",.0f")


def counted(number: int, one: str, many: str) -> str:
    """Write a number with its noun: 1 text, 2 texts. It is a name of the thing, for which no case is asked."""
    return f"{count(number)}{NO_BREAK}{plural(one, many, number)}"


def percent(share: float, digits: int = 0) -> str:
    """Write a share as percent: 52 %. One that would round to 0 or 100 but is neither has the decimals that say so."""
    while 0 < share < 1 and round(share * 100, digits) in (0, 100) and digits < MOST_DECIMALS:
        digits += 1
    return f"{numeral(share * 100, f'.{digits}f')}{NO_BREAK}%"


def exact_percent(share: float) -> str:
    """Write a share that was chosen, such as an interval's confidence, as it is: 97.5 %."""
    return f"{numeral(round(share * 100, MOST_DECIMALS), 'g')}{NO_BREAK}%"


def percent_interval(value: float, low: float, high: float) -> str:
    """Write a share with its interval, where it has one: 52 % (49 to 55 %)."""
    if is_null(low):
        return percent(value)
    start = percent(low).removesuffix(f"{NO_BREAK}%")
    return say("{value} ({low} to {high})", value=percent(value), low=start, high=percent(high))


def number_interval(value: float, low: float, high: float, digits: int = 2) -> str:
    """Write a number with its interval, where it has one: 0.71 [0.69, 0.73]."""
    said, start, end = (numeral(number, f".{digits}f") for number in (value, low, high))
    return said if is_null(low) else say("{value} [{low}, {high}]", value=said, low=start, high=end)


def bounds(low: float, high: float, digits: int) -> str:
    """Write the bounds of an interval for a narrow cell, nothing where there is none: 0.69 to 0.73."""
    if is_null(low):
        return ""
    return say("{low} to {high}", low=numeral(low, f".{digits}f"), high=numeral(high, f".{digits}f"))


def p_equals(value: float) -> str:
    """Write a p value: p = 0.013."""
    sign, number = ("<", 0.001) if value < 0.001 else ("=", value)
    return f"p{NO_BREAK}{sign}{NO_BREAK}{numeral(number, '.3f')}"


def too_few() -> str:
    """Write that texts are of too few documents for an interval and a comparison."""
    return say(
        "These texts are of fewer than {fewest} documents, too few for an interval and for a comparison.",
        fewest=FEWEST_DOCUMENTS,
    )


def joined(items: Iterable[str]) -> str:
    """Join words as a list: a, b and c."""
    *words, last = list(items) or [""]
    return say("{words} and {last}", words=", ".join(words), last=last) if words else last


def first_labels(labels: Sequence[str], shown: int, written: Callable[[str], str]) -> str:
    """List the first labels, each as `written` writes it, and say how many more there are."""
    more = len(labels) - shown
    return joined([*map(written, labels[:shown]), *([counted(more, "more label", "more labels")] if more > 0 else [])])


def label(name: str) -> str:
    """Write the name of a label, group or model for a sentence, in quotation marks."""
    return quotation(f"<bdi>{escape(shortened(name))}</bdi>")


def quotation(markdown: str) -> str:
    """Put Markdown into the quotation marks of the language."""
    return say("“{text}”", text=markdown)


def drawn(name: str) -> str:
    """Write the name of a label, group or model for a figure's title and alternative text: one line, no Markdown."""
    return isolated(shortened(name, LONGEST_DRAWN))


def name(text: Any) -> str:
    """Write a name for a table cell, nothing for null; the direction of its script doesn't affect its neighbours."""
    return "" if is_null(text) else f"<bdi>{escape(shortened(str(text)))}</bdi>"


def scored(label: str, score: str) -> str:
    """Write a label and its score for a narrow cell; a score stays in one line with the label's last word, if short."""
    last = label.rpartition(" ")[2]
    return name(f"{shortened(label, 100)}{NO_BREAK if len(last) <= UNBROKEN_CHARACTERS else ' '}{score}")


def code(text: str) -> str:
    """Write the name of a file or key as code."""
    return f"<code>{escape(shown(text))}</code>"


def is_null(value: Any) -> bool:
    """Say whether a cell of a table is null: None, NaN or NA."""
    return bool(pd.isna(value))
