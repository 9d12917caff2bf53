"""Sheets of raters: draw them from a made-up run, read their cells, fill them in."""

import csv
import io

from python_calamine import CalamineWorkbook

from samizdat.labels.draw import draw
from samizdat.records.io import read_document
from samizdat.records.labels import LabelKey

HOSTILE = [
    "=cmd|' /C calc'!A0 and more",
    "+1 for this film",
    "@SUM(1+1)*cmd",
    "-2 of 10",
    "  - he said, after a blank",
    "a\x07bell\x00 rings",
    "x\ny\r\nz",
]
SHEETS = "data/labels/mine/sentiment"


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
