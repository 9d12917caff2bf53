"""A small GPT-2 with random weights that writes many different tokens."""

import torch
from transformers import GPT2Config, GPT2LMHeadModel


def make_restless_model(seed: int = 3, **changes) -> GPT2LMHeadModel:
    """Make the model, with changes of its config."""
    torch.manual_seed(seed)
    shape = {"vocab_size": 64, "n_positions": 96, "n_embd": 32, "n_layer": 2, "n_head": 2} | changes
    model = GPT2LMHeadModel(GPT2Config(**shape, bos_token_id=0, eos_token_id=0)).eval()
    with torch.no_grad():
        # Weights so large that a text does not repeat one token; biases that are not zero.
        for parameter in model.parameters():
            parameter.mul_(8) if parameter.ndim > 1 else parameter.add_(torch.randn_like(parameter) * 0.1)
    return model
