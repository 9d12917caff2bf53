"""Samples compared with texts: a difference is claimed only where chance does not explain it, with its size."""

import warnings

import pandas as pd
import pytest

from samizdat.reporting import label_comparison
from support.reading import plain
from support.two_labels import divergence


def test_no_difference_found_is_no_claim_that_there_is_none(two_labels):
    vars(two_labels)["divergences"] = pd.DataFrame([divergence()])
    assert plain(label_comparison.opening(two_labels).markdown) == (
        "By the classifier “mood”, no difference was found: the label shares of the 50 samples begun with nothing are "
        "0.030 bits away from those of the texts, and chance alone brings at most 0.050 bits in 95 % of draws. There "
        "may still be a difference of up to 0.030 bits."
    )


def test_a_difference_is_said_with_its_size_and_where_it_is_largest(two_labels):
    vars(two_labels)["divergences"] = pd.DataFrame([divergence(chance_bits=0.00001, p_value=0.01)])
    assert plain(label_comparison.opening(two_labels).markdown) == (
        "By the classifier “mood”, samples and texts differ: the label shares of the 50 samples begun with nothing are "
        "0.030 bits away from those of the texts, more than the less than 0.0001 bits that chance explains; without "
        "what chance adds, the difference is 0.020 bits (0.010 to 0.030). They are furthest "
        "apart in “good”, given to 0 % (−5 to 5 %) of the samples and 10 % (5 to 15 %) of "
        "the texts."
    )


def test_too_few_documents_are_said(two_labels):
    none = dict.fromkeys(
        ["jensen_shannon_bits", "low", "high", "chance_bits", "p_value", "p_since_first"], float("nan")
    )
    vars(two_labels)["divergences"] = pd.DataFrame([divergence(**none)])
    said = plain(label_comparison.opening(two_labels).markdown)
    assert "0.030 bits" in said and "fewer than 20 documents, too few for an interval" in said and "differ" not in said
    brief = [plain(said) for said in label_comparison.in_brief(two_labels, "mood")]
    assert brief == [
        "Labels of samples and of texts: too few samples or documents for a comparison (Jensen–Shannon divergence "
        "0.030)"
    ]
    assert "nan" not in label_comparison.divergences(two_labels).markdown
    rows = [divergence(percent=percent, begun_with="prompts", **none) for percent in (10, 100)]
    vars(two_labels)["divergences"] = pd.DataFrame(rows)
    assert label_comparison.by_training(two_labels).alternative_text.startswith("No classifier shows")


def test_the_title_speaks_of_classifiers_that_were_tested(run, monkeypatch):
    few = float("nan")
    for p_values, title in (
        ((few, few), "Too few samples or documents to say whether shares differ between samples and texts"),
        ((0.9, few), "No classifier’s label shares distinguish samples from texts"),
        ((0.001, few), "The label shares of “sentiment” distinguish samples from texts"),
        ((0.001, 0.9), "The label shares of “sentiment” distinguish samples from texts; those of “source” do not"),
    ):
        rows = [divergence(classifier=one, p_value=p) for one, p in zip(("sentiment", "source"), p_values, strict=True)]
        monkeypatch.setitem(vars(run), "divergences", pd.DataFrame(rows))
        assert plain(label_comparison.shares(run).title) == title


def test_where_nothing_can_be_compared_the_reason_is_said(run, monkeypatch):
    monkeypatch.setitem(vars(run), "divergences", run.divergences[:0])
    monkeypatch.setitem(vars(run), "shares", run.shares[:0])
    for show in (label_comparison.opening, label_comparison.shares):
        assert show(run).markdown == label_comparison.NONE_LABELLED
    monkeypatch.setitem(vars(run), "samples", run.samples[:0])
    assert label_comparison.opening(run).markdown == label_comparison.NO_SAMPLES


@pytest.mark.parametrize(
    ("first", "last", "p_value", "title"),
    [
        (0.5, 0.1, 0.01, "Training moves the samples nearer to the texts according to mood"),
        (0.1, 0.5, 0.01, "Training moves the samples away from the texts according to mood"),
        (0.5, 0.1, 0.1, "No classifier shows whether training moves the samples nearer to the texts"),
    ],
)
def test_a_course_is_claimed_only_where_the_test_shows_it(two_labels, first, last, p_value, title):
    rows = [
        divergence(percent=percent, begun_with="prompts", observed_bits=bits, p_since_first=p)
        for percent, bits, p in ((10, first, 1.0), (100, last, p_value))
    ]
    vars(two_labels)["divergences"] = pd.DataFrame(rows)
    assert label_comparison.by_training(two_labels).alternative_text.startswith(f"{title}. ")


def test_of_several_models_a_course_is_told_with_its_model(two_labels, monkeypatch):
    (model,) = two_labels.models.values()
    monkeypatch.setitem(vars(two_labels), "models", {"one": model, "other": model})
    rows = [
        divergence(model=model, percent=percent, begun_with="prompts", observed_bits=bits, p_since_first=p)
        for model, way in (("one", 1), ("other", -1))
        for (percent, p), bits in zip(((10, 1.0), (100, 0.001)), (0.5, 0.1)[::way], strict=True)
    ]
    vars(two_labels)["divergences"] = pd.DataFrame(rows)
    assert label_comparison.by_training(two_labels).title == (
        "Training moves the samples nearer to the texts according to mood (one) and away from the texts according to "
        "mood (other)"
    )


def test_divergences_that_are_all_0_have_an_axis_and_no_warning(two_labels):
    none = {"observed_bits": 0.0, "jensen_shannon_bits": 0.0, "low": 0.0, "high": 0.0, "chance_bits": 0.0}
    rows = [divergence(percent=percent, begun_with="prompts", **none) for percent in (10, 100)]
    vars(two_labels)["divergences"] = pd.DataFrame(rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = label_comparison.by_training(two_labels)
    assert picture.axes[0].get_ylim() == (0, 0.05)
