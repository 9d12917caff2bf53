"""The summary: what was compared, in short."""

import pandas as pd
import pytest

from samizdat.reporting import summary
from support.reading import plain
from support.two_labels import divergence


@pytest.mark.parametrize(
    ("chance_bits", "said"),
    [
        (0.05, "By “mood”, no difference was found between samples and texts"),
        (0.00001, "Furthest apart is “good”, given to 0 % of the samples and 10 % of the texts."),
    ],
)
def test_samples_are_compared_with_texts_in_short(two_labels, chance_bits, said):
    vars(two_labels)["divergences"] = pd.DataFrame([divergence(chance_bits=chance_bits)])
    assert said in plain(summary.findings(two_labels).markdown)
