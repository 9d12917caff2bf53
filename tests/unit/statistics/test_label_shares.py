"""Label shares and their divergences: known answers, what is left out, and intervals as wide as they should be."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from samizdat.measures.bootstrap import Bootstrap
from samizdat.statistics.label_shares import divergences
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
    assert rows.loc[0.5, "observed_bits"] == rows.loc[0.5, "chance_bits"] == 0 and rows.loc[0.5, "p_value"] == 1
    assert rows.loc[1.5, "observed_bits"] == pytest.approx(1) and rows.loc[1.5, "p_value"] < 0.01
    together = rows[rows.index.isna()].iloc[0]
    # Half of the mixture shares nothing: H(3/4, 1/4) − H(1/2, 1/2) / 2.
    assert together["observed_bits"] == pytest.approx(0.8112781 - 0.5, abs=1e-6)
    assert together["jensen_shannon_bits"] == pytest.approx(0.8112781 - 0.5, abs=0.02)
    assert together["low"] < together["jensen_shannon_bits"] < together["high"]


def test_one_label_alone_leaves_room_for_a_difference(study):
    """At 90 %, 0 of 50 samples with another label may be 5.3 %, which is 0.027 bits from none."""
    for _ in range(50):
        study.text("good")
        study.sample("good", temperature=0.5)
    rows = study.compute()["divergences"]
    assert (rows["p_value"] == 1).all() and (rows["low"] == 0).all()
    assert rows["high"].to_numpy() == pytest.approx(0.027, abs=0.001)


def test_chance_explains_a_sample_of_the_texts_themselves_and_no_shifted_one(study):
    random = np.random.default_rng(5)
    for _ in range(2000):
        study.text(random.choice(["good", "bad"]))
    for _ in range(200):
        study.sample(random.choice(["good", "bad"]), temperature=0.5)
        study.sample(random.choice(["good", "bad"], p=[0.9, 0.1]), temperature=1.5)
    rows = study.compute()["divergences"]
    rows = rows[rows["begun_with"] == "nothing"].set_index("temperature")
    assert rows.loc[0.5, "p_value"] > 0.1 and rows.loc[0.5, "low"] == 0
    assert rows.loc[1.5, "p_value"] < 0.01 and rows.loc[1.5, "low"] > 0
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


@pytest.mark.parametrize(("documents", "texts", "labels"), [(100, 1, 28), (30, 1, 2), (20, 20, 28)])
def test_samples_of_the_texts_own_source_differ_as_rarely_as_the_level_says(documents, texts, labels):
    """200 corpora; documents have shares of their own, and 100 samples are drawn from the source."""
    random = np.random.default_rng(6)
    source = 1 / np.arange(1, labels + 1)
    source /= source.sum()
    names = [str(number) for number in range(labels)]
    called = outside = 0
    for corpus in range(200):
        shares = random.dirichlet(source * 10, documents) if texts > 1 else [source] * documents
        of_texts = np.concatenate([random.choice(names, texts, p=own) for own in shares])
        frame = pd.DataFrame({"document": np.repeat(np.arange(documents), texts), "predicted": of_texts})
        samples = pd.DataFrame({"document": np.arange(100), "predicted": random.choice(names, 100, p=source)})
        samples = samples.assign(model="m", percent=100, prompt_kind="unprompted", temperature=1.0)
        card = SimpleNamespace(name="source", labels=names)
        row = next(iter(divergences(card, frame, samples, Bootstrap(0.95, 200, corpus))))
        called += row["p_value"] <= 0.05
        outside += not row["low"] <= row["jensen_shannon_bits"] <= row["high"]
    assert called / 200 <= 0.07 and outside == 0


def test_a_move_between_checkpoints_is_tested(study):
    random = np.random.default_rng(5)
    for _ in range(400):
        study.text(random.choice(["good", "bad"]))
    for percent, good in ((10, 0.95), (50, 0.95), (100, 0.5)):
        for _ in range(80):
            study.sample(random.choice(["good", "bad"], p=[good, 1 - good]), percent=percent, kind="config")
    rows = study.compute()["divergences"].query("begun_with == 'prompts' and temperature.isna()").set_index("percent")
    assert rows.loc[10, "p_since_first"] == 1 and rows.loc[50, "p_since_first"] > 0.1
    assert rows.loc[100, "p_since_first"] < 0.01


def test_with_too_few_documents_nothing_is_compared(study):
    for number in range(200):
        study.text("good", document=f"d{number % 5}")
        study.sample("bad")
    row = study.compute()["divergences"].iloc[0]
    assert row["observed_bits"] == pytest.approx(1) and row[["low", "high", "p_value", "chance_bits"]].isna().all()
