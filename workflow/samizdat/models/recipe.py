"""Settings that suit the corpus at hand: a pure function of its size and of the lengths of its texts."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from samizdat.measures.arrays import Counts
from samizdat.models.recipe_table import row_for
from samizdat.models.settings import FEWEST_STEPS, TrainingSettings

CONTEXTS = (64, 128, 256)
TEXTS_WITHIN_CONTEXT = 0.95  # share
WIDTH_OF_A_HEAD = 64


def recipe(
    tokens: int, lengths: Counts, *, least_context: int, processes: int, given: Mapping[str, int]
) -> dict[str, Any]:
    """Return a value for each key of `configuration.RECIPE_KEYS`.

    Args:
        tokens: of the train split.
        lengths: of its texts, in tokens.
        least_context: that the samples need.
        processes: that share a batch.
        given: those of `context_tokens`, `width` and `heads` that are set; the others are made to fit them.
    """
    row = row_for(tokens)
    context = given.get("context_tokens") or _context(lengths, max(least_context, min(CONTEXTS)))
    width = given.get("width") or row.width
    heads = given.get("heads") or next(
        heads for heads in range(max(1, width // WIDTH_OF_A_HEAD), 0, -1) if width % heads == 0
    )
    share = context * processes
    return {
        "layers": row.layers,
        "heads": heads,
        "width": math.ceil(width / heads) * heads,
        "context_tokens": context,
        "dropout": row.dropout,
        "epochs": row.epochs,
        "batch_tokens": max(1, round(row.batch_tokens / share)) * share,
        "matrix_learning_rate": row.matrix_learning_rate,
        "learning_rate": row.learning_rate,
        "weight_decay": row.weight_decay,
    }


def decided_by_recipe(settings: TrainingSettings, *, tokens: int, lengths: Counts, processes: int) -> TrainingSettings:
    """Return settings in which each key of `settings.recipe` has the value that a recipe gives it.

    Where so few steps come out that little can be learned, steps become smaller, and then epochs more.
    """
    left = settings.recipe
    if not left:
        return settings
    shape = ("context_tokens", "width", "heads")
    given = {key: getattr(settings, key) for key in shape if key not in left}
    values = recipe(tokens, lengths, least_context=settings.context_tokens, processes=processes, given=given)
    settings = replace(settings, **{key: values[key] for key in left})
    context = settings.context_tokens
    rows, share = tokens // context, context * processes
    wanted: dict[str, Any] = {}
    batch_tokens = settings.batch_tokens
    if settings.epochs * rows * context < FEWEST_STEPS * batch_tokens and "batch_tokens" in left:
        batch_tokens = max(1, int(settings.epochs * rows / FEWEST_STEPS / processes)) * share
        wanted["batch_tokens"] = batch_tokens
    if settings.epochs * rows * context < FEWEST_STEPS * batch_tokens and "epochs" in left and rows:
        wanted["epochs"] = float(math.ceil(FEWEST_STEPS * batch_tokens / context / rows))
    return replace(settings, **wanted)


def _context(lengths: Counts, least: int) -> int:
    """Return the shortest context that holds nearly all texts, and at least `least` tokens; else the longest."""
    ordered = np.sort(lengths)
    wanted = max(least, int(ordered[int(TEXTS_WITHIN_CONTEXT * (len(ordered) - 1))]) if len(ordered) else 0)
    longest = max(max(CONTEXTS), 2 ** math.ceil(math.log2(least)))
    return next((context for context in CONTEXTS if context >= wanted), longest)
