"""How large models are, and the page in which a model runs."""

from collections.abc import Iterator, Mapping
from typing import Any

LARGEST_BYTES = 60_000_000
_BASE64 = 4 / 3  # characters for a byte
_GPT2_TOKENS = 50_257  # of GPT-2's own vocabulary


def vocabulary_size(tokenizer: Mapping[str, Any]) -> int | str | None:
    """Return the size of a vocabulary by its settings: `auto` where a recipe decides it, None for a checkpoint's."""
    return _GPT2_TOKENS if tokenizer["source"] == "gpt2" else tokenizer.get("vocabulary_size")


def weight_count(settings: Mapping[str, Any], vocabulary_size: int | str | None) -> int | None:
    """Count the weights of a model from scratch; None where a checkpoint or a recipe decides its size.

    Args:
        settings: of its training (`configuration.model_settings`).
        vocabulary_size: tokens of its vocabulary.
    """
    width, layers, context = (settings[key] for key in ("width", "layers", "context_tokens"))
    if settings["checkpoint"] is not None or "auto" in (width, layers, context) or not isinstance(vocabulary_size, int):
        return None
    return int(12 * layers * width**2 + (vocabulary_size + context) * width)


def play_problems(config: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[str]:
    """Say why the page with the model `play` must not be made: it could show texts, or it is known to be too large.

    Args:
        config: the whole config.
        settings: of the model's training.
    """
    if not config["publish_texts"]:
        yield (
            "`play` puts a model into a page, and a model can write texts down that it has learned, but "
            "`publish_texts` is false; set `play: null`"
        )
    percents = settings["keep_percents"]
    model = next(item for item in config["models"] if item["name"] == config["play"])
    for tokenizer in config["tokenizers"]:
        weights = weight_count(settings, vocabulary_size(tokenizer)) or 0  # a byte each
        estimated = weights * len(percents) * _BASE64
        if tokenizer["name"] == model["tokenizer"] and estimated > LARGEST_BYTES:
            yield (
                f"`play`: the page with the model {model['name']!r} would have about {estimated / 1e6:.0f} MB for its "
                f"{len(percents)} checkpoints, and may have {LARGEST_BYTES / 1e6:.0f} MB; keep fewer "
                "(`keep_percents`), name a smaller model, or set `play: null`"
            )
