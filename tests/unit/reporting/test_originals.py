"""Passages of the corpus are found in samples."""

from samizdat.reporting.originals import Originals


def test_a_text_is_recognised_by_six_words_in_a_row_or_as_a_whole():
    originals = Originals(["One two three four five six seven.", "Short one here", "我爱北京天安门"])
    assert originals.occur_in("and TWO, three; four five six SEVEN!")
    assert not originals.occur_in("one two three four five, and six seven")
    assert originals.occur_in("a short one here too") and not originals.occur_in("a short one there")
    assert originals.occur_in("看我爱北京天安") and not originals.occur_in("我爱天安门")
