"""Words, names, legends and layers that the report is put together from."""

from samizdat.base.escaping import visible
from samizdat.reporting.originals import Originals
from samizdat.reporting.provenance import layered
from samizdat.reporting.style import legend_columns, legend_label, wrapped
from samizdat.reporting.words import counted, joined, label, name, percent, percent_interval, table
from support import hostile


def test_a_text_is_recognised_by_six_words_in_a_row_or_as_a_whole():
    originals = Originals(["One two three four five six seven.", "Short one here", "我爱北京天安门"])
    assert originals.stand_in("and TWO, three; four five six SEVEN!")
    assert not originals.stand_in("one two three four five, and six seven")
    assert originals.stand_in("a short one here too") and not originals.stand_in("a short one there")
    assert originals.stand_in("看我爱北京天安") and not originals.stand_in("我爱天安门")


def test_layers_follow_the_longest_way():
    layers = layered({("a", "b"), ("b", "c"), ("a", "c"), ("d", "c")})
    assert layers == [["a", "d"], ["b", ("a", "c", 1), ("d", "c", 1)], ["c"]] or layers[0] == ["a", "d"]
    assert [[node for node in layer if isinstance(node, str)] for layer in layers] == [["a", "d"], ["b"], ["c"]]


def test_numbers_as_words():
    assert [counted(0, "text"), counted(1, "text"), counted(2_000, "box", "boxes")] == [
        "0\u00a0texts", "1\u00a0text", "2,000\u00a0boxes",
    ]  # fmt: skip
    assert [percent(share) for share in (0, 0.004, 0.5, 0.996, 1)] == [
        "0\u00a0%", "0.4\u00a0%", "50\u00a0%", "99.6\u00a0%", "100\u00a0%",
    ]  # fmt: skip
    assert percent_interval(0.5, 0.25, 0.75) == "50\u00a0% (25 to 75\u00a0%)"
    assert [joined([]), joined("a"), joined("ab"), joined("abc")] == ["", "a", "a and b", "a, b and c"]
    assert table([["a", ""]], ["x", "y"], numbers=["y"]).markdown == "| x | y |\n| :--- | ---: |\n| a | \u00a0 |"


def test_names_are_text_of_bounded_length():
    assert label("<b>") == "“<bdi>&#60;b&#62;</bdi>”"
    assert name(None) == name(float("nan")) == "" and name(3) == "<bdi>3</bdi>"
    assert len(name("x" * 1_000_000)) < 200
    for text in hostile.EVERY:
        lines = wrapped(text, 20, 3).split("\n")
        assert len(lines) <= 3 and max(map(len, lines)) <= 21
        assert (
            "".join(lines).rstrip("…").replace(" ", "")[:20] == "".join(visible(text).split())[:20] or len(lines) == 3
        )


def test_legends_keep_names_that_begin_with_an_underscore_and_fit():
    assert not legend_label("_hidden", 20).startswith("_")
    assert (
        legend_columns(["a", "b", "c"], 4) == 3
        and legend_columns(["x" * 40] * 4, 4) == 2
        and legend_columns([], 4) == 1
    )
