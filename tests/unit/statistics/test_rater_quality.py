"""What raters said against a classifier, each other and the truth: answers by hand."""

import numpy as np
import pytest
from scipy import stats

from samizdat.measures.bootstrap import Bootstrap
from samizdat.records.labels import MODEL, PERSON
from samizdat.statistics.rater_agreement import between_raters, wide
from samizdat.statistics.rater_quality import of_classifier, of_numbers, of_origin, of_several_labels
from support.rater_labels import labels_of, several

BOOTSTRAP = Bootstrap(0.95, 400, 1)


def test_a_classifiers_quality_is_weighed_by_what_the_rows_stand_for():
    # 900 texts are called "a" and 100 "b"; of 10 drawn of each, people call 9 and 5 so.
    human = ["a"] * 9 + ["b"] + ["b"] * 5 + ["a"] * 5
    rows = [
        ("texts", str(number), "x", "texts: a" if number < 10 else "texts: b", 900 if number < 10 else 100, [label] * 2)
        for number, label in enumerate(human)
    ]
    drawn = wide(labels_of(rows)).assign(predicted=["a"] * 10 + ["b"] * 10)
    found = {(row["metric"], row["label"]): row for row in of_classifier(drawn, ["a", "b"], BOOTSTRAP)}
    assert found["accuracy", None]["value"] == pytest.approx(0.9 * 0.9 + 0.1 * 0.5)
    assert found["precision", "a"]["value"] == pytest.approx(0.9) and found["precision", "b"]["value"] == 0.5
    assert found["share", "a"]["value"] == pytest.approx(0.86)
    assert found["recall", "a"]["value"] == pytest.approx(810 / 860)
    assert found["recall", "b"]["value"] == pytest.approx(50 / 140)
    assert found["accuracy", None]["population"] == 1000
    assert all(row["low"] <= row["value"] <= row["high"] for row in found.values())


def test_several_labels_are_those_of_most_raters_and_weighed_label_by_label():
    # Of 300 texts that are called "a" people see 20 of 30 so, of 100 without a label 6 of 30.
    rows = [([("a",), ("a", "b")] if number < 20 else [(), ("a",)], ("a",), "a", 300) for number in range(30)]
    rows += [([("a",), ("a",)] if number < 6 else [(), ()], (), "no label", 100) for number in range(30)]
    found = several("multi_label", "labels", rows)
    assert found["human"].tolist()[:1] == [("a",)] and found["human"].tolist()[29] == ()
    by = {(row["metric"], row["label"]): row for row in of_several_labels(found, ["a", "b"], BOOTSTRAP)}
    right, said, theirs = 200, 300, 220
    assert by["precision", "a"]["value"] == pytest.approx(right / said)
    assert by["recall", "a"]["value"] == pytest.approx(right / theirs)
    assert by["f1", "a"]["value"] == by["micro_f1", None]["value"] == pytest.approx(2 * right / (said + theirs))
    assert by["share", "a"]["value"] == pytest.approx(theirs / 400) and by["share", "b"]["value"] == 0
    assert by["accuracy", None]["value"] == pytest.approx((200 + 80) / 400)
    assert all(row["low"] <= row["value"] <= row["high"] for row in by.values())
    alphas = {row["label"]: row["value"] for row in between_raters(found, BOOTSTRAP, "multi_label")}
    # Of 60 pairs 10 differ about "a": Krippendorff's alpha by hand, of 62 ratings with it and 58 without.
    assert alphas["a"] == pytest.approx(1 - (20 / 120) / (2 * 62 * 58 / (120 * 119)))
    assert set(alphas) == {"a", "b"}
    agreed = several("multi_label", "labels", [([("a",), ("a",)], ("a",), "a", 300) for _ in range(30)])
    (alpha,) = between_raters(agreed, BOOTSTRAP, "multi_label")
    assert (alpha["label"], alpha["rows"]) == ("a", 30) and np.isnan(alpha["value"])


