"""The sheets that raters fill in: written as .csv and .xlsx, and read whatever program saved them."""

import csv
import datetime
import hashlib
import io
import math
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from samizdat.base.errors import UserError
from samizdat.base.files import replacing
from samizdat.corpus.decoding import AUTO
from samizdat.corpus.readers import Manner, read_file
from samizdat.corpus.rows import Columns, Findings
from samizdat.records.classifiers import MULTI_LABEL, NUMBER
from samizdat.records.labels import LabelKey

SUFFIXES = (".xlsx", ".csv", ".tsv")
KEY = "key.json"  # beside the sheets: which row is what
HEADINGS = ("row", "text")
LABEL, NONE_FITS, YES, NO = "label", "none of these", "yes", "no"
LONGEST_CHARACTERS = 32_000  # a cell of Excel has at most 32,767, and an emoji counts as two
NAMED_PROBLEMS = 10
# Characters that a cell of a spreadsheet can't hold.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
# Of a .csv file, a spreadsheet program computes a cell that begins so, takes a few words with a digit for a number, a
# time or a date, and writes these words in capitals.
_FORMULA = ("=", "+", "-", "@")
_WORDS_OF_A_DATE = 4
_TRUTH = ("true", "false", "wahr", "falsch", "pravda", "nepravda")
# Such programs quote in .csv files, also cells that need none; in .tsv files some do and some don't.
_MANNER = Manner("file", "file", None, encoding=AUTO, delimiter=AUTO, quoting={"*.csv": "quotes"})
# A number with a decimal point or a decimal comma, as spreadsheet programs write it.
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?", re.ASCII)

SheetRow = tuple[str, str]  # its name, and the text
Answer = str | tuple[str, ...] | float | None  # a label, several labels, a number; None: the cells are empty


def headings_of(key: LabelKey) -> tuple[str, ...]:
    """Name the columns that raters fill in: one for a label, or for a number; for several labels one for each."""
    if key.kind == MULTI_LABEL:
        return (*(f"{LABEL}: {one}" for one in key.labels), NONE_FITS)
    return (f"number ({key.range[0]:g} to {key.range[1]:g})",) if key.kind == NUMBER else (LABEL,)


def in_words(answer: Answer) -> str:
    """Write what a rater said, for a message."""
    if answer is None:
        return "nothing"
    return (" and ".join(answer) or NONE_FITS) if isinstance(answer, tuple) else str(answer)


def shown(text: str) -> str:
    """Return a text as a cell can hold it: characters of control replaced, a very long text cut."""
    text = _CONTROLS.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    return f"{_units(text)[: 2 * LONGEST_CHARACTERS].decode('utf-16-le', 'ignore')} […]" if is_cut(text) else text


def is_cut(text: str) -> bool:
    """Whether a text is longer than a cell may be."""
    return len(_units(text)) > 2 * LONGEST_CHARACTERS


def _units(text: str) -> bytes:
    return text.encode("utf-16-le")


def fingerprint(cell: str) -> str:
    """Hash what people see of a text; spaces, line ends and the mark of `_marked` don't count."""
    words = " ".join(unicodedata.normalize("NFC", cell).split())
    if words.startswith("'") and _is_changed(words[1:]):
        words = words[1:].lstrip()
    return hashlib.sha256(words.encode()).hexdigest()


def _is_changed(cell: str) -> bool:
    """Whether a spreadsheet program that opens a .csv file may make something else of a cell."""
    words = cell.split()
    like_a_date = len(words) <= _WORDS_OF_A_DATE and any(letter.isdigit() for letter in cell)
    return cell.lstrip().startswith(_FORMULA) or like_a_date or cell.strip().casefold() in _TRUTH


def _marked(cell: str) -> str:
    """Put an apostrophe before a cell that would be changed and has none."""
    return f"'{cell}" if _is_changed(cell) and not cell.lstrip().startswith("'") else cell


