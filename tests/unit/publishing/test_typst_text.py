"""Texts for Typst: strings, places to break, directions."""

import re

import pytest

from samizdat.publishing import pandoc
from samizdat.publishing.typst_blocks import typst_inline
from samizdat.publishing.typst_text import break_long_words, literal, reads_from_right


def test_a_literal_is_a_string_whatever_is_in_the_text():
    text = 'a"b\\"c\\\\\n"; #panic("ran"); "'
    written = literal(text)
    assert re.fullmatch(r'"(?:[^"\\\n]|\\.)*"', written)
    assert written[1:-1].replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\") == text


def test_long_words_can_be_broken_between_letters_and_only_there():
    assert break_long_words("short words only", 5) == "short words only"
    assert break_long_words("short abcdef", 5) == "short a\u200bb\u200bc\u200bd\u200be\u200bf"
    assert break_long_words("e\u0301e\u0301e\u0301", 5) == "e\u0301\u200be\u0301\u200be\u0301"
    family = "👩\u200d👩\u200d👧"
    assert break_long_words(family * 2, 5) == f"{family}\u200b{family}"
    # Lines of scripts without blanks break by their own rules.
    for text in ("漢字漢字漢字漢字", "สวัสดีชาวโลก"):
        assert break_long_words(text, 5) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("abc שלום", False), ("שלום abc", True), ("123. مرحبا", True), ("123", False), ("", False), ("“مرحبا”", True)],
)
def test_the_first_letter_decides_the_direction(text, expected):
    assert reads_from_right(text) == expected


def test_a_token_has_a_line_below_as_thick_as_it_was_costly():
    tokens = '<span class="bits-0" title="0.2 bits">a</span><span class="bits-3" style="color:red">b</span>'
    (paragraph,) = pandoc.rewrite(pandoc.parse(tokens)["blocks"], typst_inline)
    written = "".join(element["c"][1] for element in paragraph["c"])
    assert written == '#"a";#underline(stroke: 1.2pt, evade: false)[#"b";]'
