"""Closeness of histograms: 1 for equal ones, and less the more they differ."""

import numpy as np
import pytest

from samizdat.measures.closeness import closeness


def test_closeness_is_one_of_equals_and_falls_to_nothing():
    same = np.array([[300, 200, 500], [300, 200, 500]])
    assert closeness(same) == pytest.approx(1.0, abs=1e-3)
    apart = np.array([[10**6, 0], [0, 10**6]])
    assert closeness(apart) < 0.01
    near, far = np.array([[600, 400], [500, 500]]), np.array([[900, 100], [500, 500]])
    assert closeness(apart) < closeness(far) < closeness(near) < closeness(same)
    assert closeness(np.stack([near, near[::-1]])) == pytest.approx(np.full(2, closeness(near)))