def write_csv(rows: Sequence[SheetRow], key: LabelKey, path: Path) -> None:
    """Write a sheet as UTF-8 with a byte order mark, by which Excel knows the encoding.

    A text that a spreadsheet program would take for a formula, a number or a date has an apostrophe before it.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    answers = headings_of(key)
    writer.writerow([*HEADINGS, *answers])
    for name, cell in rows:
        writer.writerow([name, _marked(cell), *("" for _ in answers)])
    with replacing(path, checksum=False) as temporary:
        temporary.write_bytes(text.getvalue().encode("utf-8-sig"))


def write_xlsx(rows: Sequence[SheetRow], key: LabelKey, path: Path) -> None:
    """Write a sheet for Excel and LibreOffice, which let each cell to fill in have only what is allowed."""
    import xlsxwriter  # only here, so that nothing else waits for it

    with replacing(path, checksum=False) as temporary:
        book = xlsxwriter.Workbook(str(temporary))
        book.set_properties({"created": datetime.datetime(2000, 1, 1)})  # same rows, same bytes
        head = book.add_format({"bold": True, "bottom": 1})
        cells = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
        # What is written into a cell of text stays text, so numbers need another cell.
        answer = book.add_format({"valign": "top"}) if key.kind == NUMBER else cells
        sheet, allowed = book.add_worksheet("Texts"), book.add_worksheet("Labels")
        answers = headings_of(key)
        for column, heading in enumerate((*HEADINGS, *answers)):
            sheet.set_column(column, column, (8, 90)[column] if column < 2 else 24 if len(answers) == 1 else 14)
            sheet.write_string(0, column, heading, head)
        sheet.freeze_panes(1, 0)
        for number, (name, cell) in enumerate(rows, start=1):
            sheet.write_string(number, 0, name, cells)
            sheet.write_string(number, 1, cell, cells)
            for column in range(2, 2 + len(answers)):
                sheet.write_blank(number, column, None, answer)
        sheet.data_validation(1, 2, len(rows), 1 + len(answers), _validation(key))
        allowed.set_column(0, 0, 40)
        for number, word in enumerate(["allowed labels", *_allowed(key), "", key.words]):
            allowed.write_string(number, 0, word, head if number == 0 else None)
        book.close()


def _allowed(key: LabelKey) -> list[str]:
    if key.kind == NUMBER:
        return [f"each number from {key.range[0]:g} to {key.range[1]:g}"]
    return [YES, NO] if key.kind == MULTI_LABEL else key.labels


def _validation(key: LabelKey) -> dict[str, Any]:
    """Say what a spreadsheet program lets raters write into a cell."""
    if key.kind == NUMBER:
        low, high = key.range
        words = f"Write a number from {low:g} to {high:g}."
        return {"validate": "decimal", "criteria": "between", "minimum": low, "maximum": high,
                "error_title": "No such number", "error_message": words}  # fmt: skip
    return {"validate": "list", "source": f"=Labels!$A$2:$A${len(_allowed(key)) + 1}",
            "error_title": "No such label", "error_message": "Choose a label of the list."}  # fmt: skip


def read_sheet(path: Path, key: LabelKey) -> dict[str, Answer]:
    """Read the answer in each row of a sheet; None where all its cells are empty.

    Raises:
        UserError: the file can't be read, a row is missing, unknown or there twice, a text was changed or an answer is
            not allowed; names the rows.
    """
    findings = Findings()
    answers = headings_of(key)
    columns = Columns("text", document="row", group=None, labels=answers, raters={})
    first_row = ", ".join((*HEADINGS, *answers))
    save = f"save the sheet as .xlsx or as “CSV UTF-8”, and change no cell but those below {', '.join(answers)}"
    try:
        read = list(read_file(path, _MANNER, columns, findings))
    except UserError as error:
        what = error.what
        for setting, column in columns.by_key():
            what = what.replace(f" {column!r} (corpus.{setting})", f" {column!r}")
        raise UserError(what, remedy=f"{save}; its first row is: {first_row}") from None
    for _, column in findings.lacking:
        raise UserError(f"{path} has no column {column!r}", remedy=f"its first row must be: {first_row}")
    found: dict[str, Answer] = {}
    problems, wrong_answers = [], 0
    for row in read:
        name = row.document
        answer: Answer = None
        if name is None and not str(row.text or "").strip() and not any(row.labels.values()):
            continue  # a blank row, or one with a remark in a column of the rater's own
        if name is None or name not in key.rows:
            what = "the cell below 'row' is empty" if name is None else f"the row {name!r} was not drawn"
            problems.append(f"{row.where}: {what}")
        elif name in found:
            problems.append(f"{row.where}: the row {name} is there twice")
        elif fingerprint(str(row.text or "")) != key.rows[name]["shown_sha256"]:
            problems.append(f"{row.where}: the text of row {name} was changed; it begins with {str(row.text)[:40]!r}")
        else:
            try:
                answer = _answer([row.labels[one] for one in answers], key)
            except ValueError as error:
                problems.append(f"{row.where}: {error}")
                wrong_answers += 1
        if name is not None:
            found[name] = answer
    problems += [f"{path.name}: the row {name} is missing" for name in key.rows if name not in found]
    if problems:
        more = len(problems) - NAMED_PROBLEMS
        lines = [*problems[:NAMED_PROBLEMS], *([f"and {more:,} more"] if more > 0 else [])]
        remedy = "write an allowed answer into these cells" if wrong_answers == len(problems) else save
        raise UserError(f"{path} can't be used:\n" + "\n".join(f"  - {line}" for line in lines), remedy=remedy)
    return found


def _answer(cells: list[str | None], key: LabelKey) -> Answer:
    """Read the cells of one row.

    Raises:
        ValueError: they hold what is not allowed; says what.
    """
    if all(cell is None for cell in cells):
        return None
    if key.kind == MULTI_LABEL:
        return _several(cells, key)
    cell = cells[0] or ""
    if key.kind != NUMBER:
        # Labels may differ in their capitals alone; then only the exact one is clear.
        meant = [one for one in key.labels if one == cell] or [one for one in key.labels if plain(one) == plain(cell)]
        if len(meant) != 1:
            raise ValueError(f"{cell!r} is no label; allowed are {', '.join(key.labels)}")
        return meant[0]
    number = float(cell.replace(",", ".")) if _NUMBER.fullmatch(cell) else math.nan
    low, high = key.range
    if not low <= number <= high:
        raise ValueError(f"{cell!r} is no number from {low:g} to {high:g}")
    return number


def _several(cells: list[str | None], key: LabelKey) -> tuple[str, ...]:
    """Read yes and no of each label, and of `NONE_FITS`; beside a yes, an empty cell is a no."""
    said = [None if cell is None else plain(cell) for cell in cells]
    wrong = next((cell for cell, one in zip(cells, said, strict=True) if one not in (None, YES, NO)), None)
    if wrong is not None:
        raise ValueError(f"{wrong!r} is neither {YES} nor {NO}")
    *labels, none_fits = said
    given = tuple(label for label, one in zip(key.labels, labels, strict=True) if one == YES)
    if given and none_fits == YES:
        raise ValueError(f"{YES} is below {NONE_FITS!r} and below {' and '.join(given)}")
    if not given and none_fits != YES and not all(one == NO for one in labels):
        raise ValueError(f"{YES} is below no label, and not below {NONE_FITS!r}")
    return given


def plain(label: str) -> str:
    """Write a label so that other capitals and spaces are the same one."""
    return " ".join(unicodedata.normalize("NFC", label).casefold().split())
