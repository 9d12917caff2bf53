"""Passages of the corpus are found in samples."""

from unicodedata import normalize

from samizdat.reporting.originals import Originals


def test_a_text_is_recognised_by_six_words_in_a_row_or_as_a_whole():
    originals = Originals(["One two three four five six seven.", "Short one here", "我爱北京天安门"])
    assert originals.occur_in("and TWO, three; four five six SEVEN!")
    assert not originals.occur_in("one two three four five, and six seven")
    assert originals.occur_in("a short one here too") and not originals.occur_in("a short one there")
    # The Chinese text has four words.
    assert originals.occur_in("看，我爱北京天安门！") and not originals.occur_in("我爱天安门")


def test_a_text_is_recognised_in_another_normal_form_and_with_its_marks():
    text = "Příliš žluťoučký kůň úpěl ďábelské ódy"
    originals = Originals([text, "हिन्दी एक भाषा"])
    assert originals.occur_in(normalize("NFD", text)) and originals.occur_in("यह हिन्दी एक भाषा है")
    assert not originals.occur_in("हिन्दी एक भाष")
