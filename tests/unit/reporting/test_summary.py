"""The summary: what was compared, in short."""

import pandas as pd
import pytest

from samizdat.reporting import summary
from support.reading import plain
from support.two_labels import divergence


@pytest.mark.parametrize(
    ("p_value", "said"),
    [
        (0.06, "By “mood”, no difference was found between samples and texts"),
        (0.01, "Furthest apart is “good”, given to 0 % of the samples and 10 % of the texts."),
    ],
)
def test_samples_are_compared_with_texts_in_short(two_labels, p_value, said):
    vars(two_labels)["divergences"] = pd.DataFrame([divergence(p_value=p_value)])
    assert said in plain(summary.findings(two_labels).markdown)
