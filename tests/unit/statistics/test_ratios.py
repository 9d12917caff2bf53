"""Measures of a set of passages that are ratios of sums."""

import numpy as np
import pandas as pd

from samizdat.measures.bootstrap import Bootstrap
from samizdat.statistics.ratios import ratio_measures, ratios_of


def rows_of(documents) -> dict[str, dict]:
    random = np.random.default_rng(1)
    words = [[f"w{number}" for number in random.integers(400, size=20)] for _ in documents]
    passages = pd.DataFrame({"words": words, "document": documents, "known_words": 15, "copy_characters": 3,
                             "ngrams": 17, "copied_ngrams": 2})  # fmt: skip
    names = {"subset": "held_out"}
    measured = ratio_measures(ratios_of(passages, names, 1), names, Bootstrap(0.95, 200, 1))
    return {row["metric"]: row for row in measured}


def test_blocks_of_words_have_an_interval_where_no_document_is_in_several():
    alone, together = rows_of(np.arange(400)), rows_of(np.arange(400) % 40)
    for metric in ("distinct_1", "distinct_2", "distinct_3"):
        assert alone[metric]["low"] < alone[metric]["value"] <= alone[metric]["high"]
        assert together[metric]["value"] == alone[metric]["value"] and np.isnan(together[metric]["low"])
    assert together["known_word_share"]["low"] < 0.75 < together["known_word_share"]["high"]
