"""A classifier that was made for other texts says so beside each of its numbers, and another one doesn't."""

import dataclasses

import pytest

from samizdat.reporting import agreement, classifiers, human_agreement, label_comparison, samples, summary, trust
from samizdat.reporting import outside as outside_of
from samizdat.reporting.run import Run
from samizdat.reporting.words import drawn

MARKED = "sentiment (made for other texts)"
WORDS = "30\u00a0% of 100\u00a0texts are in another language than en and de"


@pytest.fixture
def outside(made_up):
    run = Run(made_up)
    run.cards = run.cards | {"sentiment": dataclasses.replace(run.cards["sentiment"], languages=("en", "de"))}
    row = {"classifier": "sentiment", "check": "other_language", "texts": 30, "of": 100}
    run.fitness = run.fitness.iloc[:0].copy()
    run.fitness.loc[0] = row
    return run


def test_the_first_screen_warns_before_the_numbers(outside):
    said, other, *_ = str(summary.finding(outside)).split("\n")
    assert said.index("was not made for all of these texts") < said.index("*Trust:*")
    assert "30\u00a0% of 100\u00a0texts are in another language than en and de" in said
    assert "was not made" not in other and "made for other texts" not in other
    assert "sentiment (made for other texts)" in summary.finding_picture(outside).alternative_text


def test_sentences_tables_and_charts_have_the_warning(outside):
    for sentence in (agreement.opening(outside), label_comparison.opening(outside)):
        assert f"(not made for them: {WORDS})" in str(sentence) and str(sentence).count(WORDS) == 1
    for shown in (agreement.every_score(outside), label_comparison.divergences(outside), trust.examples(outside)):
        cells = [line.split("|")[1].strip() for line in str(shown).splitlines()[2:]]
        assert {cell for cell in cells if "sentiment" in cell} == {"<bdi>sentiment</bdi> (made for other texts)"}
        assert {cell for cell in cells if "source" in cell} == {"<bdi>source</bdi>"}
    for picture in (agreement.scores(outside), agreement.confusion(outside), trust.calibration(outside),
                    classifiers.shares_by_group(outside)):  # fmt: skip
        assert "sentiment (made for other texts)" in picture.alternative_text
        assert "source (made for other texts)" not in picture.alternative_text
    for title in (agreement.scores(outside).title, agreement.confusion(outside).title, str(trust.associations(outside)),
                  label_comparison.by_training(outside).title):  # fmt: skip
        assert title.replace("sentiment\u2069", "sentiment").count("sentiment") == title.count(MARKED)
    assert MARKED in agreement.scores(outside).title and MARKED in str(trust.associations(outside))
    outside.confusion = outside.confusion[outside.confusion["classifier"] == "sentiment"]
    assert MARKED in agreement.confusion(outside).title
    head, _, row, *_ = str(samples.gallery(outside)).splitlines()
    assert "<bdi>sentiment</bdi> (made for other texts)" in head and row.count("?</bdi>") == 1
    assert "(made for other texts)" not in str(human_agreement.ceiling(outside))  # nobody is compared with one rater


def test_a_share_is_of_all_texts_only_where_all_were_checked(outside):
    """The language of a short text isn't determined, and of a large corpus some texts are drawn."""
    said = "not made for them: 30\u00a0% of the texts are in another language"
    assert said not in str(agreement.opening(outside))
    outside.fitness[["texts", "of"]] = [72, 240]
    assert said in str(agreement.opening(outside))


def test_a_long_name_keeps_its_warning_in_titles(outside):
    long = "a-classifier-of-the-mood-of-letters-and-of-poems-in-all-languages-that-people-write"
    outside.fitness["classifier"] = long
    shown = drawn(outside_of.titled(outside, long))
    assert (
        shown.startswith("a-classifier-of-the-mood") and shown.endswith("… (made for other texts)") and len(shown) <= 60
    )
    outside.fitness["texts"] = 0
    assert outside_of.titled(outside, long) == long


def test_a_few_such_texts_are_no_warning(outside):
    outside.fitness["texts"] = 9
    assert "made for" not in str(agreement.opening(outside)) + str(agreement.every_score(outside))
    assert "was not made" not in str(summary.finding(outside))
