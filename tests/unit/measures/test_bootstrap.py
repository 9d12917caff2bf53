"""Bootstrap totals and intervals: they have the distribution and the coverage that they should have."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from samizdat.measures import label_metrics
from samizdat.measures.bootstrap import FEWEST_DOCUMENTS, Bootstrap

# Of 300 documents a few have equal counts or nearly all, so both ways of drawing are taken.
FEW, MANY = st.integers(0, 1), st.integers(0, 5)


@settings(max_examples=50)
@given(
    st.sampled_from([FEW, MANY]).flatmap(lambda values: hnp.arrays(int, (100, 3), elements=values)),
    st.integers(0, 2**62),
)
def test_resampled_totals_are_those_of_drawn_rows(counts, seed):
    totals = Bootstrap(0.95, 300, seed).totals(sparse.csr_array(counts))
    assert totals.shape == (300, 3)
    spread = np.sqrt(len(counts)) * counts.std(axis=0)
    assert (np.abs(totals.mean(axis=0) - counts.sum(axis=0)) <= 6 * spread / np.sqrt(300) + 1e-9).all()
    assert (np.abs(totals.std(axis=0) - spread) <= 0.35 * spread + 1e-9).all()
    assert (totals.min(axis=0) >= len(counts) * counts.min(axis=0)).all()


def test_tables_that_are_resampled_together_have_the_same_documents_in_each_resample():
    counts = sparse.csr_array(np.random.default_rng(1).integers(0, 9, (50, 4)))
    drawn = Bootstrap(0.95, 100, 2).together({"one": counts, "twice": counts * 2}, "set")
    assert (drawn["twice"] == 2 * drawn["one"]).all()


@pytest.mark.parametrize("documents", [FEWEST_DOCUMENTS, 150])
def test_intervals_cover_the_truth_as_often_as_they_say(documents):
    """600 corpora whose documents have up to five sentences that agree; the true share is known."""
    random = np.random.default_rng(12)
    covered = 0
    for corpus in range(600):
        sizes = random.integers(1, 6, documents)
        alike = random.random(documents) < 0.5
        good = np.where(alike, sizes * (random.random(documents) < 0.6), random.binomial(sizes, 0.6))
        bootstrap = Bootstrap(0.95, 300, corpus)
        totals = bootstrap.totals(sparse.csr_array(np.stack([good, sizes - good], axis=1)))
        low, high = bootstrap.interval(label_metrics.shares(totals), documents)
        covered += low[0] <= 0.6 <= high[0]
    assert 0.92 <= covered / 600 <= 0.98


def test_with_too_few_documents_there_is_no_interval():
    low, high = Bootstrap(0.95, 10, 1).interval(np.ones((10, 2)), FEWEST_DOCUMENTS - 1)
    assert np.isnan(low).all() and np.isnan(high).all() and low.shape == (2,)
