"""Close calls: what sixteen bits can't decide is decided in float32."""

import numpy as np
import pytest
import torch

from samizdat.classifiers import outputs
from samizdat.records.classifiers import SCORES
from samizdat.records.io import read_table
from support.small_scoring import run, sentences


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_what_is_close_in_sixteen_bits_is_decided_in_float32(classifier, tmp_path, monkeypatch, precision):
    texts = sentences(200)

    def found(name: str, precision: str, steps: float = outputs.CLOSE_STEPS) -> np.ndarray:
        monkeypatch.setattr(outputs, "CLOSE_STEPS", steps)
        return np.stack(
            read_table(run(classifier, texts, tmp_path / name, precision=precision)[1], SCORES)["probabilities"]
        )

    exact, half, decided = found("exact", "float32"), found("half", precision, 0), found("decided", precision)
    np.testing.assert_array_equal(found("all", precision, np.inf), exact)
    # The difference of two logits is that of the logarithms of their probabilities.
    margin = np.diff(np.sort(np.log(half))[:, -2:])[:, 0]
    again = (decided == exact).all(axis=1) & (decided != half).any(axis=1)
    assert ((decided == half).all(axis=1) | again).all()
    assert again[margin < 7.9 * torch.finfo(getattr(torch, precision)).eps].all()
    assert 0.02 < again.mean() < 0.9 and margin[again].max() < margin[~again].max()


def test_what_overflows_is_decided_in_float32():
    logits = np.array([[9.0, 1.0, 0.0], [np.nan, 1.0, 0.0], [np.inf, 1.0, 0.0], [1.01, 1.0, 0.0]], np.float32)
    assert list(outputs.close_calls("single_label", logits, torch.float16)) == [False, True, True, False]
    assert list(outputs.close_calls("single_label", logits, torch.bfloat16)) == [False, True, True, True]
    assert not outputs.close_calls("single_label", logits, torch.float32).any()
