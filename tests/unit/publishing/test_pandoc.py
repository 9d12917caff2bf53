"""Pandoc's document trees: read, changed and written."""

import pytest

from samizdat.publishing import pandoc


def test_elements_are_replaced_from_the_leaves_up():
    tree = pandoc.parse("a *b* c")

    def change(element):
        if element["t"] == "Emph":
            return [{"t": "Strong", "c": element["c"]}, {"t": "Str", "c": "!"}]
        return [{"t": "Str", "c": element["c"].upper()}] if element["t"] == "Str" else None

    tree["blocks"] = pandoc.rewrite(tree["blocks"], change)
    assert pandoc.unparse(tree, "html5").strip() == "<p>A <strong>B</strong>! C</p>"


def test_plain_text_has_the_words_of_all_elements():
    inlines = pandoc.parse("a *b* `c` [d](https://example.org) $e$ “f”")["blocks"][0]["c"]
    assert pandoc.plain_text(inlines).split() == ["a", "b", "c", "d", "e", "“f”"]


def test_a_refusal_of_pandoc_is_an_error():
    with pytest.raises(RuntimeError, match="pandoc: "):
        pandoc.convert("x", "no-such-format", "html5")
