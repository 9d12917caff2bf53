"""What a forward pass of GPT-2 that isn't transformers' own must know of its config."""

from transformers import GPT2Config

# Three names of one function. transformers computes the first, GPT-2's own, in six passes.
TANH_GELU = ("gelu_new", "gelu_fast", "gelu_pytorch_tanh")


def attention_scales(config: GPT2Config) -> list[float]:
    """Return for each layer what the products of queries and keys are multiplied by."""
    scale = (config.n_embd // config.n_head) ** -0.5 if config.scale_attn_weights else 1.0
    return [scale / (layer + 1 if config.scale_attn_by_inverse_layer_idx else 1) for layer in range(config.n_layer)]
