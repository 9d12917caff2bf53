"""Bits per byte of models on held-out texts: known answers, paired differences, and what seeds add to them."""

import numpy as np
import pandas as pd
import pytest

from samizdat.base.errors import UserError
from samizdat.measures.bootstrap import FEWEST_DOCUMENTS, Bootstrap
from samizdat.statistics.model_losses import model_losses
from samizdat.statistics.seeds import fold_seeds

BYTES = 50


def held_out(documents: int, of_one: int = 2) -> pd.DataFrame:
    return pd.DataFrame({"document": np.repeat(np.arange(documents), of_one), "bytes": BYTES})


def losses(bits_per_byte) -> pd.DataFrame:
    """A model's table, from the bits per byte of each text."""
    nats = np.asarray(bits_per_byte, float) * BYTES * np.log(2)
    return pd.DataFrame({"nats": nats, "tokens": np.int32(9)})


def compared(models: dict, documents: int, seed: int = 1):
    rows, pairs = model_losses(models, held_out(documents), Bootstrap(0.95, 400, seed))
    return {row["model"]: row for row in rows}, pairs


def test_bits_per_byte_are_those_of_the_published_model_with_the_range_over_seeds():
    ease = np.random.default_rng(1).normal(2, 0.5, 100).repeat(2)
    rows, _ = compared({"m": losses(ease), "m.seed2": losses(ease + 0.1), "m.seed3": losses(ease - 0.2)}, 100)
    row = rows["m"]
    assert list(rows) == ["m"] and (row["seeds"], row["documents"]) == (3, 100)
    assert row["value"] == pytest.approx(ease.mean(), abs=1e-6)
    assert (row["seeds_low"], row["seeds_high"]) == pytest.approx((ease.mean() - 0.2, ease.mean() + 0.1), abs=1e-6)
    # Two texts of a document are one draw.
    assert (row["high"] - row["low"]) / 2 == pytest.approx(1.98 * ease.std() / np.sqrt(100), rel=0.15)


def test_a_difference_that_is_the_same_in_each_document_is_found_though_the_intervals_overlap():
    random = np.random.default_rng(2)
    ease = random.normal(2, 0.5, 200)
    rows, (pair,) = compared({"a": losses(ease), "b": losses(ease + 0.02 + random.normal(0, 0.01, 200))}, 100)
    assert rows["a"]["high"] > rows["b"]["low"] + 0.05
    assert (pair["model"], pair["other"], pair["covers_seeds"]) == ("a", "b", False)
    assert pair["value"] == pytest.approx(-0.02, abs=0.005) and pair["low"] < pair["value"] < pair["high"] < 0
    assert pair["p_holm"] == pair["p_value"] < 0.01


def test_a_difference_that_another_seed_could_turn_is_not_found():
    ease = np.random.default_rng(3).normal(2, 0.5, 200)
    once = {"a": losses(ease), "b": losses(ease + 0.02)}
    assert compared(once, 100)[1][0]["high"] < 0
    more = {"a": losses(ease), "a.seed2": losses(ease + 0.03), "b": losses(ease + 0.02), "b.seed2": losses(ease + 0.05)}
    (pair,) = compared(more, 100)[1]
    assert pair["covers_seeds"] and pair["seeds"] == 4 and pair["value"] == pytest.approx(-0.02, abs=1e-6)
    # Student's t of 2 degrees of freedom, with the variance 0.03² / 2 of each model's seeds.
    assert pair["high"] - pair["value"] == pytest.approx(4.303 * np.sqrt(0.03**2 / 2), rel=0.2)
    assert pair["low"] < 0 < pair["high"] and pair["p_value"] > 0.1


@pytest.mark.parametrize("seeds", [(1, 1), (3, 3), (5, 1)])
def test_models_that_differ_by_document_and_seed_alone_are_as_rarely_told_apart_as_the_level_says(seeds):
    random = np.random.default_rng(4)
    told, runs, documents = 0, 200, 40
    for number in range(runs):
        ease = random.normal(2, 0.5, documents)
        spread = 0.0 if max(seeds) == 1 else 0.02
        models = {}
        for name, times in zip("ab", seeds, strict=True):
            own = ease + random.normal(0, 0.05, documents)
            for one in range(times):
                of_seed = (own + random.normal(0, spread)).repeat(2)
                models[f"{name}.seed{one + 1}" if one else name] = losses(of_seed)
        (pair,) = compared(models, documents, number)[1]
        told += pair["low"] > 0 or pair["high"] < 0
    # 5 in 100 are expected; 9 in 100 are three standard deviations more.
    assert 0.005 < told / runs <= 0.09


def test_errors_of_trainings_on_single_documents_are_counted_once():
    """Trainings that differ on single documents alone: their means differ by chance, which documents cover already."""
    random = np.random.default_rng(6)
    widths = []
    for number in range(100):
        ease = random.normal(2, 0.5, 60)
        models = {f"{name}{seed}": losses((ease + random.normal(0, 0.1, 60)).repeat(2))
                  for name in "ab" for seed in ("", ".seed2", ".seed3")}  # fmt: skip
        (pair,) = compared(models, 60, number)[1]
        widths.append((pair["high"] - pair["low"]) / 2)
    # The error of a difference of two means over three seeds and 60 documents, each with a variance of 0.1². With
    # Student's t of fewer degrees of freedom the interval is a little wider; if the variance over seeds were added
    # whole, it would be twice as wide.
    assert 1.1 < np.median(widths) / (2.0 * np.sqrt(2 * 0.1**2 / 3 / 60)) < 1.6


def test_with_too_few_documents_there_are_values_and_no_verdict():
    ease = np.arange(FEWEST_DOCUMENTS - 1).repeat(2) / 10 + 1
    rows, (pair,) = compared({"a": losses(ease), "b": losses(ease + 1)}, FEWEST_DOCUMENTS - 1)
    assert np.isnan(rows["a"]["low"]) and pair["value"] == pytest.approx(-1)
    assert not {"low", "p_value", "p_holm"} & set(pair)


def test_several_pairs_are_corrected_for_their_number():
    random = np.random.default_rng(5)
    ease = random.normal(2, 0.5, 200)
    _, pairs = compared({name: losses(ease + random.normal(0, 0.1, 200)) for name in "abc"}, 100)
    assert [(pair["model"], pair["other"]) for pair in pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    smallest = min(pairs, key=lambda pair: pair["p_value"])
    assert smallest["p_holm"] == pytest.approx(min(1, 3 * smallest["p_value"]))


def test_a_model_that_was_tested_on_other_texts_is_refused():
    with pytest.raises(UserError, match="the model a was tested on 4 texts, but the test split has 6"):
        model_losses({"a": losses(np.ones(4))}, held_out(3), Bootstrap(0.95, 100, 1))


def test_rows_of_several_seeds_become_one_with_their_range():
    rows = [
        {"model": None, "metric": "loops", "value": 0.5},
        *({"model": model, "metric": metric, "value": value}
          for model, values in {"a": (1, 5), "a.seed2": (3, 4), "b": (9, 9)}.items()
          for metric, value in zip(("loops", "words"), values, strict=True)),
    ]  # fmt: skip
    assert list(fold_seeds(rows, "value")) == [
        {"model": None, "metric": "loops", "value": 0.5},
        {"model": "a", "metric": "loops", "value": 1, "seeds_low": 1, "seeds_high": 3},
        {"model": "a", "metric": "words", "value": 5, "seeds_low": 4, "seeds_high": 5},
        {"model": "b", "metric": "loops", "value": 9},
        {"model": "b", "metric": "words", "value": 9},
    ]
