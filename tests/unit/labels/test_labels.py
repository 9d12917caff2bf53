"""Sheets go to raters and come back: drawn, filled in by Excel's habits, read, refused where something is wrong."""

import csv
import io
import re
import zipfile

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from samizdat.base.corpus_files import list_files
from samizdat.base.errors import UserError
from samizdat.cli import main
from samizdat.labels.draw import draw
from samizdat.labels.read import read
from samizdat.labels.sheets import fingerprint, shown
from samizdat.records.classifiers import SCORES
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_document, read_table
from samizdat.records.labels import HUMAN_LABELS, RATER_QUALITY, LabelKey
from samizdat.records.samples import SAMPLES
from samizdat.reporting import numbers, raters, several_labels, summary
from samizdat.reporting.run import Run
from samizdat.statistics.compare_with_raters import compare_with_raters
from support.run_fixture import make_run, sentences
from support.spreadsheets import workbook

HOSTILE = [
    "=cmd|' /C calc'!A0 and more",
    "+1 for this film",
    "@SUM(1+1)*cmd",
    "-2 of 10",
    "a\x07bell\x00 rings",
    "x\ny\r\nz",
]
SHEETS = "data/labels/mine/sentiment"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("labels")
    make_run(
        folder / "results" / "mine", texts=HOSTILE + sentences(400), kinds={"moods": "multi_label", "size": "number"}
    )
    return folder


@pytest.fixture
def run(made, tmp_path, monkeypatch):
    (tmp_path / "results").symlink_to(made / "results")
    monkeypatch.chdir(tmp_path)
    return tmp_path / SHEETS


def cells_of(path):
    sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_name("Texts").to_python()
    assert sheet[0] == ["row", "text", "label"]
    return [[str(cell) for cell in row] for row in sheet[1:]]


def filled(path, answers):
    """Return the rows of a drawn .csv file with labels: row → label."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        head, *rows = csv.reader(file)
    return [head, *([name, text, answers[name]] for name, text, _ in rows)]


def fill(path, answers, encoding="utf-8-sig", delimiter=","):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows(filled(path, answers))
    path.write_bytes(text.getvalue().encode(encoding))


def drawn(run, rows=60, **more):
    draw(more.pop("classifier", "sentiment"), run="mine", raters=["anna", "ben"], rows=rows)
    return read_document(LabelKey, run / "key.json")


def test_sheets_are_blind_mixed_and_the_same_each_time(run):
    said = draw("sentiment", run="mine", raters=["anna", "ben"], rows=60)
    assert re.search(r"45 texts of \d+: a share of 50 % will be known to ±\d+\.\d points; \d+ would give ±5", said)
    key = read_document(LabelKey, run / "key.json")
    assert key.labels == ["negative", "neutral", "positive"] and len(key.rows) == 60
    assert sum(row["subset"] == "samples" for row in key.rows.values()) == 15
    results = run.parents[3] / "results/mine"
    texts = read_table(results / "corpus/texts.parquet", TEXTS).set_index("id")["text"]
    samples = read_table(results / "samples/gpt2-tiny.parquet", SAMPLES).set_index("id")["text"]
    scores = read_table(results / "scores/sentiment/texts.parquet", SCORES).set_index("id")
    sheets = {rater: cells_of(run / f"{rater}.xlsx") for rater in ("anna", "ben")}
    assert [row[0] for row in sheets["anna"]] != [row[0] for row in sheets["ben"]]
    for name, text, label in sheets["anna"]:
        row = key.rows[name]
        source = (texts if row["subset"] == "texts" else samples)[row["id"]]
        assert text.replace("\r\n", "\n") == shown(source) and label == "" and fingerprint(text) == row["shown_sha256"]
        if row["subset"] == "texts":
            assert not scores.loc[row["id"], "seen_in_training"]
            assert row["stratum"] == f"texts: {scores.loc[row['id'], 'label']}"
    unseen = scores[~scores["seen_in_training"]]["label"].value_counts()
    assert {name: key.strata[f"texts: {name}"] for name in unseen.index} == unseen.to_dict()
    subsets = [row["subset"] for row in key.rows.values()]
    assert subsets != sorted(subsets) and subsets != sorted(subsets, reverse=True)
    bytes_before = {path.name: path.read_bytes() for path in run.glob("[a-z]*")}
    run.rename(run.with_name("earlier"))
    draw("sentiment", run="mine", raters=["anna", "ben"], rows=60)
    assert bytes_before == {path.name: path.read_bytes() for path in run.glob("[a-z]*")}


def headings(run):
    with (run / "anna.csv").open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file))


def fill_all(run, answer_of, raters=("anna", "ben")):
    """Fill in the .csv sheets: row's name → its cells."""
    for rater in raters:
        with (run / f"{rater}.csv").open(encoding="utf-8-sig", newline="") as file:
            head, *rows = csv.reader(file)
        with (run / f"{rater}.csv").open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows([head, *([*row[:2], *answer_of(row[0], rater)] for row in rows)])


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
    assert "What to do: save the sheet" in str(refused.value)


