"""Sheets that ask for several labels, or for a number: drawn, read back, and told in the report."""

import csv
import re
import zipfile

import pandas as pd
import pytest

from samizdat.base.errors import UserError
from samizdat.labels.draw import draw
from samizdat.labels.read import read
from samizdat.records.classifiers import SCORES
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_table
from samizdat.records.labels import HUMAN_LABELS, RATER_QUALITY
from samizdat.records.samples import SAMPLES
from samizdat.reporting import numbers, raters, several_labels, summary
from samizdat.reporting.run import Run
from samizdat.statistics.compare_with_raters import compare_with_raters
from support.rater_sheets import drawn, fill_all, headings
from support.spreadsheets import workbook


def test_several_labels_have_a_column_each_for_yes_and_no(run):
    folder = run.with_name("moods")
    key = drawn(folder, classifier="moods")
    assert headings(folder)[2:] == ["label: anger", "label: joy", "label: fear", "none of these"]
    with zipfile.ZipFile(folder / "anna.xlsx") as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert 'sqref="C2:F61"' in sheet and "<formula1>Labels!$A$2:$A$3</formula1>" in sheet
    scores = read_table(run.parents[3] / "results/mine/scores/moods/texts.parquet", SCORES).set_index("id")["labels"]
    often = scores.explode().value_counts()
    for row in key.rows.values():
        if row["subset"] == "texts":
            given = list(scores[row["id"]])
            assert row["stratum"] == f"texts: {min(given, key=lambda one: (often[one], one)) if given else 'no label'}"
    cells = {"r0001": ["YES ", "", "yes", "no"], "r0002": ["", "", "", "Yes"], "r0003": ["no", "no", "no", ""]}
    fill_all(folder, lambda name, _: cells.get(name, ["", "yes", "no", ""]))
    read(folder, unfinished=False)
    table = read_table(folder / "labels.parquet", HUMAN_LABELS)
    said = [list(given) for given in table["labels"]]
    assert said[:4] == [["anger", "fear"], [], [], ["joy"]] and table["label"].isna().all()


def test_numbers_are_told_their_range_and_read_with_a_decimal_comma(run):
    folder = run.with_name("size")
    draw("size", run="mine", raters=["anna", "ben"], rows=60, limits=[-1, 5])
    assert headings(folder)[2:] == ["number (-1 to 5)"]
    with zipfile.ZipFile(folder / "anna.xlsx") as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert '<dataValidation type="decimal"' in sheet and "<formula1>-1.0</formula1><formula2>5.0</formula2>" in sheet
    cells = {"r0001": "3,5", "r0002": "-0.25", "r0003": "0", "r0004": "1E-1"}
    fill_all(folder, lambda name, _: [cells.get(name, "5")])
    # A spreadsheet program keeps numbers as numbers.
    rows = [["row", "text", "number (-1 to 5)"]]
    with (folder / "anna.csv").open(encoding="utf-8-sig", newline="") as file:
        rows += [[name, text, float(cell.replace(",", "."))] for name, text, cell in [*csv.reader(file)][1:]]
    (folder / "anna.xlsx").write_bytes(workbook({"Texts": rows}))
    read(folder, unfinished=False)
    numbers = read_table(folder / "labels.parquet", HUMAN_LABELS)["number"].tolist()
    assert numbers[:5] == [3.5, -0.25, 0.0, 0.1, 5.0] == numbers[60:65]


