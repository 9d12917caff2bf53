"""A model's checkpoint and its tokenizer, ready to write texts."""

from collections.abc import Sequence
from pathlib import Path

from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast

from samizdat.base.files import checked_sha256
from samizdat.checkpoints.encoding import encode
from samizdat.checkpoints.gpt2 import load_gpt2
from samizdat.checkpoints.packed import pack_linear_layers

TOKENIZER = ("tokenizer.json", "tokenizer_config.json")


def load_model(folder: Path, percent: int, kind: str) -> GPT2LMHeadModel:
    """Load a checkpoint in float32, in evaluation mode.

    Args:
        folder: the model's folder, which `train_model` wrote.
        percent: of training; 100 is the published model.
        kind: of the device: `cpu`, `cuda` or `mps`.

    Raises:
        UserError: a file of the checkpoint or of the model's tokenizer is damaged.
    """
    for name in TOKENIZER:
        checked_sha256(folder / name)
    model = load_gpt2(folder, percent, kind)
    pack_linear_layers(model)
    return model


def prompt_tokens(tokenizer: PreTrainedTokenizerFast, prompts: Sequence[str]) -> list[tuple[int, ...]]:
    """Encode prompts; each begins with the boundary token, as texts did in training."""
    return [(tokenizer.eos_token_id, *tokens) for tokens in encode(tokenizer, prompts)]


def text_of(tokenizer: PreTrainedTokenizerFast, tokens: Sequence[int]) -> str:
    """Decode tokens without changing a character."""
    return str(tokenizer.decode(list(tokens), clean_up_tokenization_spaces=False))


def continued(tokenizer: PreTrainedTokenizerFast, prompt: str, tokens: Sequence[int], written: Sequence[int]) -> str:
    """Return a prompt as it was given, and after it what was written.

    A tokenizer may read the prompt with other characters, such as all in lower case: that is no writing of the model.

    Args:
        tokenizer: the model's.
        prompt: how the text begins.
        tokens: of the prompt, without the boundary.
        written: the tokens after them.
    """
    return prompt + text_of(tokenizer, [*tokens, *written])[len(text_of(tokenizer, tokens)) :]
