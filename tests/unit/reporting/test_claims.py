"""What the report claims: a difference only where the intervals part, with its size."""

import pandas as pd
import pytest

from samizdat.reporting import Run, agreement, classifiers, comparison, summary
from support.reading import plain
from support.run_fixture import make_run, sentences


def divergence(**changes):
    row = {
        "classifier": "mood", "model": "gpt2-tiny", "percent": 100, "temperature": None, "begun_with": "nothing",
        "samples": 50, "texts": 100, "jensen_shannon_bits": 0.02, "low": 0.01, "high": 0.03, "chance_bits": 0.05,
    }  # fmt: skip
    return row | changes


@pytest.fixture
def two_labels(tmp_path):
    """A run of one classifier whose statistics a test can set: every tenth text is called good, every sample bad."""
    run = Run(make_run(tmp_path / "run", texts=sentences(60), labels={"mood": ("good", "bad")}))
    both = [("texts", "all", None, 0.1), ("samples", "model", "gpt2-tiny", 0.0), ("texts", "group", "letter", 0.4)]
    both += [("texts", "group", "poem", 0.1)]
    shares = [
        [subset, kind, group, one, share, share - 0.05, share + 0.05]
        for subset, kind, group, good in both
        for one, share in (("good", good), ("bad", 1 - good))
    ]
    columns = ["subset", "group_kind", "group", "label", "share", "low", "high"]
    vars(run)["shares"] = pd.DataFrame(shares, columns=columns).assign(classifier="mood", count=1)
    return run


def test_no_difference_found_is_no_claim_that_there_is_none(two_labels):
    vars(two_labels)["divergences"] = pd.DataFrame([divergence()])
    assert plain(comparison.opening(two_labels).markdown) == (
        "By the classifier “mood”, no difference was found: the label shares of the 50 samples begun with nothing are "
        "0.020 bits (0.010 to 0.030) away from those of the texts, and as many texts drawn at random stay below "
        "0.050 bits in 95 % of draws. A difference smaller than that may be there all the same."
    )
    assert "By “mood”, no difference was found between samples and texts" in plain(
        summary.findings(two_labels).markdown
    )


def test_a_difference_is_said_with_its_size_and_where_it_is_largest(two_labels):
    vars(two_labels)["divergences"] = pd.DataFrame([divergence(chance_bits=0.00001)])
    assert plain(comparison.opening(two_labels).markdown) == (
        "By the classifier “mood”, samples and texts differ: the label shares of the 50 samples begun with nothing are "
        "0.020 bits (0.010 to 0.030) away from those of the texts, more than the less than 0.0001 bits that chance "
        "explains. They are furthest apart in “good”, given to 0 % (-5 to 5 %) of the samples and 10 % (5 to 15 %) of "
        "the texts."
    )
    assert "Furthest apart is “good”, given to 0 % of the samples and 10 % of the texts." in plain(
        summary.findings(two_labels).markdown
    )


@pytest.mark.parametrize(
    ("first", "last", "title"),
    [
        ((0.5, 0.6), (0.1, 0.2), "Training moves the samples nearer to the texts by mood"),
        ((0.1, 0.2), (0.5, 0.6), "Training moves the samples away from the texts by mood"),
        ((0.1, 0.3), (0.2, 0.4), "No classifier tells whether training brings the samples nearer to the texts"),
    ],
)
def test_a_course_is_claimed_only_where_the_intervals_part(two_labels, first, last, title):
    rows = [
        divergence(percent=percent, begun_with="prompts", low=low, high=high, jensen_shannon_bits=(low + high) / 2)
        for percent, (low, high) in ((10, first), (100, last))
    ]
    vars(two_labels)["divergences"] = pd.DataFrame(rows)
    assert comparison.by_training(two_labels).alternative_text.startswith(f"{title}. ")


def test_groups_differ_only_where_their_intervals_part(two_labels):
    said = plain(classifiers.shares_by_group(two_labels).alternative_text)
    assert said.startswith("Of “letter”, mood calls 40 % “good”; of “poem”, 10 %. ")
    shares = two_labels.shares
    shares.loc[shares["group_kind"] == "group", "low"] -= 0.5
    said = classifiers.shares_by_group(two_labels).alternative_text
    assert said.startswith("No label’s share differs between groups by more than the intervals allow. ")


@pytest.mark.parametrize(
    ("own", "verdict"),
    [((0.6, 0.7), "more than"), ((0.45, 0.6), "not clearly different from"), ((0.1, 0.2), "less than")],
)
def test_a_classifier_is_held_against_the_most_frequent_label(two_labels, own, verdict):
    rows = [
        ["classifier", "accuracy", own[0] + 0.01, *own], ["classifier", "macro_f1", 0.5, 0.4, 0.6],
        ["majority", "accuracy", 0.45, 0.4, 0.5], ["majority", "macro_f1", 0.3, 0.2, 0.4],
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["method", "metric", "value", "low", "high"])
    vars(two_labels)["quality"] = frame.assign(classifier="mood", label=None, texts=70)
    said = plain(agreement.opening(two_labels).markdown)
    assert f"of 70 held-out texts, {verdict} the 45 % (40 to 50 %) that the most frequent label" in said
    title = agreement.scores(two_labels).alternative_text.split(".")[0]
    assert title.startswith("Better than" if verdict == "more than" else "No classifier is clearly better")
