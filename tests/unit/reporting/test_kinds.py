"""Classifiers that give several labels or a number, in the report: what is said and drawn of them, and what is not."""

import re

import pandas as pd
import pytest

from samizdat.reporting import (
    Run,
    agreement,
    classifiers,
    fitness,
    human_agreement,
    labels_together,
    numbers,
    raters,
    samples,
    several_labels,
    summary,
    trust,
    verdicts,
)
from support.run_fixture import make_run, sentences


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """A run with a classifier of each of the two kinds, and no other."""
    folder = tmp_path_factory.mktemp("kinds") / "kinds"
    return Run(make_run(folder, texts=sentences(160), labels={}, kinds={"moods": "multi_label", "size": "number"}))


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("<bdi>", "").replace("</bdi>", "")


def test_the_labels_of_a_multi_label_classifier_are_told_and_drawn(kinds):
    shares = kinds.several_shares[kinds.several_shares["group_kind"] == "all"].fillna("none")
    shares = shares[shares["subset"] == "texts"].set_index("label")["share"]
    said = plain(several_labels.opening(kinds).markdown)
    none, most = (f"{100 * share:.0f} %" for share in (shares["none"], shares[["anger", "joy", "fear"]].max()))
    assert f"No label reaches its threshold in {none}" in said and f"in {most} (" in said
    assert "“anger”" in said and "How often it is right here is not known" in said
    # Samples are angrier, and nothing else differs.
    found = verdicts.differing_labels(kinds, "samples")
    assert [row["label"] for row in found] == ["anger"] and not verdicts.differing_labels(kinds, "groups")
    assert "Shares differ between samples and texts for “anger”. " in said
    assert "Between groups of texts no label’s share was found to differ" in said
    picture = several_labels.shares_by_group(kinds)
    assert picture.title == "No label’s share was found to differ between groups of texts"
    assert "no label" in picture.alternative_text and "letter" in picture.alternative_text
    picture = several_labels.shares_of_samples(kinds)
    assert picture.title == "Shares differ between samples and texts for moods in “anger”"
    assert "samples, temperature" in picture.alternative_text


def test_where_no_test_was_made_no_title_says_what_it_found(kinds):
    run = Run(kinds.folder)
    shares, tests = kinds.several_shares, kinds.label_differences
    vars(run)["several_shares"] = shares[shares["group_kind"] != "group"]
    vars(run)["label_differences"] = tests[:0]
    of_texts = shares[(shares["subset"] == "texts") & (shares["group_kind"] == "all") & shares["label"].notna()]
    top = of_texts.loc[of_texts["share"].idxmax()]
    title = plain(several_labels.shares_by_group(run).title)
    assert title == f"moods gives “{top['label']}” to {100 * top['share']:.0f} % of all texts"
    assert several_labels.shares_of_samples(run).title.startswith("Too few samples or documents to say")
    vars(run)["several_shares"] = shares[shares["subset"] == "texts"]
    assert several_labels.shares_of_samples(run).markdown.startswith("No sample that began with nothing was read")


def test_a_label_may_be_called_as_the_texts_without_one_are(kinds):
    run = Run(kinds.folder)
    vars(run)["several_shares"] = kinds.several_shares.replace({"label": {"joy": "no label"}})
    for draw in (several_labels.shares_by_group, several_labels.shares_of_samples):
        said = draw(run).alternative_text
        assert " no label " in said and "(no label) " in said


def test_labels_that_go_together_are_drawn(kinds):
    picture = labels_together.cooccurrence(kinds)
    assert "calls “joy”, 100 % is also called “fear”" in plain(picture.title)
    assert "texts called joy: " in plain(picture.alternative_text)
    assert "100 % fear" in plain(picture.alternative_text)


