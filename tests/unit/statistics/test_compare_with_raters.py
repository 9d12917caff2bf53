"""What raters said against a classifier, each other and the truth: answers by hand, and what is left out is counted."""

import dataclasses
import hashlib
import itertools
import shutil

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from samizdat.base.errors import UserError
from samizdat.measures.bootstrap import Bootstrap
from samizdat.records.classifiers import SCORES, ClassifierCard
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_document, read_table, write_document, write_table
from samizdat.records.labels import HUMAN_LABELS, MODEL, PERSON, RATER_QUALITY
from samizdat.reporting import raters, summary, verdicts
from samizdat.reporting.run import Run
from samizdat.statistics.compare_with_raters import compare_with_raters
from samizdat.statistics.rater_agreement import between_raters, wide
from samizdat.statistics.rater_quality import of_classifier, of_numbers, of_origin, of_several_labels


@pytest.fixture
def fresh(made_up, tmp_path):
    """A copy of the made-up run, to change."""
    return Run(shutil.copytree(made_up, tmp_path / "run"))


BOOTSTRAP = Bootstrap(0.95, 400, 1)


def labels_of(rows, raters=("anna", "ben")):
    """Make a table of labels of rows (subset, id, text, stratum, size, label of each rater)."""
    return pd.DataFrame(
        [
            {"question": "sentiment", "words": "", "subset": subset, "id": key,
             "sha256": hashlib.sha256(text.encode()).hexdigest(), "stratum": stratum, "stratum_size": size,
             "rater": rater, "label": label, "labels": None, "number": np.nan}
            for subset, key, text, stratum, size, given in rows
            for rater, label in zip(raters, given, strict=True)
        ],
        columns=HUMAN_LABELS.names,
    )  # fmt: skip


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


def several(kind, column, rows):
    """Put rows together as `wide` does: what people and the classifier said of each text, its stratum and its size."""
    table = pd.concat(
        labels_of([("texts", str(number), "x", stratum, size, given)]).assign(**{"label": None, column: given})
        for number, (given, _, stratum, size) in enumerate(rows)
    )
    return wide(table, kind).assign(predicted=[said for _, said, *_ in rows])


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


def test_without_an_answer_nothing_is_measured():
    rows = [("texts", "a", "x", "", 1, [None, None]), ("samples", "b", "x", "", 1, [None, None])]
    unanswered = wide(labels_of(rows))
    assert of_origin(unanswered, BOOTSTRAP) == [] == of_origin(unanswered[:0], BOOTSTRAP)


def compared(folder, *tables):
    said = compare_with_raters(
        0.95, 200, folder / "corpus/texts.parquet", (folder / "samples/gpt2-tiny.parquet",),
        (folder / "classifiers/sentiment", folder / "classifiers/source"), folder / "scores", tables,
        folder / "statistics/rater_quality.parquet", seed=3,
    )  # fmt: skip
    return said, read_table(folder / "statistics/rater_quality.parquet", RATER_QUALITY)


@pytest.fixture
def labelled(fresh, tmp_path):
    """A run, and labels of its sentiment by three raters: two who are always right, and one who says neutral."""
    corpus = read_table(fresh.folder / "corpus/texts.parquet", TEXTS)
    drawn = corpus[corpus["split"] == "test"].head(40)
    given = itertools.zip_longest(drawn["id"], drawn["text"], drawn["label_sentiment"])
    rows = [("texts", key, text, "all", 400, [label, label, "neutral"]) for key, text, label in given]
    rows[0] = (*rows[0][:5], ["negative", "neutral", "positive"])
    rows[1] = (*rows[1][:2], "another text than the run has", *rows[1][3:])
    path = tmp_path / "labels.parquet"
    write_table(labels_of(rows, ("anna", "ben", "eva")), HUMAN_LABELS, path)
    return fresh.folder, path, drawn


