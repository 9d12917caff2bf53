"""Words as a reader counts them, in scripts of all kinds."""

from unicodedata import normalize

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from samizdat.measures.words import first_words, gaps, split_words

# A sentence, and its words with blanks between them, as people who read the language write them.
SENTENCES = {
    "English": ("Don't STOP: it's 2026, at 3.5% in the U.S.!", "don't stop it's 2026 at 3.5 in the u.s"),
    "English with hyphens": ("A well-known, state-of-the-art e-mail", "a well known state of the art e mail"),
    "English, typographic": ("“Don’t”, she said – …", "don't she said"),
    "German": ("Die STRASSE, die Straße", "die strasse die strasse"),
    "Czech": ("Příliš žluťoučký kůň", "příliš žluťoučký kůň"),
    "Greek": ("Ὀδυσσεὺς ἀπὸ τῆς Ἰθάκης", "ὀδυσσεὺσ ἀπὸ τῆσ ἰθάκησ"),
    "Hindi": ("हिन्दी एक भाषा है।", "हिन्दी एक भाषा है"),
    "Bengali": ("আমি বাংলায় কথা বলি।", "আমি বাংলায় কথা বলি"),
    "Tamil": ("தமிழ் ஒரு மொழி.", "தமிழ் ஒரு மொழி"),
    "Arabic, vocalised": ("الْعَرَبِيَّةُ لُغَةٌ جَمِيلَةٌ، نَعَمْ", "الْعَرَبِيَّةُ لُغَةٌ جَمِيلَةٌ نَعَمْ"),
    "Persian, with a joiner": ("کتاب می\u200cخواهم؟", "کتاب می\u200cخواهم"),
    "Hebrew, vocalised": ("שָׁלוֹם עוֹלָם", "שָׁלוֹם עוֹלָם"),
    "Korean": ("한국어는 재미있다.", "한국어는 재미있다"),
    "Chinese": ("我喜欢读书和写作。", "我 喜欢 读书 和 写作"),
    "Chinese, traditional": ("今天天氣很好", "今天 天氣 很好"),
    "Japanese": ("私は東京でコンピューターを使う。", "私 は 東京 で コンピューター を 使う"),
    "Thai": ("ฉันรักภาษาไทย", "ฉัน รัก ภาษา ไทย"),
    "Lao": ("ຂ້ອຍຮັກພາສາລາວ", "ຂ້ອຍ ຮັກ ພາສາ ລາວ"),
    "Khmer": ("ខ្ញុំស្រឡាញ់ប្រទេសកម្ពុជា", "ខ្ញុំ ស្រឡាញ់ ប្រទេស កម្ពុជា"),
    "Burmese": ("ကလေးတွေကျောင်းသွားတယ်", "ကလေး တွေ ကျောင်း သွား တယ်"),
    "two scripts": ("日本語とEnglish", "日本語 と english"),
}
# Letters, marks, joiners, punctuation and digits of many scripts, next to whatever else there is.
LETTERS = "aÉßİŉŐ '’-_.:1٣हिन्दीক্ষعَرَבּ한국\u1100\u1161\u0301\u0323\u200c\u200d\u00ad我喜がパไทยลำລາວខ្មែរမြန်မာབོད\U00020000"
MIXED = st.text(st.sampled_from(LETTERS) | st.characters(codec="utf-8"))


@pytest.mark.parametrize("language", SENTENCES)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_words_are_those_that_a_reader_counts(language, form):
    text, words = SENTENCES[language]
    assert split_words(normalize(form, text)) == [normalize("NFC", word) for word in words.split(" ")]


def test_what_has_no_letter_and_no_digit_is_no_word():
    assert split_words(" – ___ … 😀 \u0301 \n") == []


@given(MIXED)
@example("α\u0345\u0301")  # lower case before NFC would make a letter of the first mark
def test_composed_and_decomposed_texts_have_the_same_words(text):
    assert split_words(text) == split_words(normalize("NFC", text)) == split_words(normalize("NFD", text))


def test_upper_and_lower_case_are_the_same_word_where_one_of_them_is_decomposed():
    assert split_words("J\u030c") == split_words("ǰ") == ["ǰ"]


@given(MIXED)
def test_words_have_every_letter_and_digit_of_the_text(text):
    def letters(string):
        return [character for character in string if character.isalnum()]

    folded = normalize("NFC", normalize("NFC", text).casefold())
    assert letters("".join(split_words(text))) == letters(folded)


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("The film, however, was good", "The film, however,"),
        ("The film is well-known here", "The film is"),
        ("The very well-known film", "The very well"),
        ("Only three words", None),
        ("我喜欢读书，也写作。", "我喜欢读书"),
        ("ฉันรักภาษาไทย", "ฉันรักภาษา"),
        (normalize("NFD", "Příliš žluťoučký kůň úpěl"), normalize("NFD", "Příliš žluťoučký kůň")),
        ("Three – words … “or” more", "Three – words … “or”"),
    ],
)
def test_the_first_words_of_a_text_are_its_beginning(text, beginning):
    assert first_words(text, 3) == beginning


@given(MIXED, st.integers(1, 5))
def test_first_words_begin_the_text_and_leave_something(text, number):
    beginning = first_words(text, number)
    assert beginning is None or (text.startswith(beginning) and len(split_words(text)) > number)


def test_a_text_can_be_cut_at_blanks_and_between_words_that_have_none():
    assert gaps("one (two)  three-four") == [3, 10]
    assert gaps("我喜欢读书。") == [1, 3]
