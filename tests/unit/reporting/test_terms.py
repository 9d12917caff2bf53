"""Words that tell sets apart, in the report: what was found, in a table and a sentence; nothing where texts are not."""

import math

import pandas as pd
import pytest

from samizdat.records.statistics import STATISTICS
from samizdat.reporting import corpus, terms


def found(group, term, ratio=4.0, p_value=0.005, between="groups"):
    middle = math.log(ratio)
    return {
        "between": between, "set": group, "term": term, "documents": 9, "occurrences": 20, "words": 10_000,
        "others_occurrences": 10, "others_words": 20_000, "log_odds": middle, "low": middle - math.log(2),
        "high": middle + math.log(2), "p_value": p_value, "terms": 300,
    }  # fmt: skip


ROWS = [
    found("letter", "dear"), found("letter", "moon", 0.25), found("poem", "moon", 4), found("poem", "p|pe", 200),
    found("poem", "luck", 9, p_value=0.06), found("gpt2-tiny", "rain", 3, between="samples"),
    found("gpt2-tiny", "winters", 0.5, between="samples"),
]  # fmt: skip


@pytest.fixture
def told(made_up):
    """The made-up run, with these terms."""
    run = terms.Run(made_up)
    vars(run)["terms"] = pd.DataFrame(ROWS, columns=STATISTICS["terms"].names)
    return run


def test_the_table_has_what_groups_have_more_often_with_intervals(told):
    lines = terms.of_groups(told).markdown.splitlines()
    assert lines[0] == "| Group | Word | In 10,000 words | In 10,000 words of other groups | Odds ratio |"
    assert lines[2].replace("\u00a0", " ") == (
        "| <bdi>letter</bdi> | <bdi>dear</bdi> | 20.0 | 5.0 | 4.00<br><small>2.00 to 8.00</small> |"
    )
    assert len(lines) == 5 and lines[4].count("|") == 6 + ("\\|" in lines[4]) and "200<br>" in lines[4]


def test_samples_have_words_more_often_and_less_often(told):
    lines = terms.of_samples(told).markdown.splitlines()
    assert [line.split("</bdi>")[0] for line in lines[2:]] == [
        "| <bdi>samples, more often",
        "| <bdi>samples, less often",
    ]
    assert "rain" in lines[2] and "winters" in lines[3]


def test_only_ten_terms_of_a_group_are_shown(told):
    vars(told)["terms"] = pd.DataFrame([found("letter", f"w{number}") for number in range(15)])
    lines = terms.of_groups(told).markdown.splitlines()[2:]
    assert len(lines) == 10 and "w9" in lines[-1]


def test_of_many_groups_the_largest_are_shown_and_the_heading_says_so(told):
    groups = [f"g{number}" for number in range(12)]
    vars(told)["terms"] = pd.DataFrame([found(group, "dear") for group in groups])
    vars(told)["texts"] = told.texts.assign(group=[*groups[2:], *groups * 19, "g2", "g3"])
    heading, _, *lines = terms.of_groups(told).markdown.splitlines()
    assert heading.startswith("| Group (the 10 largest of 12) |")
    assert [line.split("</bdi>")[0].removeprefix("| <bdi>") for line in lines] == groups[2:]


def test_of_several_models_the_words_are_each_ones_own(told):
    vars(told)["models"] = dict.fromkeys(["gpt2-tiny", "other"])
    vars(told)["terms"] = pd.DataFrame([*ROWS, found("other", "snow", 0.3, between="samples")])
    assert terms.between_samples(told).markdown.splitlines() == [
        "- “<bdi>gpt2-tiny</bdi>”: Samples have “<bdi>rain</bdi>” more often and “<bdi>winters</bdi>” less often than "
        "texts have.",
        "- “<bdi>other</bdi>”: Samples have “<bdi>snow</bdi>” less often than texts have.",
    ]


def test_sentences_say_what_was_found(told):
    said = corpus.opening(told).markdown
    assert said.endswith(
        "Some words are clearly more frequent in one group, such as “<bdi>dear</bdi>” in “<bdi>letter</bdi>” and "
        "“<bdi>moon</bdi>” in “<bdi>poem</bdi>”."
    )
    assert terms.between_samples(told).markdown == (
        "Samples have “<bdi>rain</bdi>” more often and “<bdi>winters</bdi>” less often than texts have."
    )


def test_nothing_found_is_a_sentence_in_the_place_of_the_table_and_none_in_the_opening(told):
    rows = [found("poem", "luck", p_value=0.051), found("gpt2-tiny", "rain", p_value=0.051, between="samples")]
    vars(told)["terms"] = pd.DataFrame(rows)
    assert terms.of_groups(told).markdown == "No group was found to have a word more often than the others."
    assert terms.of_samples(told).markdown == "No word tells samples and texts apart."
    assert "clearly more frequent" not in corpus.opening(told).markdown
    assert terms.between_samples(told) is None


def test_where_nothing_was_compared_the_report_says_why_and_without_groups_or_samples_nothing(told):
    vars(told)["terms"] = told.terms[:0]
    assert terms.of_groups(told).markdown.startswith("The words of the groups were not compared. That needs 20 docum")
    assert terms.of_samples(told).markdown.startswith("The words of samples and texts were not compared. That needs 20")
    vars(told)["texts"] = told.texts.assign(group="letter")
    vars(told)["samples"] = told.samples[~told.samples["prompt_kind"].isin(("none", "unprompted"))]
    assert terms.of_groups(told) is None and terms.of_samples(told) is None


def test_no_word_of_a_corpus_that_is_withheld_is_shown(told):
    told.publish_texts = False
    assert terms.of_groups(told) is None and terms.of_samples(told) is None
    assert "“<bdi>dear" not in corpus.opening(told).markdown
    assert terms.between_samples(told) is None
