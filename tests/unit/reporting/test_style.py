"""Legends and labels of figures fit, whatever the text."""

from samizdat.base.escaping import visible
from samizdat.reporting.style import legend_columns, legend_label, letters_wide, wrapped
from support import hostile


def test_legends_keep_names_that_begin_with_an_underscore_and_fit():
    assert not legend_label("_hidden", 20).startswith("_")
    assert (
        legend_columns(["a", "b", "c"], 4) == 3
        and legend_columns(["x" * 40] * 4, 4) == 2
        and legend_columns([], 4) == 1
    )


def test_wrapped_text_has_lines_of_bounded_length():
    for text in hostile.EVERY:
        lines = wrapped(text, 20, 3).split("\n")
        assert len(lines) <= 3 and max(map(letters_wide, lines)) <= 21
        assert (
            "".join(lines).rstrip("…").replace(" ", "")[:20] == "".join(visible(text).split())[:20] or len(lines) == 3
        )


def test_chinese_letters_are_as_wide_as_two_and_marks_have_no_width():
    assert wrapped("漢" * 25, 20).split("\n") == ["漢" * 10, "漢" * 10, "漢" * 5]
    assert wrapped("हिन्दी" * 4, 20) == "हिन्दी" * 4
    assert legend_columns(["漢" * 20] * 4, 4) == legend_columns(["x" * 40] * 4, 4) == 2
