"""The catalogues of the report's languages are complete, and each translation keeps what its sentence has in it."""

import re
from collections import Counter
from pathlib import Path
from string import Formatter

import pytest

from samizdat.base.configuration import load_schema
from samizdat.base.language import CATALOGUES, ENGLISH, LANGUAGES
from samizdat.publishing.document_words import translated, translated_page
from samizdat.publishing.script_words import PLAY_WORDS, WORDS
from support.catalogues import DOCUMENTS, PAGES, as_forms, in_code, read, template, up_to_date

ROOT = Path(__file__).parents[2]
OTHERS = [language for language in LANGUAGES if language != ENGLISH]
# What a translation has as often as the sentence: emphasis, code, links, references, elements.
MARKUP = re.compile(r"\*+|`[^`]*`|\]\([^)]*\)|@[a-z]+-[\w-]+|<[^>]*>|\n")
NO_BREAK = "\u00a0"


@pytest.fixture(scope="module")
def messages():
    return template()


def test_the_config_offers_the_languages_that_have_a_catalogue():
    assert sorted(load_schema()["properties"]["report_language"]["enum"]) == sorted(LANGUAGES)


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_has_all_messages_and_no_others(language, messages):
    written = (CATALOGUES / f"{language}.po").read_text(encoding="utf-8")
    assert up_to_date(read(language), messages) == written, "run `make messages`"


@pytest.mark.parametrize("language", OTHERS)
def test_every_message_is_translated_and_keeps_places_markup_and_blanks(language):
    catalogue = read(language)
    for one in catalogue:
        if not one.id:
            continue
        english = as_forms(one.id)[-1]
        forms = as_forms(one.string)
        assert all(forms) and not one.fuzzy, one.id
        assert not one.pluralizable or len(forms) == catalogue.num_plurals, one.id
        for form in forms:
            assert places(form) == places(english), form
            assert Counter(MARKUP.findall(form)) == Counter(MARKUP.findall(english)), form
            assert blanks(form) == blanks(english) and form.count(NO_BREAK) >= english.count(NO_BREAK), form
            assert "”" not in form and form.count("„") == form.count("“"), form


def places(words: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(words) if name}


def blanks(words: str) -> tuple[bool, bool]:
    return words[0] == " ", words[-1] == " "


def test_each_step_that_publishes_says_words_and_depends_on_them():
    rules = (ROOT / "workflow" / "rules" / "publishing.smk").read_text(encoding="utf-8").split("\nrule ")[1:]
    assert len(rules) > 2
    assert [rule.partition(":")[0] for rule in rules if "words=catalogue_digest(" not in rule] == []


def test_a_sentence_that_is_put_together_when_the_program_runs_is_no_message():
    with pytest.raises(AssertionError, match="not a literal"):
        list(in_code('say(f"{number} texts")'))
    assert list(in_code('say("a" "b", x=1)\ncounted(n, "text", "texts")\nsay(NAMES[x])')) == ["ab", ("text", "texts")]


def test_the_scripts_say_what_the_catalogue_has():
    scripts = [*(ROOT / "report").glob("*.js"), ROOT / "report" / "quarto.html"]
    assert {words for path in scripts for words in said_in(path)} == set(WORDS)
    assert said_in(ROOT / "report" / "play" / "play.js") == set(PLAY_WORDS)


def said_in(script: Path) -> set[str]:
    """Find what a script says: a sentence, or one of two."""
    found = re.findall(r'\bsay\((?:[^"()]*\? *)?"([^"]+)"(?:\s*: "([^"]+)")?', script.read_text(encoding="utf-8"))
    return {words for both in found for words in both if words}


def test_a_translated_page_keeps_everything_but_words():
    for path in PAGES:
        page = path.read_text(encoding="utf-8")
        assert translated_page(page) == page
        swapped = translated_page(page, str.swapcase)
        assert re.findall(r"<[^>]*>|\$\w+", swapped) == re.findall(r"<[^>]*>|\$\w+", page)
        words = re.sub(r"<[^>]*>|\$\w+", "", page)
        assert words.swapcase() == re.sub(r"<[^>]*>|\$\w+", "", swapped)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.parent.name)
def test_a_translated_document_keeps_everything_but_words(path):
    document = path.read_text(encoding="utf-8")
    assert translated(document) == document
    lines = translated(document, str.swapcase).split("\n")
    for line, original in zip(lines, document.split("\n"), strict=True):
        words = original.startswith(("#| tbl-cap", "#| fig-cap", "## ", "### ", "#### ", "- ")) or "title=" in original
        prose = bool(re.match(r"[A-Z@]", original))
        assert (line != original) == (words or prose), original
        assert re.findall(r"\{[#.][^}\"]*", line) == re.findall(r"\{[#.][^}\"]*", original)
