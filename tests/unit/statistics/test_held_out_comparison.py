"""Samples compared with held-out texts: too little memory for the encoder is an error that names the key."""

import pandas as pd
import pytest
import torch

from samizdat.base.device import Device
from samizdat.base.errors import UserError
from samizdat.measures.bootstrap import Bootstrap
from samizdat.measures.closeness import FEWEST_TEXTS
from samizdat.statistics import held_out_comparison


def test_the_encoder_that_runs_out_of_memory_names_the_key(monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(held_out_comparison, "embed", full)
    frame = pd.DataFrame({"own": ["text"] * FEWEST_TEXTS, "document": "d"})
    cpu = Device("cpu", "AMD EPYC", fastest="float32", int8=False)
    found = held_out_comparison.closeness_to_real(
        [({}, frame)], frame, frame, "encoder", None, Bootstrap(10, 0.95, 1), cpu
    )
    with pytest.raises(UserError, match=r"too little memory for the encoder of sample_quality(?s:.*)`device: cpu`"):
        list(found)
