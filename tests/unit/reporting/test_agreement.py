"""Agreement with people: better than the majority baseline only where intervals do not overlap."""

import pandas as pd
import pytest

from samizdat.reporting import agreement
from support.reading import plain


@pytest.mark.parametrize(
    ("own", "verdict"),
    [((0.6, 0.7), "more than"), ((0.45, 0.6), "not clearly different from"), ((0.1, 0.2), "less than")],
)
def test_a_classifier_is_compared_with_the_most_frequent_label(two_labels, own, verdict):
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
