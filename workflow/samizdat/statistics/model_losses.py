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
        held_out: `document` and `bytes` of the texts of the test split, in the order of the corpus.
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
    sizes = held_out["bytes"].to_numpy(np.int64)
    place = np.zeros(len(held_out), np.int64)
    tables = {"all bytes": sizes} | millionths
    blocks = {name: sum_by_document(held_out, place, values, (1,)) for name, values in tables.items()}
    documents = blocks["all bytes"].shape[0]
    drawn = {name: totals[:, 0] for name, totals in bootstrap.together(blocks, "model losses").items()}
    resampled = {model: np.stack([drawn[name] for name in names]) / (drawn["all bytes"] * MILLION)
                 for model, names in trainings.items()}  # fmt: skip
    seeds = {model: np.array([millionths[name].sum() / MILLION / sizes.sum() for name in names])
             for model, names in trainings.items()}  # fmt: skip
    rows: list[Row] = []
    for model, values in seeds.items():
        low, high = bootstrap.interval(values[0], resampled[model][0], documents)
        spread = {"seeds_low": values.min(), "seeds_high": values.max()} if len(values) > 1 else {}
        rows.append({"model": model, "documents": documents, "value": values[0], "low": low, "high": high,
                     "seeds": len(values), **spread})  # fmt: skip
    pairs: list[Row] = [
        {"model": one, "other": other}
        | _difference((seeds[one], seeds[other]), (resampled[one], resampled[other]), documents, bootstrap)
        for one, other in combinations(seeds, 2)
    ]
    if documents >= FEWEST_DOCUMENTS:
        for row, p_value in zip(pairs, holm([row["p_value"] for row in pairs]), strict=True):
            row["p_holm"] = p_value
    return rows, pairs


def _difference(
    values: tuple[Floats, Floats], resampled: tuple[Floats, Floats], documents: int, bootstrap: Bootstrap
) -> Row:
    """Compare two models by the means over their seeds, with an interval over documents and seeds.

    Documents and seeds are both drawn at random, and their variances add up. What a training's loss owes to its own
    errors on these documents is in both: it is subtracted from the variance over seeds, as in an analysis of variance
    with two crossed random factors. Degrees of freedom are those of Satterthwaite, An Approximate Distribution of
    Estimates of Variance Components, Biometrics Bulletin 2, 1946. Where neither model has several seeds, the variance
    over seeds is unknown and the interval covers documents alone.

    Args:
        values: bits per byte of each model's trainings, `[trainings]`.
        resampled: the same in resamples of documents, `[trainings, resamples]`.
        documents: their number.
        bootstrap: how intervals are made.
    """
    numbers = [len(one) for one in values]
    freedom = sum(numbers) - 2
    difference = values[0].mean() - values[1].mean()
    found = {"value": difference, "seeds": sum(numbers), "covers_seeds": freedom > 0}
    if documents < FEWEST_DOCUMENTS:
        return found
    total = float(bootstrap.variance(resampled[0].mean(axis=0) - resampled[1].mean(axis=0), documents))
    squares = total**2 / (documents - 1)
    if freedom:
        means = sum(1 / number for number in numbers) / freedom
        over_seeds = means * sum(float(np.square(one - one.mean()).sum()) for one in values)
        own = [bootstrap.variance((one - one.mean(axis=0)).T, documents).sum() for one in resampled]
        total += max(over_seeds - means * float(sum(own)), 0.0)
        squares += over_seeds**2 / freedom
    low, high, p_value = bootstrap.normal(difference, total, total**2 / max(squares, 1e-300))
    return found | {"low": low, "high": high, "p_value": p_value}