def test_the_title_names_labels_of_the_figure_that_go_together(kinds):
    row = {"classifier": "moods", "texts": 50, "both": 10, "low": 0.1, "high": 0.3, "share_of_all": 0.3}
    names = [f"mood {number:02}" for number in range(13)]
    rows = [row | {"label": one, "other": other, "share": 0.2, "texts": 50 if one != names[12] else 20}
            for one in names for other in names if one != other]  # fmt: skip
    run = Run(kinds.folder)
    vars(run)["cooccurrence"] = pd.DataFrame(rows)
    assert labels_together.cooccurrence(run).title == "Which labels go together"
    # The rarest is not drawn.
    of_rarest, of_two = (run.cooccurrence["label"].isin(some) for some in (names[12:], names[1:2]))
    shares = run.cooccurrence["share"].mask(of_rarest, 0.9).mask(of_two & (run.cooccurrence["other"] == names[0]), 0.4)
    vars(run)["cooccurrence"] = run.cooccurrence.assign(share=shares)
    title = plain(labels_together.cooccurrence(run).title)
    assert title == "Of what moods calls “mood 01”, 40 % is also called “mood 00”, as is 30 % of all texts"


def test_where_no_text_has_a_label_none_is_called_the_most_frequent(kinds):
    run = Run(kinds.folder)
    none = kinds.several_shares["label"].isna()
    shares = kinds.several_shares.assign(count=0, share=0.0)
    vars(run)["several_shares"] = shares.assign(
        count=shares["count"].mask(none, 160), share=shares["share"].mask(none, 1)
    )
    for said in (several_labels.opening(run).markdown, " ".join(several_labels.in_brief(run, "moods"))):
        assert "No label reaches its threshold in any of 160 texts." in plain(said) and "most frequent" not in said


def test_every_test_and_example_of_several_labels_is_listed(kinds):
    rows = several_labels.differences(kinds).markdown.splitlines()[2:]
    assert len(rows) == 3 + 3 and sum("samples of" in row for row in rows) == 3
    shown = trust.examples(kinds).markdown
    assert "moods" in shown and "size" not in shown and "most" in shown and "least" in shown
    assert several_labels.every_score(kinds).markdown.startswith("The corpus has no labels of held-out texts")


def test_numbers_are_told_and_drawn(kinds):
    mean = kinds.numbers[(kinds.numbers["group_kind"] == "all") & (kinds.numbers["metric"] == "mean")]
    mean = mean[mean["subset"] == "texts"].iloc[0]
    said = plain(numbers.opening(kinds).markdown)
    assert f"The mean of 160 texts is {mean['value']:.2f} [{mean['low']:.2f}, {mean['high']:.2f}]" in said
    assert "samples is higher by 2." in said and "is not known, since they gave no numbers" in said
    picture = numbers.spread(kinds)
    assert "size, all texts: middle" in picture.alternative_text and "size, letter: middle" in picture.alternative_text
    assert "samples, temperature" in picture.alternative_text
    assert picture.title == "Numbers of texts and of samples"
    table = numbers.every_number(kinds).markdown
    assert "mean, above that of the texts" in table and "5 % are at or below" in table


def test_numbers_of_too_few_documents_are_not_left_without_a_word(kinds):
    few = "Samples or texts are of fewer than 20 documents, too few for an interval and for a comparison."
    assert few not in plain(numbers.opening(kinds).markdown)
    run = Run(kinds.folder)
    for without in ("mean", "above_texts"):
        vars(run)["numbers"] = kinds.numbers.assign(low=kinds.numbers["low"].mask(kinds.numbers["metric"] == without))
        for said in (numbers.opening(run).markdown, " ".join(numbers.in_brief(run, "size"))):
            assert few in plain(said)


