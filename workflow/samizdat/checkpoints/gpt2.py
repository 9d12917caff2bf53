"""A checkpoint of GPT-2, loaded; and what a forward pass that isn't transformers' own must know of its config."""

from pathlib import Path

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from samizdat.base.files import checked_sha256

WEIGHTS = ("config.json", "generation_config.json", "model.safetensors")
_PUBLISHED = 100  # percent of training: the published model, whose weights are in the folder itself

# Three names of one function. transformers computes the first, GPT-2's own, in six passes.
TANH_GELU = ("gelu_new", "gelu_fast", "gelu_pytorch_tanh")


def attention_scales(config: GPT2Config) -> list[float]:
    """Return for each layer what the products of queries and keys are multiplied by."""
    scale = (config.n_embd // config.n_head) ** -0.5 if config.scale_attn_weights else 1.0
    return [scale / (layer + 1 if config.scale_attn_by_inverse_layer_idx else 1) for layer in range(config.n_layer)]


def load_gpt2(folder: Path, percent: int, kind: str, *, attention: str | None = None) -> GPT2LMHeadModel:
    """Load a checkpoint in float32, in evaluation mode.

    Args:
        folder: the model's folder, which `train_model` wrote.
        percent: of training; 100 is the published model.
        kind: of the device: `cpu`, `cuda` or `mps`.
        attention: the name of transformers' implementation; None: its choice. Only `eager` gives attention weights.

    Raises:
        UserError: a file of the checkpoint is damaged.
    """
    weights = folder if percent == _PUBLISHED else folder / "steps" / str(percent)
    for name in WEIGHTS:
        checked_sha256(weights / name)
    model = GPT2LMHeadModel.from_pretrained(
        weights, dtype=torch.float32, use_safetensors=True, local_files_only=True, attn_implementation=attention
    )
    model.eval()
    model.to(kind)  # type: ignore[arg-type]  # as the stub has it, the first argument is `self`
    return model
