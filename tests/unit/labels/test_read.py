"""Sheets that come back: saved in the ways of spreadsheet programs, and refused where something is wrong."""

import csv
import re
from dataclasses import replace

import pytest

from samizdat.base.errors import UserError
from samizdat.labels.read import read
from samizdat.records.io import read_table, write_document
from samizdat.records.labels import HUMAN_LABELS
from support.rater_sheets import SHEETS, drawn, fill, filled
from support.run_fixture import make_run
from support.spreadsheets import workbook


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


def test_rows_that_excel_leaves_blank_are_none(run):
    key = drawn(run)
    answers = dict.fromkeys(key.rows, "neutral")
    sheets = {rater: [*filled(run / f"{rater}.csv", answers), ["", "", ""], [" ", "", ""]] for rater in ("anna", "ben")}
    with (run / "anna.csv").open("w", encoding="utf-8-sig", newline="") as file:
        rows = [[*row, "" if row[0] else "I was tired here"] for row in sheets["anna"]]
        csv.writer(file).writerows([[*rows[0][:3], "notes"], *rows[1:]])
    (run / "ben.csv").unlink()
    (run / "ben.xlsx").write_bytes(workbook({"Texts": sheets["ben"]}))
    assert read(run, unfinished=False).startswith("60 rows by 2 raters")


def test_cells_that_excel_quotes_without_need_are_read_as_they_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_run(tmp_path / "results/mine", texts=[f"The text {'of ' * n}ours, and so on" for n in range(60)])
    key = drawn(tmp_path / SHEETS, rows=10_000)
    answers = dict.fromkeys(key.rows, "neutral")
    fill(tmp_path / SHEETS / "ben.csv", answers)
    rows = filled(tmp_path / SHEETS / "anna.csv", answers)
    lines = ["\t".join(f'"{cell}"' if "," in cell else cell for cell in row) for row in rows]
    (tmp_path / SHEETS / "anna.csv").write_bytes("\r\n".join(lines).encode("utf-16"))
    assert read(tmp_path / SHEETS, unfinished=False).startswith(f"{len(key.rows)} rows by 2 raters")


def test_labels_that_differ_in_capitals_alone_stay_apart(run):
    key = drawn(run)
    key = replace(key, labels=["Good", "good", "bad"])
    write_document(key, run / "key.json")
    answers = {name: key.labels[number % 3] for number, name in enumerate(key.rows)}
    for rater in ("anna", "ben"):
        fill(run / f"{rater}.csv", answers)
    for path in run.glob("*.xlsx"):
        path.unlink()
    read(run, unfinished=False)
    table = read_table(run / "labels.parquet", HUMAN_LABELS)
    names = {row["id"]: name for name, row in key.rows.items()}
    assert [answers[names[row]] for row in table["id"]] == table["label"].tolist()
    fill(run / "anna.csv", answers | dict.fromkeys(list(key.rows)[:1], "GOOD"))
    with pytest.raises(UserError, match="'GOOD' is no label"):
        read(run, unfinished=False)


def changed(rows):
    rows[1][1] = rows[1][1].replace("a", "b") + "!"
    return rows


WRONG = {
    "a changed text": (changed, r"anna\.csv:2: the text of row r\d{4} was changed; it begins with"),
    "an unknown label": (lambda rows: [rows[0], [*rows[1][:2], "furious"], *rows[2:]],
                         r"anna\.csv:2: 'furious' is no label; allowed are negative, neutral, positive"),
    "a missing row": (lambda rows: rows[:-1], r"anna\.csv: the row r\d{4} is missing"),
    "a row twice": (lambda rows: [*rows, rows[1]], r"the row r\d{4} is there twice"),
    "a remark below": (lambda rows: [*rows, ["", "Nice texts!", ""]], r"anna\.csv:\d+: the cell below 'row' is empty"),
    "a label without a row": (lambda rows: [*rows, ["", "", "neutral"]], r"the cell below 'row' is empty"),
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


@pytest.mark.parametrize("there", [True, False])
def test_a_rater_who_never_answered_is_counted_and_told_where_that_is_accepted(run, there):
    key = drawn(run)
    with pytest.raises(UserError, match=r"no sheet in .* has an answer"):
        read(run, unfinished=True)
    fill(run / "ben.csv", dict.fromkeys(key.rows, "neutral"))
    if not there:
        (run / "anna.xlsx").unlink()
        (run / "anna.csv").unlink()
    with pytest.raises(UserError, match="anna") as refused:
        read(run, unfinished=False)
    assert "--unfinished" in refused.value.remedy
    assert f"2 raters; {len(key.rows)} rows are empty; no answer by anna: " in read(run, unfinished=True)
    table = read_table(run / "labels.parquet", HUMAN_LABELS).set_index("rater")["label"]
    assert table["anna"].isna().all() and set(table["ben"]) == {"neutral"}
    (run / "anna (1).xlsx").write_bytes((run / "ben.xlsx").read_bytes())
    assert "no answer by anna; if it is anna (1).xlsx, save it as" in read(run, unfinished=True)


@pytest.mark.parametrize("there", [True, False])
def test_a_filled_sheet_under_another_name_is_named(run, there):
    key = drawn(run)
    for name in ("anna (1).xlsx", "ben.ods", ".~lock.anna.xlsx#"):
        (run / name).write_bytes((run / "anna.xlsx").read_bytes())
    if not there:
        (run / "anna.xlsx").unlink()
        (run / "anna.csv").unlink()
    fill(run / "ben.csv", dict.fromkeys(key.rows, "neutral"))
    with pytest.raises(UserError) as refused:
        read(run, unfinished=False)
    assert "if it is anna (1).xlsx, ben.ods, save it as anna.xlsx or anna.csv" in refused.value.remedy


def test_a_damaged_key_is_not_promised_by_a_run(run):
    drawn(run)
    key = run / "key.json"
    key.write_bytes(key.read_bytes().replace(b"\n", b"\r\n"))
    with pytest.raises(UserError, match=r"key\.json is damaged") as refused:
        read(run, unfinished=False)
    assert "samizdat label draw" in refused.value.remedy and "make report" not in refused.value.remedy
