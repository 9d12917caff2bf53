"""Label shares and their divergences: known answers, what is left out, and intervals as wide as they should be."""

import numpy as np
import pytest

from support.study import Study, share


def test_shares_leave_out_seen_and_unscored_texts(study):
    for predicted in ("good", "good", "good", "bad"):
        study.text(predicted, group="a")
    study.text("bad", group="a", seen=True)
    study.text(None, group="b")
    shares = study.compute()["label_shares"]
    row = share(shares, "good", subset="texts", group_kind="all")
    assert (row["count"], row["share"]) == (3, 0.75)
    assert share(shares, "bad", subset="texts", group_kind="group", group="a")["count"] == 1
    assert "b" not in set(shares["group"])


def test_divergence_of_equal_and_of_disjoint_shares(study):
    for _ in range(50):
        study.text("good")
        study.sample("good", temperature=0.5)
        study.sample("bad", temperature=1.5)
    rows = study.compute()["divergences"]
    rows = rows[rows["begun_with"] == "nothing"].set_index("temperature")
    assert rows.loc[0.5, "jensen_shannon_bits"] == rows.loc[0.5, "chance_bits"] == 0
    assert rows.loc[1.5, "jensen_shannon_bits"] == pytest.approx(1)
    together = rows[rows.index.isna()].iloc[0]
    # Half of the mixture shares nothing: H(3/4, 1/4) − H(1/2, 1/2) / 2.
    assert together["jensen_shannon_bits"] == pytest.approx(0.8112781 - 0.5, abs=1e-6)
    assert together["low"] < together["jensen_shannon_bits"] < together["high"]


def test_chance_explains_a_sample_of_the_texts_themselves_and_no_shifted_one(study):
    random = np.random.default_rng(5)
    for _ in range(2000):
        study.text(random.choice(["good", "bad"]))
    for _ in range(200):
        study.sample(random.choice(["good", "bad"]), temperature=0.5)
        study.sample(random.choice(["good", "bad"], p=[0.9, 0.1]), temperature=1.5)
    rows = study.compute()["divergences"]
    rows = rows[rows["begun_with"] == "nothing"].set_index("temperature")
    assert rows.loc[0.5, "jensen_shannon_bits"] <= rows.loc[0.5, "chance_bits"]
    assert rows.loc[1.5, "jensen_shannon_bits"] > rows.loc[1.5, "chance_bits"]
    # Near equality the divergence of n draws is χ²/(8 n ln 2) with one degree of freedom for two labels.
    assert rows.loc[0.5, "chance_bits"] == pytest.approx(2.706 / (8 * 200 * np.log(2)) * 1.1, rel=0.25)


def test_sentences_of_one_document_widen_the_interval(tmp_path):
    alone, together = Study(tmp_path / "a"), Study(tmp_path / "b")
    for number in range(200):
        predicted = "good" if number // 10 % 2 else "bad"
        alone.text(predicted)
        together.text(predicted, document=f"d{number // 10}")
    widths = [
        (row := share(study.compute()["label_shares"], "good", subset="texts", group_kind="all"))["high"] - row["low"]
        for study in (alone, together)
    ]
    assert widths[1] > 2.5 * widths[0]  # √10 in theory