@pytest.mark.parametrize(
    ("question", "limits", "message"),
    [
        ("size", [5, 1], "from 5 to 1"),
        ("size", [0, float("inf")], "from 0 to inf"),
        ("moods", [0, 1], "asks for labels"),
    ],
)
def test_a_range_is_for_numbers_and_the_right_way_round(run, question, limits, message):
    with pytest.raises(UserError, match=message):
        draw(question, run="mine", raters=["anna", "ben"], rows=60, limits=limits)


def test_no_text_is_ever_a_formula_and_labels_are_chosen_from_a_list(run):
    drawn(run, rows=10_000)
    with zipfile.ZipFile(run / "anna.xlsx") as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet and "<f " not in sheet
        assert '<dataValidation type="list"' in sheet and "<formula1>Labels!$A$2:$A$4</formula1>" in sheet
    book = CalamineWorkbook.from_path(str(run / "anna.xlsx"))
    assert [row[0] for row in book.get_sheet_by_name("Labels").to_python()][:4] == [
        "allowed labels", "negative", "neutral", "positive",
    ]  # fmt: skip
    with (run / "anna.csv").open(encoding="utf-8-sig", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    assert not [text for text in texts if text.lstrip().startswith(("=", "+", "-", "@"))]
    key = read_document(LabelKey, run / "key.json")
    hostile = {fingerprint(shown(text)) for text in HOSTILE}
    there = hostile & {row["shown_sha256"] for row in key.rows.values()}
    assert len(there) >= 3 and there == hostile & {fingerprint(text) for text in texts}
    fill(run / "anna.csv", dict.fromkeys(key.rows, "neutral"))
    fill(run / "ben.csv", dict.fromkeys(key.rows, "positive"))
    assert f"{len(key.rows)} rows by 2 raters" in read(run, unfinished=False)


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8-sig", ","), ("utf-8", ";"), ("utf-16", "\t"), ("utf-8-sig", ";")]
)
def test_what_spreadsheet_programs_save_comes_back(run, encoding, delimiter):
    key = drawn(run)
    answers = {name: key.labels[number % 3] for number, name in enumerate(key.rows)}
    fill(run / "anna.csv", answers, encoding, delimiter)
    # Excel saves numbers and capitals in its own way; rows were sorted by the rater.
    rows = sorted(filled(run / "ben.csv", answers)[1:], key=lambda row: row[1])
    sheet = [
        ["row", "text", "label", "my notes"],
        *([name, text, f" {label.upper()} ", "?"] for name, text, label in rows),
    ]
    (run / "ben.xlsx").write_bytes(workbook({"Texts": sheet, "Labels": [["allowed labels"], ["negative"]]}))
    said = read(run, unfinished=False)
    assert said.endswith("Add it to the config: human_labels: [mine/sentiment]")
    table = read_table(run / "labels.parquet", HUMAN_LABELS)
    assert len(table) == 120 and set(table["question"]) == {"sentiment"}
    names = {row["id"]: name for name, row in key.rows.items()}
    assert [answers[names[row]] for row in table["id"]] == table["label"].tolist()
    assert table["stratum_size"].tolist() == [key.strata[name] for name in table["stratum"]]


def test_who_wrote_it_is_asked_of_one_text_of_each_document(run):
    key = drawn(run.with_name("person.or.model"), rows=80, classifier=None)
    assert key.labels == ["person", "model"] and "person or by a language model" in key.words
    texts = read_table(run.parents[3] / "results/mine/corpus/texts.parquet", TEXTS).set_index("id")
    ids = [row["id"] for row in key.rows.values() if row["subset"] == "texts"]
    assert len(ids) == 40 and set(texts.loc[ids, "split"]) == {"test"}
    assert texts.loc[ids, "document"].is_unique


def changed(rows):
    rows[1][1] = rows[1][1].replace("a", "b") + "!"
    return rows


