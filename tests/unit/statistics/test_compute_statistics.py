"""Statistics: known answers, what is left out, and intervals that hold what they promise."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency
from sklearn.metrics import cohen_kappa_score

from samizdat.records.statistics import STATISTICS
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


def test_samples_are_counted_by_how_they_began(study):
    study.text("good")
    for _ in range(3):
        study.sample("good", kind="unprompted", temperature=0.7)
    study.sample("bad", kind="none", temperature=1.0)
    study.sample("bad", kind="config", temperature=1.0)
    study.sample("bad", kind="held_out", percent=10)
    study.sample("good", kind="none", percent=10)
    found = study.compute()
    shares = found["label_shares"]
    assert share(shares, "good", subset="samples", group_kind="all")["share"] == 0.75
    assert share(shares, "good", subset="samples", group_kind="temperature", group="0.7")["share"] == 1
    assert share(shares, "good", subset="samples", group_kind="percent", group="10")["share"] == 0.5
    # Unprompted samples exist of the published model only, and must not tilt the comparison of checkpoints.
    assert share(shares, "good", subset="samples", group_kind="percent", group="100")["share"] == 0
    sets = found["divergences"].set_index(["begun_with", "percent"])["samples"]
    assert sets["nothing", 100].max() == 4
    assert sets["prompts", 100].max() == 2
    assert ("nothing", 10) not in sets.index


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


def test_same_seed_same_bytes_and_another_seed_other_intervals(study):
    for number in range(60):
        study.text("good" if number % 3 else "bad", human="good" if number % 4 else "bad")
        study.sample("good" if number % 2 else "bad")
    tables = study.folder / "statistics"
    study.compute()
    first = {path.name: path.read_bytes() for path in tables.iterdir()}
    study.compute()
    assert {path.name: path.read_bytes() for path in tables.iterdir()} == first
    study.compute(seed=2)
    assert (tables / "label_shares.parquet").read_bytes() != first["label_shares.parquet"]


def test_nothing_to_count_gives_empty_tables(study):
    study.card |= {"label_column": None}
    study.text(None)
    found = study.compute()
    assert found.pop("fitness").set_index("check")["texts"].to_dict() == {"no_label": 1, "several_windows": 0}
    assert all(frame.empty for frame in found.values())


def test_classifiers_with_the_same_labels_are_compared_by_kappa_and_others_by_cramers_v(study):
    random = np.random.default_rng(3)
    study.others["twin"] = {"name": "twin", "labels": ["A", "B"], "label_map": {"A": "good", "B": "bad"}}
    study.others["topic"] = {"name": "topic", "labels": ["rain", "sun", "snow"]}
    for _ in range(300):
        one = random.choice(["good", "bad"])
        twin = {"good": "A", "bad": "B"}[one] if random.random() < 0.8 else random.choice(["A", "B"])
        study.text(one, twin=twin, topic="rain" if one == "good" else random.choice(["sun", "snow"]))
    texts = pd.DataFrame(study.texts)
    rows = study.compute()["associations"].set_index(["left", "right"])
    assert list(rows.index) == [("mood", "twin"), ("mood", "topic"), ("twin", "topic")]
    assert list(rows["measure"]) == ["cohen_kappa", "cramers_v", "cramers_v"]
    expected = cohen_kappa_score(texts["predicted"], texts["twin"].map({"A": "good", "B": "bad"}))
    assert rows.loc[("mood", "twin"), "value"] == pytest.approx(expected)
    assert rows.loc[("mood", "topic"), "value"] == pytest.approx(1, abs=0.005)
    row = rows.loc[("twin", "topic")]
    assert row["low"] < row["value"] < row["high"] and row["texts"] == 300


def test_groups_are_tested_once_for_each_classifier_and_corrected_for_their_number(study):
    random = np.random.default_rng(8)
    study.others["other"] = {"name": "other", "labels": ["bad", "good"]}
    for number in range(600):
        group = "ab"[number % 2]
        study.text(
            random.choice(["good", "bad"], p=[0.65, 0.35] if group == "a" else [0.45, 0.55]), group=group,
            other=random.choice(["good", "bad"]),
        )  # fmt: skip
    texts = pd.DataFrame(study.texts)
    rows = study.compute()["group_tests"].set_index("classifier")
    for name, column in (("mood", "predicted"), ("other", "other")):
        expected = chi2_contingency(pd.crosstab(texts["group"], texts[column]), correction=False)
        row = rows.loc[name]
        assert row["chi_square"] * row["design_effect"] == pytest.approx(expected.statistic)
        assert 1 <= row["design_effect"] < 1.2  # documents of one text each: as good as independent
        assert row["p_value"] == pytest.approx(expected.pvalue, rel=0.4)
    assert rows["p_value"]["mood"] < 0.01 < 0.05 < rows["p_value"]["other"]
    assert rows["p_holm"]["mood"] == pytest.approx(2 * rows["p_value"]["mood"])
    assert rows["p_holm"]["other"] == pytest.approx(rows["p_value"]["other"])


def test_sentences_of_one_document_do_not_count_as_independent_evidence(tmp_path):
    alone, together = Study(tmp_path / "alone"), Study(tmp_path / "together")
    random = np.random.default_rng(4)
    for number in range(80):
        group, predicted = "ab"[number % 2], random.choice(["good", "bad"])
        alone.text(predicted, group=group)
        for _ in range(10):
            together.text(predicted, group=group, document=f"d{number}")
    one, ten = (study.compute()["group_tests"].iloc[0] for study in (alone, together))
    assert ten["design_effect"] == pytest.approx(10, rel=0.2)
    # Saying everything ten times makes nothing ten times as sure.
    assert ten["chi_square"] == pytest.approx(one["chi_square"], rel=0.2, abs=0.1)


def test_most_and_least_certain_texts_are_named(study):
    for number in range(8):
        study.text("good", confidence=0.6 + number / 25)
        study.text("bad", confidence=0.51 + number / 25)
    study.text("bad", confidence=0.999, seen=True)
    rows = study.compute()["examples"]
    least = rows[rows["certainty"] == "least"]
    np.testing.assert_allclose(least["probability"], [0.51, 0.55, 0.59, 0.6, 0.63], atol=1e-6)
    most = rows[rows["certainty"] == "most"].groupby("label")["probability"].max()
    np.testing.assert_allclose([most["good"], most["bad"]], [0.88, 0.79], atol=1e-6)
    assert set(least["runner_up"]) == {"good", "bad"} and "0000000000000016" not in set(rows["id"])


def test_texts_outside_of_what_a_classifier_was_made_for_are_counted(study):
    study.card |= {"languages": ("en",), "min_words": 4, "max_words": 12}
    study.text("good", text="This is an ordinary English sentence about the weather.")
    study.text("good", text="Das ist ein ganz gewöhnlicher deutscher Satz über das Wetter.")
    study.text("good", text="short")
    study.text(None, text="The rain in the old houses goes on and on and on and on and on until winter.")
    found = study.compute()
    rows = found["fitness"].set_index("check")
    assert rows["texts"].to_dict() == {
        "no_label": 1, "several_windows": 0, "other_language": 1, "too_short": 1, "too_long": 1,
    }  # fmt: skip
    assert rows.loc["other_language", "of"] == 3  # what is too short has no language that can be told
    assert found["languages"].set_index("language")["texts"].to_dict() == {"de": 1, "en": 2}


def test_the_rules_know_every_table_of_the_statistics():
    rules = (Path(__file__).parents[3] / "workflow" / "rules" / "common.smk").read_text(encoding="utf-8")
    named = re.search(r"^STATISTICS = \[(.*?)\]", rules, re.MULTILINE | re.DOTALL).group(1)
    assert re.findall(r'"(\w+)"', named) == list(STATISTICS)
