"""Legends and labels of figures fit, whatever the text."""

from samizdat.base.escaping import visible
from samizdat.base.language import speaking
from samizdat.reporting.style import drawing, in_percent, legend_columns, legend_label, wrapped
from support import hostile


def test_legends_keep_names_that_begin_with_an_underscore_and_fit():
    assert not legend_label("_hidden", 20).startswith("_")
    assert (
        legend_columns(["a", "b", "c"], 4) == 3
        and legend_columns(["x" * 40] * 4, 4) == 2
        and legend_columns([], 4) == 1
    )


def test_ticks_have_the_signs_of_the_language():
    with speaking("cs"), drawing("title", 2) as (picture, [axis]):
        axis.plot([0, 1], [0, 1])
    with speaking("cs"):
        assert "0,2" in [tick.get_text() for tick in axis.get_xticklabels()]
    assert picture.title == "title"


def test_wrapped_text_has_lines_of_bounded_length():
    for text in hostile.EVERY:
        lines = wrapped(text, 20, 3).split("\n")
        assert len(lines) <= 3 and max(map(len, lines)) <= 21
        assert (
            "".join(lines).rstrip("…").replace(" ", "")[:20] == "".join(visible(text).split())[:20] or len(lines) == 3
        )


def test_lines_break_by_width_and_where_each_script_allows_it():
    assert wrapped("无法打开文件夹", 6) == "无法打\n开文件\n夹"
    assert wrapped("ไม่สามารถเปิดแฟ้ม", 10) == "ไม่สามารถ\nเปิดแฟ้ม"
    assert wrapped("e\u0301" * 6, 4) == "e\u0301" * 4 + "\n" + "e\u0301" * 2
    assert wrapped("one two three", 7) == "one two\nthree"


def test_ticks_of_shares_are_not_rounded():
    say = in_percent()
    assert [say(share, 0) for share in (0, 0.025, 0.05, 0.4, 1.0000000002)] == [
        "0\u00a0%", "2.5\u00a0%", "5\u00a0%", "40\u00a0%", "100\u00a0%",
    ]  # fmt: skip
    with speaking("cs"):
        assert say(0.025, 0) == "2,5\u00a0%"
