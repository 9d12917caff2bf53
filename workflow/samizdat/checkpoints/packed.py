"""Products with weights on a CPU, for inference: by oneDNN, with the weights in the order in which it reads them.

PyTorch gives products of float32 to MKL, whose code for AMD's processors uses half of their width: on Zen 5 oneDNN
takes 0.43 of the time. In bfloat16 it is oneDNN in any case, and weights that are in order save it a twentieth.
"""

import platform

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.activations import FastGELUActivation, GELUActivation, GELUTanh, NewGELUActivation
from transformers.pytorch_utils import Conv1D


class PackedLinear(nn.Module):
    """A linear layer that can't be trained. Equal rows have equal bits, in any place and among any others."""

    def __init__(self, weight: Tensor, bias: Tensor | None):
        """Put `weight`, `[outputs, inputs]`, in order."""
        super().__init__()
        self.bias = bias
        self.gelu: str | None = None  # that the result goes through: "none" is the exact one, "tanh" its approximation
        self._packed = torch.ops.mkldnn._reorder_linear_weight(weight.detach().contiguous())

    def forward(self, states: Tensor) -> Tensor:
        """Compute `[…, outputs]` from `[…, inputs]`."""
        function, which = ("gelu", self.gelu) if self.gelu else ("none", "")
        product: Tensor = torch.ops.mkldnn._linear_pointwise(states, self._packed, self.bias, function, [], which)
        return product


def pack_linear_layers(model: nn.Module) -> None:
    """Replace the linear layers of a model that are on a CPU, where oneDNN is and multiplies their number format."""
    for module in list(model.modules()):
        for name, layer in list(module.named_children()):
            # Not of other classes that inherit from these, which may compute something else.
            if not isinstance(layer, nn.Linear | Conv1D) or type(layer) not in (nn.Linear, Conv1D):
                continue
            if layer.weight.device.type == "cpu" and _can_multiply(layer.weight.dtype):
                # Conv1D has its weights as `[inputs, outputs]`.
                weight = layer.weight if isinstance(layer, nn.Linear) else layer.weight.T
                setattr(module, name, PackedLinear(weight, layer.bias))
        _fuse_gelu(module)


def _fuse_gelu(module: nn.Module) -> None:
    """Let the first layer of a feed-forward half compute the activation, while its result is in the cache."""
    for layer, activation in (("dense", "intermediate_act_fn"), ("c_fc", "act")):  # of BERT's relatives, of GPT-2
        first, then = getattr(module, layer, None), getattr(module, activation, None)
        kind = _gelu_of(then)
        if isinstance(first, PackedLinear) and kind:
            first.gelu = kind
            setattr(module, activation, nn.Identity())


def _gelu_of(activation: object) -> str | None:
    """Name the GELU that an activation of transformers is; None where it is another function."""
    if isinstance(activation, GELUActivation) and activation.act is functional.gelu:
        return "none"
    return "tanh" if isinstance(activation, NewGELUActivation | FastGELUActivation | GELUTanh) else None


def _can_multiply(dtype: torch.dtype) -> bool:
    onednn = torch.ops.mkldnn
    named = hasattr(onednn, "_linear_pointwise") and hasattr(onednn, "_reorder_linear_weight")
    if not named or not torch.backends.mkldnn.is_available() or platform.machine() not in ("x86_64", "AMD64"):
        return False
    return dtype is torch.float32 or (dtype is torch.bfloat16 and onednn._is_mkldnn_bf16_supported())