def test_ties_and_texts_that_are_gone_are_counted_and_left_out(labelled):
    folder, path, drawn = labelled
    _, table = compared(folder, path)
    found = table[table["question"] == "sentiment"].set_index("metric")
    assert [found.loc[one, "rows"] for one in ("drawn", "gone", "undecided", "seen")] == [40, 1, 1, 0]
    accuracy = table[(table["metric"] == "accuracy") & (table["subset"] == "texts")].iloc[0]
    assert accuracy["rows"] == 38 and accuracy["population"] == 400
    scores = pd.read_parquet(folder / "scores/sentiment/texts.parquet").set_index("id")["label"]
    right = [scores[row["id"]] == row["label_sentiment"] for _, row in drawn.iloc[2:].iterrows()]
    assert accuracy["value"] == pytest.approx(np.mean(right))
    kappas = table[table["metric"] == "kappa"].set_index(["rater", "other"])["value"]
    assert kappas["anna", "ben"] > 0.9 > 0.1 > abs(kappas["anna", "eva"]) and len(kappas) == 3
    assert 0 < table.loc[table["metric"] == "krippendorff_alpha", "value"].item() < 1


def test_the_report_says_what_people_said_and_what_nobody_did(labelled):
    folder, path, _ = labelled
    compared(folder, path)
    run = Run(folder)
    said = str(raters.opening(run))
    assert said.startswith("Raters saw texts and samples mixed")
    assert "The label of a text is the one that its raters gave most often. Estimates are for all texts" in said
    assert "People were asked to label 40\u00a0texts and samples for “<bdi>sentiment</bdi>”" in said
    assert "1 got no one label from most raters and 1 is not in the run any more" in said
    assert "of the 400 texts" in said and "source" not in said  # people labelled the corpus for it
    assert "kappa" not in str(raters.every_number(run)) and "Cohen’s κ of two raters" in str(raters.every_number(run))
    assert "By 38\u00a0drawn texts that people labelled it is right on" in str(summary.finding(run))
    run.quality = run.quality.iloc[:0]
    assert "Nobody has labelled texts for “<bdi>source</bdi>”" in str(raters.opening(run))
    assert "to ±5 percentage points" in str(raters.opening(run))
    assert "labelled by people would tell it to ±5 points" in str(summary.finding(run))


@pytest.mark.parametrize(("value", "p_value", "words"), [
    (0.6, 0.001, "**People can tell samples from texts.**"), (-0.3, 0.01, "take samples for a person’s more often"),
    (0.2, 0.3, "No sign that people can tell"), (0.6, None, "Too few rows for a verdict"),
])  # fmt: skip
def test_a_verdict_needs_its_p_value(fresh, value, p_value, words):
    rows = [{"metric": "drawn", "rows": 60}, {"metric": "undecided", "rows": 9},
            {"metric": "accuracy", "rows": 60, "value": 0.8},
            {"metric": "difference", "value": value, "p_value": p_value}]  # fmt: skip
    frame = pd.DataFrame([{"question": "person.or.model"} | row for row in rows], columns=RATER_QUALITY.names)
    fresh.rater_quality = frame.astype({"p_value": float})
    assert words in raters.told(fresh) and "guessing gives 50\u00a0%" in raters.told(fresh)
    assert words in str(raters.opening(fresh)) and words in str(summary.writing(fresh))
    assert bool(verdicts.told_by_people(fresh)) == (p_value is not None and p_value <= 0.05)


