"""Columns of tables on paper: room for every word, the rest where most text is, smaller letters where it is tight."""

import pytest

from samizdat.publishing.column_widths import SIZE, SMALLEST, fitted
from samizdat.publishing.typst_text import width

PAPER_MM = 170
POINTS = PAPER_MM * 72 / 25.4


def test_the_shares_are_of_the_whole_width_and_text_gets_what_numbers_leave():
    fit = fitted([["Number", "0.25"], ["Text", "some words " * 30]], PAPER_MM)
    assert sum(fit.shares) == pytest.approx(1) and fit.points == SIZE
    assert fit.shares[0] < 0.15
    alike = fitted([["Number", "0.25"], ["Number", "0.25"]], PAPER_MM)
    assert alike.shares == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("columns", [1, 5, 12, 30])
@pytest.mark.parametrize("word", ["0.25", "characters", "Wahrscheinlichkeit", "x" * 64, "漢字漢字漢字"])
def test_every_word_has_room_or_is_broken(columns, word):
    fit = fitted([["a head", f"{word} {word}"]] * columns, PAPER_MM)
    assert SMALLEST <= fit.points <= SIZE
    room = fit.shares[0] * POINTS / fit.points
    whole = len(word) <= fit.longest_word and word.isascii()
    assert room >= width(word if whole else word[0])


def test_letters_shrink_before_words_are_broken():
    few, many = (fitted([["characters"] * 2] * columns, PAPER_MM) for columns in (6, 11))
    assert few.points == SIZE > many.points > SMALLEST
    assert few.longest_word == many.longest_word >= len("characters")


def test_a_short_column_is_in_one_line_beside_long_texts_also_where_each_letter_may_break():
    text = "春天的风吹过河岸" * 20
    fit = fitted([["情感", "积极 0.80"], ["Text", text], ["Text", text]], PAPER_MM)
    assert fit.shares[0] * POINTS / fit.points > width("积极 0.80")
    assert fit.shares[1] == pytest.approx(fit.shares[2])
