"""Embeddings of texts: the mean output of a sentence encoder, scaled to unit length."""

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional
from transformers import AutoModel

from samizdat.checkpoints import sources
from samizdat.checkpoints.encoding import load_tokenizer, unknown_share
from samizdat.checkpoints.packed import pack_linear_layers
from samizdat.checkpoints.reading import agree_on_padding, longest_input, padding_of
from samizdat.checkpoints.unpadded import MODEL_TYPES
from samizdat.checkpoints.windows import Window, padded_batches, split_into_windows

# Only this many tokens of a text are read, because sentence encoders are not made for longer texts.
LONGEST_TOKENS = 128
# The last batch of each length is filled up, which costs a CPU time: for 1,568 texts of the demo, of 25 tokens on
# average, 2.5 times as much with 4,096 tokens.
BATCH_TOKENS = {"cpu": 512, "cuda": 4096, "mps": 4096}


def unread_share(texts: Sequence[str], encoder: str, revision: str | None) -> float:
    """Return the share of the texts' tokens that an encoder doesn't know; the arguments are those of `embed`."""
    return unknown_share(load_tokenizer(sources.locate(encoder, revision).path), texts)


@torch.inference_mode()
def embed(texts: Sequence[str], encoder: str, revision: str | None, device: str) -> np.ndarray:
    """Compute the mean of the encoder's last layer over a text's tokens, scaled to length 1.

    Reimers and Gurevych, Sentence-BERT, EMNLP 2019.

    Args:
        texts: the texts; a text without a token gets the zero vector.
        encoder: the checkpoint, as for `sources.locate`.
        revision: commit of the encoder on the Hub.
        device: `cpu`, `cuda` or `mps`.

    Returns:
        Embeddings `[texts, width]`, float32.

    Raises:
        UserError: the encoder or its tokenizer can't be found, fetched or loaded, or it lacks weights.
    """
    found = sources.locate(encoder, revision)
    tokenizer = load_tokenizer(found.path)
    with sources.loading(found):
        model, report = AutoModel.from_pretrained(
            found.path,
            dtype=torch.float32,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    sources.refuse_incomplete_encoder(report["missing_keys"], found)
    model.eval().to(device)
    if model.config.model_type in MODEL_TYPES:  # others may read the weights of a layer
        pack_linear_layers(model)
    points = np.zeros((len(texts), model.config.hidden_size), np.float32)
    agree_on_padding(model.config, tokenizer, found.origin)
    longest = min(LONGEST_TOKENS, longest_input(model) or LONGEST_TOKENS)
    first: dict[int, Window] = {}
    for window in split_into_windows(tokenizer, texts, longest, 0):
        first.setdefault(window.text, window)
    for batch in padded_batches(
        first.values(),
        batch_tokens=BATCH_TOKENS[device],
        padding=padding_of(model.config),
        kind=device,
        longest=longest,
    ):
        inputs = {name: values.to(device) for name, values in batch.inputs.items()}
        states, mask = model(**inputs).last_hidden_state, inputs["attention_mask"]
        weights = mask[:, :, None].float()
        means = (states * weights).sum(dim=1) / weights.sum(dim=1)
        vectors = functional.normalize(means, dim=1).cpu().numpy()
        points[[window.text for window in batch.windows]] = vectors[: len(batch.windows)]
    return points
