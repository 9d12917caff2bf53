"""What is impossible in an item of `models`: shapes, batches and shares that don't fit, keys that no recipe decides."""

import math
from collections.abc import Iterator
from typing import Any

# The keys of `training` that a recipe can decide; so can it `vocabulary_size` of a tokenizer that is trained.
RECIPE_KEYS = (
    "layers", "heads", "width", "context_tokens", "dropout", "epochs", "batch_tokens", "matrix_learning_rate",
    "learning_rate", "weight_decay",
)  # fmt: skip

Config = dict[str, Any]


def model_problems(config: Config, item: Config, settings: Config) -> Iterator[str]:
    """Say what is impossible in an item of `models`.

    Args:
        config: the whole config.
        item: the item.
        settings: of `training`, as the item overrides them.
    """
    name = f"model {item['name']!r}"
    tokenizers = [tokenizer["name"] for tokenizer in config["tokenizers"]]
    if item["tokenizer"] not in tokenizers:
        yield f"{name}: `tokenizer` is {item['tokenizer']!r}, but `tokenizers` has only {', '.join(tokenizers)}"
    yield from _recipe_problems(name, settings)
    if "auto" not in (settings["width"], settings["heads"]) and settings["width"] % settings["heads"]:
        yield f"{name}: `width` {settings['width']} is not a multiple of `heads` {settings['heads']}"
    shape = {key: settings[key] for key in ("micro_batch_sequences", "context_tokens", "processes")}
    shape = {key: value for key, value in shape.items() if value != "auto"}
    if settings["batch_tokens"] != "auto" and settings["batch_tokens"] % math.prod(shape.values()):
        yield (
            f"{name}: `batch_tokens` {settings['batch_tokens']} is not a multiple of "
            f"{' × '.join(f'`{key}` {value}' for key, value in shape.items())} = {math.prod(shape.values())}"
        )
    percents = settings["keep_percents"]
    if percents != sorted(percents) or percents[-1] != 100:
        yield f"{name}: `keep_percents` {percents} must be in rising order and end with 100"
    if settings["schedule"] == "warmup-stable-decay" and settings["warmup_share"] + settings["decay_share"] > 1:
        yield (
            f"{name}: `warmup_share` {settings['warmup_share']} and `decay_share` {settings['decay_share']} "
            "are more than 1 together"
        )
    longest = config["sampling"]["max_new_tokens"]
    context = settings["context_tokens"]
    if settings["checkpoint"] is None and context != "auto" and longest >= context:
        yield (f"{name}: `sampling.max_new_tokens` {longest} leaves no room for a prompt in `context_tokens` {context}")


def _recipe_problems(name: str, settings: Config) -> Iterator[str]:
    left = [key for key in RECIPE_KEYS if settings[key] == "auto"]
    if left and settings["checkpoint"] is not None:
        yield f"{name}: a recipe is for models from scratch, but `checkpoint` is set; set {', '.join(left)}, too"
    rates = [key for key in left if key in ("matrix_learning_rate", "learning_rate", "weight_decay")]
    if rates and settings["optimizer"] != "muon":
        yield f"{name}: a recipe is for `optimizer: muon`; set {', '.join(rates)}, too"
    if settings["batch_tokens"] != "auto" and settings["context_tokens"] == "auto":
        yield f"{name}: `batch_tokens` is set, but `context_tokens` is left to a recipe; set both or neither"
    if settings["micro_batch_sequences"] != "auto" and settings["batch_tokens"] == "auto":
        yield f"{name}: `micro_batch_sequences` is set, but `batch_tokens` is left to a recipe; set both or neither"
