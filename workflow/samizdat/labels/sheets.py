"""The sheets that raters fill in: written as .csv and .xlsx, and read whatever program saved them."""

import csv
import datetime
import hashlib
import io
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from samizdat.base.errors import UserError
from samizdat.base.files import replacing
from samizdat.corpus.decoding import AUTO
from samizdat.corpus.readers import Manner, read_file
from samizdat.corpus.rows import Columns, Findings
from samizdat.records.labels import LabelKey

SUFFIXES = (".xlsx", ".csv", ".tsv")
HEADINGS = ("row", "text", "label")
LONGEST_CHARACTERS = 32_000  # a cell of Excel has at most 32,767
NAMED_PROBLEMS = 10
# Characters that a cell of a spreadsheet can't hold.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
# A spreadsheet program computes a cell of a .csv file that begins so.
_FORMULA = ("=", "+", "-", "@")
_COLUMNS = Columns("text", document="row", group=None, labels=("label",), raters={})
_MANNER = Manner("file", "file", None, encoding=AUTO, delimiter=AUTO, quoting=AUTO)
_SAVE = "save the sheet as .xlsx or as “CSV UTF-8”, and change no cell but those of the column label"

SheetRow = tuple[str, str]  # its name, and the text


def shown(text: str) -> str:
    """Return a text as a cell can hold it: characters of control replaced, a very long text cut."""
    text = _CONTROLS.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    return text if len(text) <= LONGEST_CHARACTERS else f"{text[:LONGEST_CHARACTERS]} […]"


def fingerprint(cell: str) -> str:
    """Hash what people see of a text; spaces, line ends and the mark against formulas don't count."""
    words = " ".join(unicodedata.normalize("NFC", cell).split())
    if words.startswith("'") and words[1:].startswith(_FORMULA):
        words = words[1:]
    return hashlib.sha256(words.encode()).hexdigest()


def write_csv(rows: Sequence[SheetRow], path: Path) -> None:
    """Write a sheet as UTF-8 with a byte order mark, by which Excel knows the encoding.

    A text that a spreadsheet program would compute has an apostrophe before it.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    for name, cell in rows:
        writer.writerow([name, f"'{cell}" if cell.lstrip().startswith(_FORMULA) else cell, ""])
    with replacing(path, checksum=False) as temporary:
        temporary.write_bytes(text.getvalue().encode("utf-8-sig"))


def write_xlsx(rows: Sequence[SheetRow], key: LabelKey, path: Path) -> None:
    """Write a sheet for Excel and LibreOffice, with a list of the allowed labels in each cell to fill in."""
    import xlsxwriter  # only here, so that nothing else waits for it

    with replacing(path, checksum=False) as temporary:
        book = xlsxwriter.Workbook(str(temporary))
        book.set_properties({"created": datetime.datetime(2000, 1, 1)})  # same rows, same bytes
        head = book.add_format({"bold": True, "bottom": 1})
        cells = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
        sheet, allowed = book.add_worksheet("Texts"), book.add_worksheet("Labels")
        for column, (heading, width) in enumerate(zip(HEADINGS, (8, 90, 24), strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, heading, head)
        sheet.freeze_panes(1, 0)
        for number, (name, cell) in enumerate(rows, start=1):
            sheet.write_string(number, 0, name, cells)
            sheet.write_string(number, 1, cell, cells)
            sheet.write_blank(number, 2, None, cells)
        sheet.data_validation(
            1, 2, len(rows), 2,
            {"validate": "list", "source": f"=Labels!$A$2:$A${len(key.labels) + 1}",
             "error_title": "No such label", "error_message": "Choose a label of the list."},
        )  # fmt: skip
        allowed.set_column(0, 0, 40)
        for number, word in enumerate(["allowed labels", *key.labels, "", key.words]):
            allowed.write_string(number, 0, word, head if number == 0 else None)
        book.close()


def read_sheet(path: Path, key: LabelKey) -> dict[str, str | None]:
    """Read the label of each row of a sheet; None where the cell is empty.

    Raises:
        UserError: the file can't be read, a row is missing, unknown or there twice, a text was changed or a label is
            not allowed; names the rows.
    """
    findings = Findings()
    try:
        read = list(read_file(path, _MANNER, _COLUMNS, findings))
    except UserError as error:
        what = error.what
        for setting, column in _COLUMNS.by_key():
            what = what.replace(f" {column!r} (corpus.{setting})", f" {column!r}")
        raise UserError(what, remedy=f"{_SAVE}; its first row is: {', '.join(HEADINGS)}") from None
    for _, column in findings.lacking:
        raise UserError(f"{path} has no column {column!r}", remedy=f"its first row must be: {', '.join(HEADINGS)}")
    allowed = {_plain(label): label for label in key.labels}
    found: dict[str, str | None] = {}
    problems = []
    for row in read:
        name = row.document
        label = row.labels["label"]
        if name is None or name not in key.rows:
            problems.append(f"{row.where}: the row {name!r} was not drawn")
        elif name in found:
            problems.append(f"{row.where}: the row {name} is there twice")
        elif fingerprint(str(row.text or "")) != key.rows[name]["shown_sha256"]:
            problems.append(f"{row.where}: the text of row {name} was changed; it begins with {str(row.text)[:40]!r}")
        elif label is not None and _plain(label) not in allowed:
            problems.append(f"{row.where}: {label!r} is no label; allowed are {', '.join(key.labels)}")
        if name is not None:
            found[name] = None if label is None else allowed.get(_plain(label))
    problems += [f"{path.name}: the row {name} is missing" for name in key.rows if name not in found]
    if problems:
        more = len(problems) - NAMED_PROBLEMS
        lines = [*problems[:NAMED_PROBLEMS], *([f"and {more:,} more"] if more > 0 else [])]
        raise UserError(f"{path} can't be used:\n" + "\n".join(f"  - {line}" for line in lines), remedy=_SAVE)
    return found


def _plain(label: str) -> str:
    """Write a label so that other capitals and spaces are the same one."""
    return " ".join(unicodedata.normalize("NFC", label).casefold().split())
