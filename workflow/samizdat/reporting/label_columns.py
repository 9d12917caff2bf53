"""Choose the columns with labels that people gave the texts, and say why some are not drawn."""

import pandas as pd

from samizdat.base.language import message, say
from samizdat.measures.ratings import of_most
from samizdat.records.classifiers import MULTI_LABEL, NUMBER, SINGLE_LABEL, ClassifierCard, Kind
from samizdat.records.corpus import LABEL_PREFIX
from samizdat.reporting.run import Run
from samizdat.reporting.style import PALETTE
from samizdat.reporting.words import count, drawn


def label_columns(texts: pd.DataFrame) -> list[str]:
    """Return the columns with labels, without one that equals the group."""
    columns = [str(column) for column in texts.columns]
    return [one for one in columns if one.startswith(LABEL_PREFIX) and not texts[one].equals(texts["group"])]


def kind_of(run: Run, column: str) -> Kind:
    """Say what the cells of a column have: one label, several or a number, as the classifiers that use it give them."""
    return card.kind if (card := _user(run, column)) else SINGLE_LABEL


def _user(run: Run, column: str) -> ClassifierCard | None:
    """Return a classifier that takes the cells for numbers or for several labels, if no other takes them for one."""
    cards = [card for card in run.cards.values() if LABEL_PREFIX + (card.label_column or "") == column]
    single = any(card.kind != NUMBER and card.label_separator is None for card in cards)
    return None if single or not cards else cards[0]


def labels_of(run: Run, column: str) -> pd.Series:
    """Return the labels of all texts: a row for each label of a text, null for one that has none of several.

    Of several raters' answers the labels count that more than half of them gave. The index is that of the texts,
    without those that nobody labelled; of numbers there is none.
    """
    given, card = run.texts[column].dropna(), _user(run, column)
    if card is None:
        return given
    if card.kind == NUMBER:
        return given[:0]
    asked, by_raters = column.removeprefix(LABEL_PREFIX), run.texts["raters"].dropna()
    several = by_raters.map(lambda one: dict(one).get(asked)).dropna()
    cells = several[several.map(len) > 0].combine_first(given.map(lambda cell: [cell]))
    return cells.map(lambda some: of_most([card.labels_in(cell) for cell in some])).explode()


def frequent_labels(given: pd.Series) -> list[str]:
    """Return the most frequent labels, sorted by name; at most six, which fit a table."""
    return sorted(given.value_counts().index[:6])


def undrawn(run: Run) -> dict[str, str]:
    """Say why columns with human labels are not drawn: column → sentence; none for a column that equals the group."""
    sentences = {}
    for column in label_columns(run.texts):
        given, asked = run.texts[column].dropna().unique(), drawn(column.removeprefix(LABEL_PREFIX))
        if not len(given):
            sentences[column] = say("Not drawn: labels of {column}; no text has one.", column=asked)
        elif (kind := kind_of(run, column)) == NUMBER:
            sentences[column] = say("Not drawn: the numbers of {column}.", column=asked)
        elif kind == MULTI_LABEL:
            sentences[column] = say("Not drawn: labels of {column}; a text can have several.", column=asked)
        elif len(given) > len(PALETTE):
            number = count(len(given))
            many = message("Not drawn: the {number} labels of {column}, more than a figure can show.")
            sentences[column] = say(many, number=number, column=asked)
        elif len(given) == 1:
            one = message("Not drawn: labels of {column}; each text that has one has “{label}”.")
            sentences[column] = say(one, column=asked, label=drawn(given[0]))
    return sentences
