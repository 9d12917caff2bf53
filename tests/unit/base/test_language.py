"""What the report says in each language: sentences, plurals, and the signs of numbers."""

import pytest

from samizdat.base.language import LANGUAGES, catalogue_digest, message, numeral, plural, say, speak, speaking

NUMBERS = {"en": "12,345.68", "cs": "12\u00a0345,68", "de": "12.345,68", "sk": "12\u00a0345,68"}


def texts(number):
    return plural("training text", "training texts", number)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_number_has_the_signs_of_the_language(language):
    with speaking(language):
        assert numeral(12345.678, ",.2f") == NUMBERS[language]
        assert "−" not in numeral(-0.004, ".2f") and numeral(-0.006, ".2f").startswith("−0")
        assert numeral(-0.5, "g") == f"−0{NUMBERS[language][-3]}5"


def test_a_plural_has_the_form_that_the_number_needs():
    assert [texts(number) for number in (0, 1, 2)] == ["training texts", "training text", "training texts"]
    with speaking("cs"):
        found = [texts(number) for number in (0, 1, 4, 5, 22)]
    assert found == ["trénovacích textů", "trénovací text", *["trénovací texty", *["trénovacích textů"] * 2]]


def test_values_are_put_in_as_they_are_and_what_has_no_translation_is_english():
    name = message("**{name}**, a sentence that no catalogue has: {{}}")
    with speaking("de"):
        assert say(name, name="{x}") == "**{x}**, a sentence that no catalogue has: {}"


def test_a_language_is_spoken_until_another_is_and_one_without_a_catalogue_is_english():
    with speaking("sk"):
        with speaking("cs"):
            assert say("Contents") == "Obsah" and say("Figure") == "Obrázek"
        assert say("Figure") == "Obrázok"
        speak("fr")
        assert say("Figure") == "Figure"
    assert say("Figure") == "Figure"


def test_the_words_of_a_language_have_a_digest():
    digests = [catalogue_digest(language) for language in LANGUAGES]
    assert digests[0] == "" and len(set(digests)) == len(LANGUAGES)
