"""Packed layers compute what the layers compute that they replace, and equal rows have equal bits."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional
from transformers import BertConfig, BertModel, GPT2Config, GPT2LMHeadModel
from transformers.pytorch_utils import Conv1D

from samizdat.checkpoints import packed
from samizdat.checkpoints.packed import PackedLinear, pack_linear_layers

needs_onednn = pytest.mark.skipif(
    not packed._can_multiply(torch.float32), reason="PyTorch has no oneDNN for this processor"
)


@needs_onednn
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("inputs", "outputs"), [(48, 1), (48, 3), (64, 28), (256, 100), (100, 1000)])
@torch.inference_mode()
def test_a_packed_layer_computes_the_same_and_equal_rows_have_equal_bits(dtype, inputs, outputs):
    if not packed._can_multiply(dtype):
        pytest.skip(f"this processor doesn't multiply {dtype}")
    weight, bias = torch.randn(outputs, inputs).to(dtype) / 8, torch.randn(outputs).to(dtype)
    layer = PackedLinear(weight, bias)
    for rows in (1, 2, 5, 13, 64, 100):
        states = torch.randn(rows, inputs).to(dtype)
        expected = functional.linear(states.double(), weight.double(), bias.double())
        tolerance = 1e-5 if dtype is torch.float32 else 2e-2
        assert torch.allclose(layer(states).double(), expected, atol=tolerance, rtol=tolerance)
        assert torch.equal(layer(states.expand(3, rows, inputs))[2], layer(states.expand(3, rows, inputs))[0])
        same = layer(states[:1].expand(rows, inputs))
        assert torch.equal(same, same[:1].expand(rows, outputs))
        # A view whose numbers are not in one row of memory, as the first tokens of windows are.
        assert torch.equal(layer(states.T.contiguous().T), layer(states))


@needs_onednn
@torch.inference_mode()
def test_models_give_the_same_with_packed_layers_and_the_activation_is_computed_once():
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    tokens = torch.arange(24).view(2, 12)
    for model, read in (
        (BertModel(BertConfig(vocab_size=50, hidden_act="gelu", **sizes)), lambda out: out.last_hidden_state),
        (BertModel(BertConfig(vocab_size=50, hidden_act="relu", **sizes)), lambda out: out.last_hidden_state),
        (GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=32, n_layer=2, n_head=2)), lambda out: out.logits),
    ):  # fmt: skip
        model.eval()
        for parameter in model.parameters():  # initial weights are so small that an activation changes little
            parameter.mul_(4)
        replaced = copy.deepcopy(model)
        pack_linear_layers(replaced)
        kept = [type(layer) for layer in replaced.modules() if isinstance(layer, nn.Linear | Conv1D)]
        assert kept == [] and any(isinstance(layer, PackedLinear) for layer in replaced.modules())
        assert torch.allclose(read(replaced(tokens)), read(model(tokens)), atol=1e-4, rtol=1e-4)
        fused = [layer.gelu for layer in replaced.modules() if isinstance(layer, PackedLinear) and layer.gelu]
        assert fused == {"gelu": ["none"] * 2, "gelu_new": ["tanh"] * 2}.get(
            getattr(model.config, "hidden_act", None) or model.config.activation_function, []
        )


def test_layers_that_onednn_cant_multiply_stay_as_they_are(monkeypatch):
    half = nn.Sequential(nn.Linear(2, 3)).to(torch.float16)
    pack_linear_layers(half)
    assert type(half[0]) is nn.Linear
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    model = nn.Sequential(nn.Linear(2, 3))
    pack_linear_layers(model)
    assert type(model[0]) is nn.Linear