def test_numbers_are_the_means_of_raters_and_weighed():
    rows = [([number % 5, number % 5 + 1.0], number % 5 + 1.0, "low", 900) for number in range(30)]
    rows += [([8.0 + number % 2, 8.0 + number % 2], 5.0 + number % 2, "high", 100) for number in range(30)]
    found = several("number", "number", rows)
    by = {row["metric"]: row for row in of_numbers(found, BOOTSTRAP)}
    assert by["mean"]["value"] == pytest.approx(0.9 * 2.5 + 0.1 * 8.5)
    assert by["above_people"]["value"] == pytest.approx(0.9 * 0.5 - 0.1 * 3)
    assert by["mean_absolute_error"]["value"] == pytest.approx(0.9 * 0.5 + 0.1 * 3)
    # As if each row were there as often as it stands for texts: 9 times, and once.
    human, said = (np.repeat(found[one].astype(float), [9] * 30 + [1] * 30) for one in ("human", "predicted"))
    assert by["spearman"]["value"] == pytest.approx(stats.spearmanr(human, said).statistic)
    assert by["mean"]["low"] < by["mean"]["value"] < by["mean"]["high"] and by["mean"]["population"] == 1000
    (alpha,) = between_raters(found, BOOTSTRAP, "number")
    given = np.array([one for one, *_ in rows], float)
    observed = np.mean((given[:, 0] - given[:, 1]) ** 2)
    apart = (given.reshape(-1, 1) - given.reshape(1, -1)) ** 2
    assert alpha["value"] == pytest.approx(1 - observed / (apart.sum() / (120 * 119)), abs=1e-5)


@pytest.mark.parametrize("differing", [0, 1])
def test_kappa_has_an_interval_up_to_1_that_is_not_without_width(differing):
    rows = [
        ("texts", str(number), "x", "", 1, ["ab"[number % 2], "ab"[(number + (number < differing)) % 2]])
        for number in range(40)
    ]
    (kappa,) = [row for row in between_raters(wide(labels_of(rows)), BOOTSTRAP) if row["metric"] == "kappa"]
    assert kappa["value"] == pytest.approx(1 - differing / 20)
    assert kappa["low"] < kappa["value"] - 0.05 and kappa["value"] <= kappa["high"] <= 1


def test_who_wrote_it_is_told_or_not():
    def answers(right):
        rows = [("texts" if number < 30 else "samples", str(number), "x", "", 1,
                 [(PERSON if number < 30 else MODEL) if right(number, rater) else (MODEL if number < 30 else PERSON)
                  for rater in range(2)]) for number in range(60)]  # fmt: skip
        found = of_origin(wide(labels_of(rows)), BOOTSTRAP)
        return {(row["metric"], row.get("rater")): row for row in found}

    told = answers(lambda number, rater: number % 10 < 8)
    assert told["accuracy", None]["value"] == told["accuracy", "anna"]["value"] == pytest.approx(0.8)
    assert told["difference", None]["value"] == pytest.approx(0.6) and told["difference", None]["p_value"] < 0.01
    guessed = answers(lambda number, rater: (number + rater) % 2)
    assert guessed["accuracy", None]["value"] == 0.5 and guessed["difference", None]["p_value"] > 0.9
    assert guessed["accuracy", "ben"]["low"] < 0.5 < guessed["accuracy", "ben"]["high"]


def test_accuracy_and_difference_count_the_same_answers_where_rows_have_more_or_fewer():
    # Ben answers every second row, and is always wrong there; anna is always right. Samples have fewer rows.
    rows = [
        ("texts" if number < 40 else "samples", str(number), "x", "", 1,
         [truth, other if number % 2 and number < 40 else None])
        for number in range(60)
        for truth, other in [(PERSON, MODEL) if number < 40 else (MODEL, PERSON)]
    ]  # fmt: skip
    found = {(row["metric"], row.get("rater")): row for row in of_origin(wide(labels_of(rows)), BOOTSTRAP)}
    accuracy, difference = found["accuracy", None], found["difference", None]
    assert accuracy["value"] == pytest.approx((40 / 60 + 1) / 2) == pytest.approx((1 + difference["value"]) / 2)
    assert accuracy["low"] < accuracy["value"] < accuracy["high"] < 1 and accuracy["rows"] == 60
    assert found["accuracy", "anna"]["value"] == 1


def test_without_an_answer_nothing_is_measured():
    rows = [("texts", "a", "x", "", 1, [None, None]), ("samples", "b", "x", "", 1, [None, None])]
    unanswered = wide(labels_of(rows))
    assert of_origin(unanswered, BOOTSTRAP) == [] == of_origin(unanswered[:0], BOOTSTRAP)
