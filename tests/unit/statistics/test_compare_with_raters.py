"""Tables of what raters said, compared with a run and told in its report: what is left out is counted."""

import dataclasses
import itertools
import shutil

import numpy as np
import pandas as pd
import pytest

from samizdat.base.errors import UserError
from samizdat.measures.bootstrap import Bootstrap
from samizdat.records.classifiers import SCORES, ClassifierCard
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_document, read_table, write_document, write_table
from samizdat.records.labels import HUMAN_LABELS, PERSON, RATER_QUALITY
from samizdat.reporting import believed, raters, summary, verdicts
from samizdat.reporting.run import Run
from samizdat.statistics.compare_with_raters import compare_with_raters
from samizdat.statistics.rater_quality import of_numbers
from support.rater_labels import labels_of, several


@pytest.fixture
def fresh(made_up, tmp_path):
    """A copy of the made-up run, to change."""
    return Run(shutil.copytree(made_up, tmp_path / "run"))


BOOTSTRAP = Bootstrap(0.95, 400, 1)


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


def test_a_rater_who_never_answered_changes_nothing(labelled):
    folder, path, _ = labelled
    table = read_table(path, HUMAN_LABELS)
    before = compared(folder, path)[1]
    silent = table[table["rater"] == "eva"].assign(rater="zoe", label=None)
    write_table(pd.concat([table, silent], ignore_index=True), HUMAN_LABELS, path)
    pd.testing.assert_frame_equal(compared(folder, path)[1], before)


@pytest.mark.parametrize("tied", [5, 40])
def test_strata_of_which_no_row_can_be_used_are_counted_and_told(labelled, tied):
    folder, path, _ = labelled
    table = read_table(path, HUMAN_LABELS)
    lost = table["id"].isin(list(dict.fromkeys(table["id"]))[:tied])
    table.loc[lost, "label"] = table["rater"].map({"anna": "negative", "ben": "neutral", "eva": "positive"})
    table.loc[lost, ["stratum", "stratum_size"]] = ["rare", 70]
    write_table(table, HUMAN_LABELS, path)
    _, quality = compared(folder, path)
    (row,) = quality[quality["metric"] == "unestimated"].to_dict("records")
    assert (row["subset"], row["rows"], row["population"], row["value"]) == ("texts", tied, 70, 70)
    run = Run(folder)
    assert "No estimate is for 70\u00a0texts: no row that was drawn from them" in str(raters.opening(run))
    said = " ".join(believed.trust(run, "sentiment", None))
    if tied == 40:
        assert said == "People were asked about 40\u00a0drawn texts for it, but no answer can be compared with it."
    else:
        assert said.startswith("By 35\u00a0drawn texts that people labelled it is right on")


def test_a_rank_correlation_of_equal_numbers_is_told_to_be_not_defined(fresh):
    rows = [([3.0, 3.0], 2.0 + number, "low", 900) for number in range(30)]
    found = of_numbers(several("number", "number", rows), BOOTSTRAP)
    frame = [{"question": "sentiment", "metric": one, "rows": 30} for one in ("drawn", "undecided")]
    frame += [{"question": "sentiment"} | row for row in found]
    columns = {"value": float, "low": float, "high": float}
    fresh.rater_quality = pd.DataFrame(frame, columns=RATER_QUALITY.names).astype(columns)
    fresh.cards = fresh.cards | {"sentiment": dataclasses.replace(fresh.cards["sentiment"], kind="number")}
    undefined = "not defined (all numbers of one side are equal)"
    assert f"means of the raters’ is {undefined} for the 900 texts" in str(raters.opening(fresh))
    assert believed.trust(fresh, "sentiment", None)[0].startswith(f"Spearman’s ρ with people is {undefined}, by 30")
    assert "not defined" in str(raters.every_number(fresh)) and "nan" not in str(raters.every_number(fresh))


def test_the_report_says_what_people_said_and_what_nobody_did(labelled):
    folder, path, _ = labelled
    compared(folder, path)
    run = Run(folder)
    said = str(raters.opening(run))
    assert said.startswith("Raters saw texts and samples mixed")
    assert "The label of a text is the one that its raters gave most often. Estimates are for all texts" in said
    assert "People were asked to label 40\u00a0texts and samples for “<bdi>sentiment</bdi>”" in said
    assert "1 got no single label from most raters and 1 is not in the run any more" in said
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


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path, table: path.write_bytes(path.read_bytes()[:1000]), "is damaged"),
        (lambda path, table: path.write_text("row,text,label\n", encoding="utf-8"), "is damaged"),
        (lambda path, table: table[["id", "label"]].to_parquet(path), "is damaged"),
        (lambda path, table: write_table(table.head(0), HUMAN_LABELS, path), "answers to one question"),
        (
            lambda path, table: write_table(table.assign(question=["sentiment", *table["id"][1:]]), HUMAN_LABELS, path),
            "answers to one question",
        ),
    ],
)
def test_damaged_labels_are_told_as_such_with_what_makes_them_again(labelled, damage, said):
    folder, path, _ = labelled
    damage(path, read_table(path, HUMAN_LABELS))
    with pytest.raises(UserError) as error:
        compared(folder, path)
    assert str(path) in error.value.what and said in error.value.what
    assert f"samizdat label read {path.parent}" in error.value.remedy


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
