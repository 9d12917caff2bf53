"""Agreement with people: better than the majority baseline only where the test of the difference says so."""

import pandas as pd
import pytest

from samizdat.reporting import agreement
from support.reading import plain


def quality(gain):
    rows = [
        ["classifier", "accuracy", 0.6, 0.5, 0.7], ["classifier", "macro_f1", 0.5, 0.4, 0.6],
        ["classifier", "accuracy_above_majority", *gain[:3]],
        ["majority", "accuracy", 0.45, 0.4, 0.5], ["majority", "macro_f1", 0.3, 0.2, 0.4],
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["method", "metric", "value", "low", "high"])
    return frame.assign(classifier="mood", label=None, texts=70, p_value=[None, None, gain[3], None, None])


@pytest.mark.parametrize(
    ("gain", "verdict"),
    [
        ((0.15, 0.02, 0.2, 0.03), "more than"),
        ((0.15, -0.01, 0.2, 0.06), "not clearly different from"),
        ((-0.15, -0.2, -0.1, 0.0005), "less than"),
    ],
)
def test_a_classifier_is_compared_with_the_most_frequent_label(two_labels, gain, verdict):
    vars(two_labels)["quality"] = quality(gain)
    said = plain(agreement.opening(two_labels).markdown)
    assert f"of 70 held-out texts, {verdict} the 45 % (40 to 50 %) that the most frequent label" in said
    points = ", ".join([f"{100 * gain[0]:.1f} percentage points", f"{100 * gain[1]:.1f} to {100 * gain[2]:.1f}"])
    points = points.replace("-", "−")
    said_p = "p < 0.001" if gain[3] < 0.001 else f"p = {gain[3]:.3f}"
    assert f"(the difference is {points}; {said_p})" in said
    title = agreement.scores(two_labels).alternative_text.split(".")[0]
    assert title.startswith("Better than" if verdict == "more than" else "No classifier is clearly better")


def test_a_macro_f1_without_an_interval_says_why(two_labels):
    vars(two_labels)["quality"] = quality((0.15, 0.02, 0.2, 0.03))
    reason = "(without an interval, since a label was given fewer than 10 times)"
    assert reason not in plain(agreement.opening(two_labels).markdown)
    rare = two_labels.quality["metric"] == "macro_f1"
    two_labels.quality.loc[rare, ["low", "high"]] = float("nan")
    said = plain(agreement.opening(two_labels).markdown)
    assert f"its macro-F1 is 0.50 {reason}" in said and "fewer than 20 documents" not in said


def test_too_few_documents_are_said_and_nothing_is_called_better(two_labels):
    none = float("nan")
    vars(two_labels)["quality"] = quality((0.3, none, none, none)).assign(low=none, high=none)
    said = plain(agreement.opening(two_labels).markdown)
    assert "agrees with people on 60 % of 70 held-out texts, and" in said
    assert "fewer than 20 documents, too few for an interval and for a comparison" in said
    title = "Too few documents to say whether a classifier is better than always giving the most frequent label. "
    assert agreement.scores(two_labels).alternative_text.startswith(title)
    brief = (
        "Right on 60 % of 70 held-out texts by the labels of the corpus; always guessing the most frequent label is "
    )
    assert plain(agreement.in_brief(two_labels, "mood")) == f"{brief}right on 45 %; too few documents for a comparison"
    assert "nan" not in agreement.every_score(two_labels).markdown
