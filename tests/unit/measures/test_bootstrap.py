"""Bootstrap totals and intervals: they have the distribution and the coverage that they should have."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from samizdat.measures import label_metrics
from samizdat.measures.bootstrap import interval, resample_totals


@settings(deadline=None, max_examples=50)
@given(hnp.arrays(int, (30, 3), elements=st.integers(0, 5)), st.integers(0, 2**62))
def test_resampled_totals_are_those_of_drawn_rows(counts, seed):
    totals = resample_totals(counts, 300, seed)
    assert totals.shape == (300, 3)
    spread = np.sqrt(len(counts)) * counts.std(axis=0) / np.sqrt(300)
    assert (np.abs(totals.mean(axis=0) - counts.sum(axis=0)) <= 6 * spread + 1e-9).all()
    assert (totals.min(axis=0) >= len(counts) * counts.min(axis=0)).all()


def test_intervals_cover_the_truth_as_often_as_they_say():
    """600 corpora of 150 documents with up to five sentences that agree; the true share is known."""
    random = np.random.default_rng(12)
    covered = 0
    for corpus in range(600):
        sizes = random.integers(1, 6, 150)
        good = np.where(random.random(150) < 0.5, random.binomial(sizes, 0.6), sizes * (random.random(150) < 0.6))
        totals = resample_totals(np.stack([good, sizes - good], axis=1), 300, corpus)
        low, high = interval(label_metrics.shares(totals), 0.9)
        covered += low[0] <= 0.6 <= high[0]
    assert 0.86 <= covered / 600 <= 0.94