@pytest.mark.parametrize(("answered", "asked", "left"), [
    (60, "People said of 60 texts and samples whether a person or a model wrote them.",
     "Left out: 130 got no answer and 10 are not in the run any more."),
    (None, "People were asked of 200 texts and samples whether a person or a model wrote them. No rater has answered",
     "Left out: 10 are not in the run any more."),
])  # fmt: skip
def test_rows_that_nobody_answered_are_no_answers(fresh, answered, asked, left):
    counts = {"drawn": 200, "undecided": 150, "gone": 10}
    counts |= {"accuracy": answered, "difference": answered} if answered else {}
    rows = [{"question": "person.or.model", "metric": metric, "rows": number, "value": 0.8, "p_value": 0.01}
            for metric, number in counts.items()]  # fmt: skip
    fresh.rater_quality = pd.DataFrame(rows, columns=RATER_QUALITY.names).astype({"p_value": float})
    said = str(raters.opening(fresh)).replace("\u00a0", " ")
    assert asked in said and asked in raters.told(fresh).replace("\u00a0", " ") and said.endswith(left)
    assert said.startswith("Raters saw texts and samples mixed, without a sign of which is which. Where they said who")
    assert "Estimates" not in said


def test_sheets_of_which_the_run_has_no_text_any_more_are_told(labelled):
    folder, path, _ = labelled
    table = read_table(path, HUMAN_LABELS).assign(question="person.or.model", label=PERSON, sha256="0" * 64)
    write_table(table, HUMAN_LABELS, path)
    _, quality = compared(folder, path)
    found = quality[quality["question"] == "person.or.model"].set_index("metric")["rows"]
    assert found.to_dict() == {"drawn": 40, "gone": 40, "undecided": 0}
    said = str(raters.opening(Run(folder)))
    assert "No rater has answered for both texts and samples. Left out: 40 are not in the run any more." in said


def test_labels_for_another_run_are_refused(labelled):
    folder, path, _ = labelled
    with pytest.raises(UserError, match="two tables of human_labels are for the question 'sentiment'"):
        compared(folder, path, path)
    other = read_table(path, HUMAN_LABELS).assign(question="anger")
    write_table(other, HUMAN_LABELS, path)
    with pytest.raises(UserError, match="labels for the classifier 'anger', which this run doesn't have"):
        compared(folder, path)


@pytest.mark.parametrize("kind", ["single_label", "multi_label"])
def test_labels_on_sheets_get_the_names_that_the_classifier_gives_them_now(labelled, kind):
    folder, path, _ = labelled
    place = folder / "classifiers/sentiment/card.json"
    card, table = read_document(ClassifierCard, place), read_table(path, HUMAN_LABELS)
    if kind == "multi_label":
        table = table.assign(labels=[[one] for one in table["label"]], label=None)
        for subset in ("texts", "samples"):
            scores = read_table(folder / f"scores/sentiment/{subset}.parquet", SCORES)
            said = [None if one is None else [one] for one in scores["label"]]
            write_table(scores.assign(labels=said, label=None), SCORES, folder / f"scores/sentiment/{subset}.parquet")
    write_document(dataclasses.replace(card, kind=kind), place)
    write_table(table, HUMAN_LABELS, path)
    before = compared(folder, path)[1]
    names = ["glad" if one == "positive" else one for one in card.labels]
    table["label"] = table["label"].replace("positive", "glad")
    table["labels"] = table["labels"].map(lambda one: ["glad"] if one == ["positive"] else one, na_action="ignore")
    write_table(table, HUMAN_LABELS, path)
    with pytest.raises(UserError, match=r"the classifier 'sentiment' doesn't have \(any more\): \['glad'\]"):
        compared(folder, path)
    write_document(dataclasses.replace(card, kind=kind, checkpoint_labels=names, label_map={"glad": "positive"}), place)
    pd.testing.assert_frame_equal(compared(folder, path)[1], before)


def test_a_run_says_how_many_labels_are_needed(fresh):
    path = fresh.folder / "corpus/texts.parquet"
    corpus = read_table(path, TEXTS)
    write_table(corpus.drop(columns=["label_sentiment"]), TEXTS, path)
    said, table = compared(fresh.folder)
    needed = table[table["question"] == "sentiment"].iloc[0]
    assert needed["metric"] == "rows_needed" and 100 < needed["value"] < needed["population"] == 200
    assert said.startswith("nobody has labelled texts for these classifiers")
    assert said.endswith(f"sentiment: {needed['value']:.0f}")