@pytest.mark.parametrize(("question", "cells", "message"), [
    ("moods", ["x", "", "", ""], "'x' is neither yes nor no"),
    ("moods", ["yes", "", "", "yes"], "yes is below 'none of these' and below anger"),
    ("moods", ["no", "", "", ""], "yes is below no label, and not below 'none of these'"),
    ("size", ["11"], "'11' is no number from 0 to 10"), ("size", ["many"], "'many' is no number from 0 to 10"),
    ("size", ["1_0"], "'1_0' is no number from 0 to 10"), ("size", ["1.000,5"], "is no number from 0 to 10"),
])  # fmt: skip
def test_an_answer_that_is_not_allowed_is_refused_by_row(run, question, cells, message):
    folder = run.with_name(question)
    drawn(folder, classifier=question)
    right = {"moods": ["yes", "", "", ""], "size": ["4"]}[question]
    fill_all(folder, lambda name, rater: cells if (name, rater) == ("r0007", "ben") else right)
    for rater in ("anna", "ben"):
        (folder / f"{rater}.xlsx").unlink()
    with pytest.raises(UserError) as refused:
        read(folder, unfinished=False)
    assert re.search(rf"ben\.csv:\d+: .*{re.escape(message)}", str(refused.value))
    assert "What to do: write an allowed answer into these cells" in str(refused.value)


def test_what_raters_say_of_several_labels_and_of_numbers_is_in_the_report(run):
    results = run.parents[3] / "results/mine"
    texts = read_table(results / "corpus/texts.parquet", TEXTS)
    samples = read_table(results / "samples/gpt2-tiny.parquet", SAMPLES)
    tables = []
    for question, column in (("moods", "labels"), ("size", "number")):
        folder = run.with_name(question)
        key = drawn(folder, classifier=question)
        scores = [
            read_table(results / f"scores/{question}/{subset}.parquet", SCORES) for subset in ("texts", "samples")
        ]
        own = pd.concat(scores).set_index("id")[column]
        said = {name: own[row["id"]] for name, row in key.rows.items()}

        def cells(name, rater, said=said, number=question == "size"):
            if number:  # ben's numbers are one lower, where there is room
                return [f"{max(said[name] - (rater == 'ben'), 0):.3f}".replace(".", ",")]
            given = ["yes" if one in said[name] else "" for one in ("anger", "joy", "fear")]
            return [*given, "" if "yes" in given else "yes"]

        fill_all(folder, cells)
        read(folder, unfinished=False)
        tables.append(folder / "labels.parquet")
    target = run.parents[3] / "quality.parquet"
    compare_with_raters(
        0.95, 200, results / "corpus/texts.parquet", (results / "samples/gpt2-tiny.parquet",),
        (results / "classifiers/moods", results / "classifiers/size"), results / "scores", tuple(tables), target,
        seed=3,
    )  # fmt: skip
    shown = Run(results)
    shown.rater_quality = read_table(target, RATER_QUALITY)
    counted, several, number = str(raters.opening(shown)).split("\n\n")[:3]
    assert "more than half of its raters gave" in counted and "Of several numbers the mean counts" in counted
    assert "most often" not in counted
    assert re.search(rf"exactly the labels that most raters give on 100\s%.* of the {len(texts)} texts", several)
    assert f"of the {len(samples)}" not in several  # only those that begin with nothing were drawn
    assert "Krippendorff’s α of the raters is 1.00" in several and "“<bdi>joy</bdi>”" in several
    alphas = shown.rater_quality["metric"] == "krippendorff_alpha"
    alike = shown.rater_quality.assign(value=shown.rater_quality["value"].mask(alphas))
    shown.rater_quality, measured = alike, shown.rater_quality
    assert "α of the raters’ answers is not defined, since all" in str(raters.opening(shown)).split("\n\n")[1]
    assert "nan" not in str(raters.every_number(shown))
    shown.rater_quality = measured
    assert re.search(rf"Spearman’s ρ .* is 1\.00.* for the {len(texts)} texts", number)
    assert re.search(r"right in every label on 100\s%", str(summary.finding(shown)))
    assert "Spearman’s ρ with people is 1.00" in str(summary.finding(shown))
    # What raters said is known, though the corpus has no labels.
    for told in (summary.finding, several_labels.opening, numbers.opening):
        assert "is not known, since" not in str(told(shown))
    assert all(words in str(raters.every_number(shown)) for words in ("micro-F1", "mean distance from people"))
