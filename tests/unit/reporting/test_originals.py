"""Passages of the corpus are found in samples."""

from unicodedata import normalize

from samizdat.reporting.originals import Originals


def found_in(texts: list[str], *samples: str) -> list[bool]:
    originals = Originals(texts, samples)
    return [originals.occur_in(sample) for sample in samples]


def test_a_text_is_recognised_by_six_words_in_a_row_or_as_a_whole():
    texts = ["One two three four five six seven.", "Short one here", "我爱北京天安门"]
    assert found_in(texts, "and TWO, three; four five six SEVEN!", "one two three four five, and six seven") == [1, 0]
    assert found_in(texts, "a short one here too", "a short one there") == [True, False]
    # The Chinese text has four words.
    assert found_in(texts, "看，我爱北京天安门！", "我爱天安门") == [True, False]


def test_a_text_is_recognised_in_another_normal_form_and_with_its_marks():
    text = "Příliš žluťoučký kůň úpěl ďábelské ódy"
    samples = (normalize("NFD", text), "यह हिन्दी एक भाषा है", "हिन्दी एक भाष")
    assert found_in([text, "हिन्दी एक भाषा"], *samples) == [True, True, False]
