"""Spreadsheets: sheets, numbers, dates, cells beside the table, damage."""

import datetime

import pytest

from support.spreadsheets import Raw, workbook

HEAD = ["text", "mood"]


def test_the_sheets_with_the_column_of_texts_are_read_and_the_others_told(corpus, capsys):
    sheets = {
        "Notes": [["how I did it"]],
        "A": [HEAD, ["one", "good"], [None, None], ["two", None]],
        "B": [HEAD, ["three", "x"]],
    }
    table, summary = corpus({"t.xlsx": workbook(sheets)}, label_columns=("mood",))  # fmt: skip
    assert table["text"].tolist() == ["one", "two", "three"]
    assert table["label_mood"].fillna("none").tolist() == ["good", "none", "x"]
    assert summary.found == {"the sheets 'A', 'B'; not 'Notes'": "data/t.xlsx"} and summary.read == 3
    assert "not 'Notes'" in capsys.readouterr().err


def test_a_column_that_no_sheet_has_is_refused_and_one_that_some_have_is_told_by_sheet(corpus, refusal):
    sheets = {"A": [HEAD, ["one", "good"], ["two", "x"]], "B": [["text"], ["three"]]}
    assert "has no column 'book'" in refusal({"t.xlsx": workbook(sheets)}, document_column="book")
    table, summary = corpus({"t.xlsx": workbook(sheets)}, label_columns=("mood",))
    assert table["label_mood"].fillna("none").tolist() == ["good", "x", "none"]
    told = "no column 'mood' (corpus.label_columns), so its texts have none"
    assert summary.found[told] == "data/t.xlsx, sheet 'B'"


def test_cells_look_as_the_program_shows_them(corpus):
    values = [1, 1.0, 2.5, True, datetime.date(2024, 5, 1), "01", " x ", 0.1]
    rows = [HEAD, *([f"text {number}", value] for number, value in enumerate(values))]
    labels = corpus({"t.xlsx": workbook({"A": rows})}, label_columns=("mood",))[0]["label_mood"].tolist()
    assert labels == ["1", "1", "2.5", "true", "2024-05-01", "01", "x", "0.1"]


def test_headings_may_begin_further_right_or_down_and_lines_are_kept(corpus):
    rows = [[], [None], [None, "text"], [None, "one\ntwo <&>"], [None, " three"], [None, "four"]]
    assert corpus({"t.xlsx": workbook({"A": rows})})[0]["text"].tolist() == ["one\ntwo <&>", "three", "four"]


def test_a_cell_that_is_merged_with_those_below_is_in_each_of_them(corpus):
    rows = [HEAD, [None, "of Ann"], ["one", "good"], ["two", None], ["three", None], ["four", "bad"]]
    table, summary = corpus({"t.xlsx": workbook({"A": rows}, ("A1:A2", "B3:B5", "F3:F5"))}, label_columns=("mood",))
    assert table["text"].tolist() == ["one", "two", "three", "four"] and summary.dropped == {"empty cell": 1}
    assert table["label_mood"].tolist() == ["good", "good", "good", "bad"]


def test_cells_that_have_no_result_are_told_and_blanks_beside_the_table_are_nothing(corpus):
    told = "cells with an error, such as #NAME?, or with a formula that wasn't computed, are empty"
    cells = {"t='e'><v>#N/A</v>": True, "><f>1+1</f>": True, "><f ref='A1'/>": True, "><f>1+1</f><v>2</v>": False}
    cells |= {"><f>1+1</f><v />": True, "><f>1+1</f><v></v>": True, "t='str'><f>T(1)</f><v></v>": False}
    for cell, lacks in cells.items():
        rows = [HEAD, ["one", Raw(cell.replace("'", '"'))], ["two", "good", " "], ["three", "bad"]]
        assert (told in corpus({"t.xlsx": workbook({"A": rows})}, label_columns=("mood",))[1].found) == lacks


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (workbook({"A": [["words"], ["one"]]}), ["has no column 'text' (corpus.text_column); it has: 'words'"]),
        (
            workbook({"A": [["My survey"], ["text"], ["one"]]}),
            ["it has: 'My survey'", "the first row must hold the names"],
        ),
        (workbook({"A": []}), ["it has: none"]),
        (workbook({"A": [["text", "text"], ["one", "two"]]}), ["sheet 'A' has 2 columns 'text'"]),
        (workbook({"A": [["text"], ["one", "beside"]]}), ["sheet 'A', row 2 has the cell 'beside'", "give the column"]),
        (workbook({"A": [[], ["text"], [], ["one", "beside"]]}), ["sheet 'A', row 4 has the cell 'beside'"]),
        (workbook({"A": [["text"], ["one"]]})[:-30], ["can't be read as an .xlsx file"]),
        (b"text\none\n", ["can't be read as an .xlsx file"]),
        (b"", ["can't be read as an .xlsx file"]),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), ["can't be read as an .xlsx file", "without a password"]),
    ],
)
def test_what_is_no_sheet_of_texts_is_refused(refusal, content, said):
    message = refusal({"t.xlsx": content})
    for part in said:
        assert part in message
