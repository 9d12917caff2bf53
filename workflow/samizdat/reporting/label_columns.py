"""Choose the columns with labels that people gave the texts, and say why some are not drawn."""

import pandas as pd

from samizdat.base.language import message, say
from samizdat.records.corpus import LABEL_PREFIX
from samizdat.reporting.style import PALETTE
from samizdat.reporting.words import count, drawn


def label_columns(texts: pd.DataFrame) -> list[str]:
    """Return the columns with labels, without one that equals the group."""
    columns = [str(column) for column in texts.columns]
    return [one for one in columns if one.startswith(LABEL_PREFIX) and not texts[one].equals(texts["group"])]


def frequent_labels(texts: pd.DataFrame, column: str) -> list[str]:
    """Return the most frequent labels of a column, sorted by name; at most six, which fit a table."""
    return sorted(texts[column].value_counts().index[:6])


def undrawn(texts: pd.DataFrame) -> dict[str, str]:
    """Say why columns with human labels are not drawn: column → sentence; none for a column that equals the group."""
    sentences = {}
    for column in label_columns(texts):
        given, asked = texts[column].dropna().unique(), drawn(column.removeprefix(LABEL_PREFIX))
        if len(given) > len(PALETTE):
            number = count(len(given))
            many = message("Not drawn: the {number} labels of {column}, more than a figure can show.")
            sentences[column] = say(many, number=number, column=asked)
        elif len(given) == 1:
            one = message("Not drawn: labels of {column}; each text that has one has “{label}”.")
            sentences[column] = say(one, column=asked, label=drawn(given[0]))
        elif not len(given):
            sentences[column] = say("Not drawn: labels of {column}; no text has one.", column=asked)
    return sentences