def test_numbers_on_a_small_scale_have_the_decimals_that_they_differ_in(kinds):
    run = Run(kinds.folder)
    bounds = ["value", "low", "high"]
    vars(run)["numbers"] = kinds.numbers.assign(**(kinds.numbers[bounds] / 1000))
    ids = kinds.sample_labels["size"]
    vars(run)["sample_labels"] = kinds.sample_labels | {"size": {key: [("", 0.00123)] for key in ids}}
    mean = run.numbers[(run.numbers["group_kind"] == "all") & (run.numbers["subset"] == "texts")].iloc[0]
    said = plain(numbers.opening(run).markdown)
    assert f"The mean of 160 texts is {mean['value']:.4f} [{mean['low']:.4f}, {mean['high']:.4f}]" in said
    assert re.search(r"samples is higher by 0\.002\d \[0\.00", said)
    assert re.search(
        r"size, all texts: middle 0\.00\d\d \[.*?half of them from 0\.00\d\d to", numbers.spread(run).alternative_text
    )
    assert f"| mean | {mean['value']:.5f} | {mean['low']:.5f} to" in plain(numbers.every_number(run).markdown)
    assert "size: 0.0012" in plain(samples.by_step(run).markdown)
    by_people = {"question": "size", "subset": "texts", "rows": 30, "value": 0.00123, "low": 0.001, "high": 0.002}
    rows = pd.DataFrame([by_people | {"metric": metric} for metric in ("mean", "spearman")])
    vars(run)["rater_quality"] = rows.reindex(columns=kinds.rater_quality.columns)
    shown = plain(raters.every_number(run).markdown)
    assert "| 30 | 0.00123 | 0.00100 to 0.00200 |" in shown and "| 30 | 0.001 | 0.001 to 0.002 |" in shown


def test_a_group_may_be_called_as_all_texts_are(kinds):
    run = Run(kinds.folder)
    vars(run)["numbers"] = kinds.numbers.replace({"group": {"letter": "all texts"}})
    vars(run)["texts"] = kinds.texts.replace({"group": {"letter": "all texts"}})
    assert numbers.spread(run).alternative_text.count("size, all texts: middle") == 2


def test_of_many_groups_the_numbers_of_the_largest_are_drawn_and_the_title_says_so(kinds):
    run = Run(kinds.folder)
    rows, groups = kinds.numbers, [f"g{number}" for number in range(8)]
    of_one = rows[(rows["group_kind"] == "group") & (rows["group"] == "letter")]
    vars(run)["numbers"] = pd.concat([rows[rows["group_kind"] != "group"], *(of_one.assign(group=g) for g in groups)])
    vars(run)["texts"] = kinds.texts.assign(group=(groups * len(kinds.texts))[: len(kinds.texts)])
    picture = numbers.spread(run)
    assert picture.title == "Numbers of texts and of samples; only the 6 largest of 8 groups are shown"
    assert sum(f"size, {group}: middle" in picture.alternative_text for group in groups) == 6


def test_the_summary_and_the_samples_have_every_kind(kinds):
    said = plain(summary.finding(kinds).markdown)
    assert "**“moods”**" in said and "**“size”**" in said and said.count("*Trust:*") == 2
    assert "labelled samples for “moods”, so how often their labels are right is not known." in said
    assert (
        "given numbers to samples for “size”, so it is not known how near their numbers are to those of people." in said
    )
    assert summary.finding_picture(kinds) is None
    shown = samples.gallery(kinds).markdown
    assert "anger 0." in plain(shown) or "anger 1.00" in plain(shown)
    # One can't see from a number which classifier gave it.
    assert re.search(r"<small>moods: (anger|joy|fear|none).* · size: \d", plain(samples.by_step(kinds).markdown))
    counted = plain(fitness.counts(kinds).markdown)
    assert "| moods | given no label |" in counted and "| size | given no number |" in counted
    run = Run(kinds.folder)
    vars(run)["fitness"] = kinds.fitness.assign(texts=0)
    assert fitness.counts(run).markdown.startswith("Every text got a label or a number from each classifier and fits")


def test_nothing_is_said_of_single_labels_where_there_are_none(kinds):
    assert classifiers.shares_by_group(kinds).markdown == "No classifier of this run gives each text one label."
    assert agreement.opening(kinds).markdown == agreement.NONE_OF_ONE_LABEL == trust.calibration(kinds).markdown
    assert trust.group_tests(kinds).markdown == classifiers.NONE_OF_ONE_LABEL
    assert human_agreement.ceiling(kinds) is None
