"""How many bits a byte of held-out text takes, by model: over documents, over seeds, and one model against another."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from samizdat.base.configuration import model_of
from samizdat.base.errors import UserError
from samizdat.measures.arrays import Floats
from samizdat.measures.bootstrap import FEWEST_DOCUMENTS, MILLION, Bootstrap, sum_by_document
from samizdat.measures.chance import holm
from samizdat.statistics.tables import Row


def model_losses(
    losses: Mapping[str, pd.DataFrame], held_out: pd.DataFrame, bootstrap: Bootstrap
) -> tuple[list[Row], list[Row]]:
    """Compute the rows of `MODEL_LOSSES` and of `MODEL_DIFFERENCES` (`records/statistics.py`).

    Documents are drawn once for all models, so differences are paired.

    Args:
        losses: name of a training → `records.models.TEST_LOSSES`. A model's trainings with other seeds follow its
            first one.
        held_out: the texts of the test split, in the order of the corpus.
        bootstrap: how intervals are made.

    Raises:
        UserError: a model was tested on another number of texts.
    """
    if not losses:
        return [], []
    for name, frame in losses.items():
        if len(frame) != len(held_out):
            raise UserError(
                f"the model {name} was tested on {len(frame)} texts, but the test split has {len(held_out)}",
                remedy=f"delete test_losses.parquet of the model {name} and run again",
            )
    millionths = {name: (frame["nats"] / np.log(2) * MILLION).round().to_numpy(np.int64)
                  for name, frame in losses.items()}  # fmt: skip
    trainings: dict[str, list[str]] = {}
    for name in losses:
        trainings.setdefault(model_of(name), []).append(name)
    means = {model: np.mean([millionths[name] for name in names], axis=0).round().astype(np.int64)
             for model, names in trainings.items()}  # fmt: skip
    sizes = np.array([len(text.encode()) for text in held_out["text"]], np.int64)
    place = np.zeros(len(held_out), np.int64)
    # The first training is that of the published model, which has an interval of its own.
    tables = {"all bytes": sizes} | {f"first {model}": millionths[model] for model in means} | means
    blocks = {name: sum_by_document(held_out, place, values, (1,)) for name, values in tables.items()}
    documents = blocks["all bytes"].shape[0]
    drawn = {name: totals[:, 0] / MILLION for name, totals in bootstrap.together(blocks, "model losses").items()}
    drawn = {name: totals / (drawn["all bytes"] * MILLION) for name, totals in drawn.items()}
    seeds = {model: np.array([millionths[name].sum() / MILLION / sizes.sum() for name in names])
             for model, names in trainings.items()}  # fmt: skip
    rows: list[Row] = []
    for model, values in seeds.items():
        low, high = bootstrap.interval(drawn[f"first {model}"], documents)
        spread = {"seeds_low": values.min(), "seeds_high": values.max()} if len(values) > 1 else {}
        rows.append({"model": model, "documents": documents, "value": values[0], "low": low, "high": high,
                     "seeds": len(values), **spread})  # fmt: skip
    pairs: list[Row] = [
        {"model": one, "other": other}
        | _difference(seeds[one], seeds[other], drawn[one] - drawn[other], documents, bootstrap, one, other)
        for one, other in combinations(seeds, 2)
    ]
    if documents >= FEWEST_DOCUMENTS:
        for row, p_value in zip(pairs, holm([row["p_value"] for row in pairs]), strict=True):
            row["p_holm"] = p_value
    return rows, pairs


def _difference(one: Floats, other: Floats, drawn: Floats, documents: int, bootstrap: Bootstrap, *names: str) -> Row:
    """Compare two models by the means over their seeds, with an interval over documents and seeds.

    Documents and seeds are both drawn at random, and their errors add up: to each resampled difference an error of
    Student's two-sample t is added, with the variance over seeds that both models are taken to have. Where neither
    model has several seeds, that variance is unknown and the interval covers documents alone.

    Args:
        one: bits per byte of a model's trainings.
        other: of the other model's.
        drawn: differences of the means over seeds, resampled over documents.
        documents: their number.
        bootstrap: how intervals are made.
        names: of the two models.
    """
    freedom = len(one) + len(other) - 2
    found = {"value": one.mean() - other.mean(), "seeds": freedom + 2, "covers_seeds": freedom > 0}
    if documents < FEWEST_DOCUMENTS:
        return found
    if freedom:
        squares = sum(float(np.square(values - values.mean()).sum()) for values in (one, other))
        error = np.sqrt(squares / freedom * (1 / len(one) + 1 / len(other)))
        drawn = drawn + error * bootstrap.random("seeds", *names).standard_t(freedom, len(drawn))
    low, high = bootstrap.interval(drawn, documents)
    beyond = min(np.sum(drawn <= 0), np.sum(drawn >= 0))
    return found | {"low": low, "high": high, "p_value": min(1.0, 2 * (beyond + 1) / (len(drawn) + 1))}
