"""Labels of two classifiers, and labels of groups: known answers, and tests that documents don't mislead."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency
from sklearn.metrics import cohen_kappa_score

from support.study import Study


def test_classifiers_with_the_same_labels_are_compared_by_kappa_and_others_by_cramers_v(study):
    random = np.random.default_rng(3)
    study.others["twin"] = {"name": "twin", "labels": ["good", "bad"]}
    study.others["topic"] = {"name": "topic", "labels": ["rain", "sun", "snow"]}
    for _ in range(300):
        one = random.choice(["good", "bad"])
        twin = one if random.random() < 0.8 else random.choice(["good", "bad"])
        study.text(one, twin=twin, topic="rain" if one == "good" else random.choice(["sun", "snow"]))
    texts = pd.DataFrame(study.texts)
    rows = study.compute()["associations"].set_index(["left", "right"])
    assert list(rows.index) == [("mood", "twin"), ("mood", "topic"), ("twin", "topic")]
    assert list(rows["measure"]) == ["cohen_kappa", "cramers_v", "cramers_v"]
    expected = cohen_kappa_score(texts["predicted"], texts["twin"])
    assert rows.loc[("mood", "twin"), "value"] == pytest.approx(expected)
    assert rows.loc[("mood", "topic"), "value"] == pytest.approx(1, abs=0.005)
    row = rows.loc[("twin", "topic")]
    assert row["low"] < row["value"] < row["high"] and row["texts"] == 300


def test_kappa_needs_no_label_of_one_classifier_that_the_other_never_gives(study):
    random = np.random.default_rng(3)
    study.card["labels"] = ["bad", "good", "mixed"]
    study.others["twin"] = {"name": "twin", "labels": ["good", "mixed", "bad"]}
    for _ in range(100):
        study.text(random.choice(["bad", "good", "mixed"]), twin=random.choice(["bad", "good"]))
    texts = pd.DataFrame(study.texts)
    (row,) = study.compute()["associations"].to_dict("records")
    assert row["value"] == pytest.approx(cohen_kappa_score(texts["predicted"], texts["twin"]))
    assert row["low"] < row["value"] < row["high"]


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
        assert row["chi_square"] == pytest.approx(expected.statistic)
        assert row["p_value"] == pytest.approx(expected.pvalue, abs=0.12)
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
    # Saying everything ten times makes nothing ten times as sure.
    assert ten["chi_square"] == pytest.approx(10 * one["chi_square"])
    assert ten["p_value"] == pytest.approx(one["p_value"], abs=0.08) and one["p_value"] > 0.1


def test_with_too_few_documents_there_is_no_test(study):
    for number in range(400):
        study.text("good" if number % 2 else "bad", group="ab"[number % 2], document=f"d{number % 8}")
    row = study.compute()["group_tests"].iloc[0]
    assert row["cramers_v"] == pytest.approx(1, abs=0.01) and row[["low", "high", "p_value", "p_holm"]].isna().all()


def test_a_sparse_table_has_a_test_and_no_interval(study):
    study.others["topic"] = {"name": "topic", "labels": [f"t{number}" for number in range(20)]}
    for number in range(60):
        study.text("good" if number % 2 else "bad", topic=f"t{number % 20}")
    (row,) = study.compute()["associations"].to_dict("records")
    assert row["value"] > 0.7 and row["p_holm"] < 0.01 and np.isnan(row["low"]) and np.isnan(row["high"])