WRONG = {
    "a changed text": (changed, r"anna\.csv:2: the text of row r\d{4} was changed; it begins with"),
    "an unknown label": (lambda rows: [rows[0], [*rows[1][:2], "furious"], *rows[2:]],
                         r"anna\.csv:2: 'furious' is no label; allowed are negative, neutral, positive"),
    "a missing row": (lambda rows: rows[:-1], r"anna\.csv: the row r\d{4} is missing"),
    "a row twice": (lambda rows: [*rows, rows[1]], r"the row r\d{4} is there twice"),
    "an unknown row": (lambda rows: [*rows, ["r9999", "A text.", "neutral"]], r"the row 'r9999' was not drawn"),
    "no label in a row": (lambda rows: [rows[0], [*rows[1][:2], ""], *rows[2:]], r"has no answer in the rows r\d{4}"),
    "other headings": (lambda rows: [["row", "sentence", "label"], *rows[1:]], r"no column 'text'; it has: 'row'"),
    "no column of labels": (lambda rows: [row[:2] for row in rows], r"has no column 'label'"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_sheet_is_refused_by_file_and_row_and_nothing_is_stored(run, wrong):
    key = drawn(run)
    answers = dict.fromkeys(key.rows, "neutral")
    fill(run / "ben.csv", answers)
    change, message = WRONG[wrong]
    with (run / "anna.csv").open("w", encoding="utf-8-sig", newline="") as file:
        (run / "anna.xlsx").unlink()
        rows = change(filled(run / "ben.csv", answers))
        csv.writer(file).writerows(rows)
    with pytest.raises(UserError) as refused:
        read(run, unfinished=False)
    assert re.search(message, str(refused.value)) and "corpus." not in str(refused.value)
    assert not (run / "labels.parquet").exists()


def test_a_sheet_of_another_drawing_or_a_damaged_one_is_refused(run):
    key = drawn(run)
    answers = dict.fromkeys(key.rows, "neutral")
    fill(run / "ben.csv", answers)
    (run / "anna.csv").unlink()
    (run / "anna.xlsx").write_bytes(
        workbook({"Texts": [["row", "text", "label"], ["r0001", "Another text.", "neutral"]]})
    )
    with pytest.raises(UserError, match="and 50 more"):
        read(run, unfinished=False)
    (run / "anna.xlsx").write_bytes(b"PK nothing")
    with pytest.raises(UserError, match=r"anna.xlsx can't be read as an .xlsx file"):
        read(run, unfinished=False)
    (run / "anna.xlsx").unlink()
    with pytest.raises(UserError, match="no sheet of anna"):
        read(run, unfinished=False)
    with pytest.raises(UserError, match=r"no key\.json"):
        read(run.parent, unfinished=False)


def test_two_files_of_a_rater_must_agree_and_empty_cells_are_accepted_only_when_asked(run):
    key = drawn(run)
    answers = dict.fromkeys(key.rows, "neutral")
    fill(run / "ben.csv", answers)
    fill(run / "anna.csv", answers | {"r0001": ""})
    with pytest.raises(UserError, match="r0001"):
        read(run, unfinished=False)
    assert "1 rows are empty" in read(run, unfinished=True)
    assert read_table(run / "labels.parquet", HUMAN_LABELS)["label"].isna().sum() == 1
    rows = filled(run / "ben.csv", answers | {"r0002": "positive"})
    (run / "anna.xlsx").write_bytes(workbook({"Texts": rows}))
    with pytest.raises(UserError, match="different answers, such as in row r0001: neutral and nothing"):
        read(run, unfinished=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--classifier", "anger", "--raters", "a", "b"], "no classifier 'anger'"),
        (["--origin", "--raters", "a", "A"], "two raters or more"),
        (["--origin", "--raters", "a", "../b"], "'../b' can't be a rater's name"),
        (["--origin", "--raters", "a", "key"], "'key' can't be a rater's name"),
        (["--classifier", "sentiment", "--raters", "a", "b", "--rows", "7"], "7 rows are too few"),
        (["--origin", "--raters", "a", "b", "--run", "none"], "results/none is no finished run"),
    ],
)
def test_what_cannot_be_drawn_is_said(run, options, message, capsys):
    with pytest.raises(SystemExit):
        main(["label", "draw", "--run", "mine", *options])
    assert message in capsys.readouterr().err


def test_sheets_are_not_overwritten_and_are_no_part_of_the_corpus(run, capsys):
    main(["label", "draw", "--run", "mine", "--classifier", "sentiment", "--raters", "anna", "ben"])
    assert f"samizdat label read {SHEETS}" in capsys.readouterr().out
    with pytest.raises(UserError, match="has sheets already"):
        drawn(run)
    (run.parents[2] / "mine.txt").write_text("A text.", encoding="utf-8")
    assert list(list_files(["data/"]).files) == ["data/mine.txt"]
    assert list(list_files([str(run.parents[3] / "data")]).files) == [str(run.parents[3] / "data/mine.txt")]


def test_a_very_long_text_is_cut_as_a_cell_must_be():
    text = "word " * 8000
    assert len(shown(text)) < 32_767 and shown(text).endswith(" […]")
    assert fingerprint("'=1") == fingerprint("=1") and fingerprint("'tis") != fingerprint("tis")
    assert pd.Series([shown("a\x00b")]).tolist() == ["a\ufffdb"]


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
    _, several, number = str(raters.opening(shown)).split("\n\n")[:3]
    assert re.search(rf"exactly the labels that most raters give on 100\s%.* of the {len(texts)} texts", several)
    assert f"of the {len(samples)}" not in several  # only those that begin with nothing were drawn
    assert "Krippendorff’s α of the raters is 1.00" in several and "“<bdi>joy</bdi>”" in several
    assert re.search(rf"Spearman’s ρ .* is 1\.00.* for the {len(texts)} texts", number)
    assert re.search(r"right in every label on 100\s%", str(summary.finding(shown)))
    assert "Spearman’s ρ with people is 1.00" in str(summary.finding(shown))
    # What raters said is known, though the corpus has no labels.
    for told in (summary.finding, several_labels.opening, numbers.opening):
        assert "is not known" not in str(told(shown))
    assert all(words in str(raters.every_number(shown)) for words in ("micro-F1", "mean distance from people"))
