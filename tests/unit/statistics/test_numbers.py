"""Classifiers that give a number: means, quantiles, samples less texts, and the rank correlation with people."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from samizdat.base.errors import UserError
from samizdat.measures.bootstrap import Bootstrap
from samizdat.measures.ratings import sentiment
from samizdat.statistics import numbers
from support.other_kinds import NO_SAMPLES, card_of

BOOTSTRAP = Bootstrap(0.95, 200, 3)
CARD = card_of(kind="number", labels=[], checkpoint_labels=["size"])


def texts_of(values, **columns) -> pd.DataFrame:
    keys = [f"{number:04d}" for number in range(len(values))]
    return pd.DataFrame({"id": keys, "document": keys, "group": None, "split": "test", "ratings": None, "raters": None,
                         "number": values, **columns})  # fmt: skip


def test_means_quantiles_and_the_difference_of_samples_are_those_of_the_numbers():
    values = np.arange(100.0)
    begun = {"model": "m", "percent": 100, "temperature": 1.0, "prompt_kind": "unprompted", "prompt": ""}
    samples = texts_of(values + 30).assign(**begun)
    rows = list(numbers.distributions(CARD, texts_of(values), samples, BOOTSTRAP))
    found = {(row["subset"], row["group_kind"], row["metric"]): row for row in rows}
    mean = found["texts", "all", "mean"]
    t = stats.t.ppf(0.975, 99) * values.std(ddof=1) / 10
    assert (mean["value"], mean["low"], mean["high"]) == pytest.approx((49.5, 49.5 - t, 49.5 + t))
    assert found["texts", "all", "quantile_0.5"]["value"] == pytest.approx(49.5)
    assert found["texts", "all", "quantile_0.5"]["low"] == pytest.approx(39.5, abs=1.5)
    apart = found["samples", "model", "above_texts"]
    assert apart["value"] == pytest.approx(30) and apart["high"] - 30 == pytest.approx(t * 2**0.5)
    assert ("texts", "all", "above_texts") not in found
    few = list(numbers.distributions(CARD, texts_of(values[:10]), NO_SAMPLES, BOOTSTRAP))
    assert all(np.isnan(row.get("low", np.nan)) for row in few) and len(few) == 6


@pytest.mark.parametrize("by", ["column", "ratings", "ratings of another label", "raters"])
def test_people_order_texts_by_a_column_of_numbers_their_ratings_or_their_raters(by):
    random = np.random.default_rng(1)
    values, noise = random.normal(size=(2, 120))
    human = values + noise
    given = {"label_size": [f"{one}" for one in human]}
    if by == "ratings":
        given = {"label_size": [sentiment(one) for one in human], "ratings": [[one - 1, one + 1] for one in human]}
    elif by == "raters":
        given = {"label_size": None, "raters": [[("size", [f"{one - 1}", f"{one + 1}"])] for one in human]}
    elif by == "ratings of another label":
        given |= {"ratings": [[1, 2]] * 120}
    texts = texts_of(values, **given)
    texts.loc[:19, "split"] = "train"
    (row,) = numbers.rank_correlation(CARD, texts, "label_size", BOOTSTRAP)
    assert row["value"] == pytest.approx(stats.spearmanr(values[20:], human[20:]).statistic)
    assert row["low"] < row["value"] < row["high"] and (row["texts"], row["label_column"]) == (100, "size")


def test_where_all_numbers_are_equal_there_is_a_row_without_a_correlation():
    (row,) = numbers.rank_correlation(CARD, texts_of(np.ones(40), label_size="2"), "label_size", BOOTSTRAP)
    assert row["texts"] == 40 and np.isnan(row["value"])
    assert list(numbers.rank_correlation(CARD, texts_of(np.ones(40), label_size=None), "label_size", BOOTSTRAP)) == []


def test_a_column_of_words_is_refused():
    with pytest.raises(UserError) as error:
        list(numbers.rank_correlation(CARD, texts_of([1.0, 2.0], label_size=["3", "large"]), "label_size", BOOTSTRAP))
    for part in ["'moods'", "1 of 2 held-out texts", "'size'", "'large'", "What to do:", "label_column"]:
        assert part in str(error.value)
