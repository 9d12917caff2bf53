"""Numbers, names and tables as the report writes them."""

from samizdat.reporting.words import (
    counted,
    drawn,
    exact_percent,
    joined,
    label,
    name,
    percent,
    percent_interval,
    table,
)


def test_numbers_as_words():
    assert [counted(0, "text", "texts"), counted(1, "text", "texts"), counted(2_000, "box", "boxes")] == [
        "0\u00a0texts", "1\u00a0text", "2,000\u00a0boxes",
    ]  # fmt: skip
    assert [percent(share) for share in (0, 0.004, 0.5, 0.996, 1)] == [
        "0\u00a0%", "0.4\u00a0%", "50\u00a0%", "99.6\u00a0%", "100\u00a0%",
    ]  # fmt: skip
    assert [percent(share, 1) for share in (0.0003, 0.9996, 0.1, 0.00000001)] == [
        "0.03\u00a0%", "99.96\u00a0%", "10.0\u00a0%", "0.000001\u00a0%",
    ]  # fmt: skip
    assert [exact_percent(share) for share in (0.95, 0.975, 0.925, 0.9999)] == [
        "95\u00a0%", "97.5\u00a0%", "92.5\u00a0%", "99.99\u00a0%",
    ]  # fmt: skip
    assert percent_interval(0.5, 0.25, 0.75) == "50\u00a0% (25 to 75\u00a0%)"
    assert [joined([]), joined("a"), joined("ab"), joined("abc")] == ["", "a", "a and b", "a, b and c"]
    assert table([["a", ""]], ["x", "y"], numbers=["y"]).markdown == "| x | y |\n| :--- | ---: |\n| a | \u00a0 |"


def test_names_are_text_of_bounded_length():
    assert label("<b>") == "“<bdi>&#60;b&#62;</bdi>”"
    assert name(None) == name(float("nan")) == "" and name(3) == "<bdi>3</bdi>"
    assert len(name("x" * 1_000_000)) < 200


def test_a_name_from_right_to_left_is_isolated_in_titles():
    assert drawn("film\nreview") == "film review"
    assert drawn("سلبي") == "\u2068سلبي\u2069" and drawn("a שם") == "\u2068a שם\u2069"
    assert drawn("x" * 100) == "x" * 59 + "…" and len(drawn("ا" * 100)) == 62
    assert drawn("\u2067שם\u2069") == "\u2068⟨U+2067⟩שם⟨U+2069⟩\u2069"
