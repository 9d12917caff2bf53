"""Hostile text is shown as what it is, by every reader of Markdown."""

import html
import re
import unicodedata
from html.parser import HTMLParser

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from samizdat.base.escaping import attribute, escape, plain, quoted, shortened, visible, whole_letters
from samizdat.publishing import pandoc
from support import hostile

SHORT = [text for text in hostile.EVERY if len(text) < 500]
# Pieces of hostile texts put together, and any characters at all, lone surrogates too.
ANY_TEXT = st.one_of(
    st.text(st.characters(codec=None), max_size=30),
    st.lists(st.sampled_from([*SHORT, " ", "\n", "a", "1"]), min_size=1, max_size=3).map("".join),
)


class Shown(HTMLParser):
    """The text of each paragraph and table cell of a page, and the elements that it has."""

    def __init__(self, page: str):
        super().__init__()
        self.texts: list[str] = []
        self.elements: set[str] = set()
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        if tag in ("p", "td"):
            self.texts.append("")
        if tag == "br":
            self.texts[-1] += "\n"

    def handle_data(self, data):
        if self.texts and data.strip("\n"):
            self.texts[-1] += data


def comparable(text: str) -> str:
    """Text without the kinds of blanks and the ways to write an accent that a reader of Markdown may choose."""
    return unicodedata.normalize("NFC", text.replace("\u00a0", " "))


def read(texts: list[str], reader: str, form: str) -> Shown:
    """Texts as paragraphs or as cells of a table of one column, read and written as HTML by pandoc."""
    if form == "paragraph":
        markdown = "\n\n".join(f"{escape(text)}x" for text in texts)
    else:
        markdown = "\n".join(["| |", "| --- |", *(f"| {escape(text)}x |" for text in texts)])
    return Shown(pandoc.convert(markdown, reader, "html5", "--columns=1000000000"))


@pytest.mark.parametrize("reader", [pandoc.MARKDOWN, "gfm"])
@pytest.mark.parametrize("form", ["paragraph", "cell"])
@settings(max_examples=50, derandomize=True)
@example(texts=SHORT)
@given(texts=st.lists(ANY_TEXT, min_size=1, max_size=25))
def test_a_text_is_read_as_its_visible_form(reader, form, texts):
    shown = read(texts, reader, form)
    assert [comparable(text) for text in shown.texts] == [comparable(f"{visible(text)}x") for text in texts]
    assert shown.elements <= {"p", "br", "span", "table", "colgroup", "col", "thead", "tbody", "tr", "th", "td"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("a\x00b\x7fc\td", "a␀b␡c  d"),
        ("a\r\nb\rc\u2028d\u2029e\x85f", "a\nb\nc\nd\ne\nf"),
        ("a\u202eb\u2066c", "a⟨U+202E⟩b⟨U+2066⟩c"),
        ("\ue000\uffff\ud800", "⟨U+E000⟩⟨U+FFFF⟩⟨U+D800⟩"),
        ("क\u094dष \u200d\u200cश 👩\u200d💻 ž", "क\u094dष \u200d\u200cश 👩\u200d💻 ž"),
    ],
)
def test_what_cannot_be_seen_is_made_visible(text, shown):
    assert visible(text) == shown


@settings(derandomize=True)
@given(st.text(st.characters(codec=None)))
def test_plain_text_is_one_line_that_survives_yaml_and_html(text):
    line = attribute(text)
    assert html.unescape(line).replace("\u2060", "") == plain(text).replace("\u2060", "")
    assert not re.search("[{}][{}]", html.unescape(line))
    assert "\n" not in line and yaml.safe_load(f'"{line}"') == line


def test_a_long_text_is_cut_and_says_how_long_it_was():
    assert quoted("abc", language="en") == '<bdi lang="en">abc</bdi>'
    assert quoted("ab " * 100_000, language="cs", longest=5) == '<bdi lang="cs">ab ab</bdi> … (300,000 characters)'
    assert shortened("x" * 120) == "x" * 120 and shortened("x" * 121) == "x" * 119 + "…"


@pytest.mark.parametrize("reader", [pandoc.MARKDOWN, "gfm"])
def test_a_mark_changes_no_character_of_a_text(reader):
    texts = [*SHORT, "a\r\n", "\r\n\r\n", "abc\r\nd"]
    for begin, end in ((0, 500), (1, 3), (2, 500), (3, 4)):
        marked = [quoted(text, language="en", longest=500, marked=(begin, end)) for text in texts]
        assert sum("<mark>" in one for one in marked) > len(texts) / 2
        page = Shown(pandoc.convert("\n\n".join(f"x{one}x" for one in marked), reader, "html5", "--columns=1000000000"))
        assert [comparable(text) for text in page.texts] == [comparable(f"x{visible(text)}x") for text in texts]
        assert page.elements <= {"p", "br", "mark", "bdi", "span"}


def test_a_mark_has_exactly_the_passage():
    assert quoted("one two three", language="en", marked=(4, 7)) == '<bdi lang="en">one <mark>two</mark> three</bdi>'
    assert "<mark>" not in quoted("one two", language="en", longest=3, marked=(4, 7))


@pytest.mark.parametrize(
    ("text", "longest", "shown"),
    [("हिन्दी भाषा", 3, "हि"), ("x👩‍👩‍👧y", 4, "x"), ("bete\u0301 noir", 4, "bet"), ("plain text", 5, "plain")],
)
def test_a_long_text_is_cut_between_letters(text, longest, shown):
    found = re.sub("<[^>]+>", "", quoted(text, language="en", longest=longest))
    assert found == f"{shown} … ({len(text)} characters)"
    assert shortened(text, longest + 1) == f"{shown}…"


@pytest.mark.parametrize("at", [-40, -1, 0, 1, 100, 119, 120, 500])
def test_a_place_between_letters_is_left_as_it_is(at):
    assert whole_letters("ab" * 60, at) == min(max(at, 0), 120)
    assert whole_letters("a\ud800" * 60, at) == min(max(at, 0), 120)


@pytest.mark.parametrize(
    ("text", "begins"), [("$x$", 2), (r"\(x\)", 1), (r"\[x\]", 1), (r"\begin{align}", 1), (r"a \ b\n", 0)]
)
def test_what_begins_math_in_jupyter_is_apart(text, begins):
    assert escape(text).count("mathjax_ignore") == begins
    assert html.unescape(re.sub(r"<[^>]+>", "", escape(text))) == text
