"""Texts of .xlsx files: of each sheet that has the column of texts."""

import io
import itertools
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from samizdat.base.errors import UserError
from samizdat.base.language import message
from samizdat.corpus.decoding import read_bytes
from samizdat.corpus.rows import FIRST_ROW, Columns, Findings, Number, RawText, lacks

# Some programs write an empty result in the place of none; where a cell is of text (str), an empty text is the result.
_NO_RESULT = re.compile(
    rb'<c [^>]*\bt="e"|(?:</f>|<f\b[^>]*/>)\s*</c>'
    rb'|<c (?![^>]*\bt="str")[^>]*>\s*<f\b[^<]*(?:</f>)?\s*<v\s*(?:/>|>\s*</v>)\s*</c>'
)
_LONGEST_CELL = 10_000  # bytes; a formula has at most 8,192 characters


def read_spreadsheet(path: Path, columns: Columns, findings: Findings) -> Iterator[RawText]:
    """Read the rows of each sheet whose first row that isn't blank has the heading of texts; other sheets are noted.

    Raises:
        UserError: the file is damaged, no sheet has that heading, two used columns have one heading, or a cell is
            outside of the headings.
    """
    data = io.BytesIO(read_bytes(path))
    try:
        book = CalamineWorkbook.from_filelike(data)
        lacking = _lacks_results(data)
        sheets = {name: _cells(book.get_sheet_by_name(name)) for name in book.sheet_names}
    # The reader is in Rust; where it meets a file that it does not expect, it may panic.
    except (CalamineError, OSError, ValueError, BaseException) as error:
        if isinstance(error, KeyboardInterrupt | MemoryError | SystemExit):
            raise
        raise UserError(
            f"{path} can't be read as an .xlsx file: {error}",
            remedy="open it in the program that it came from, save it again without a password, or save it as CSV",
        ) from None
    if lacking:
        found = message("cells with an error, such as #NAME?, or with a formula that wasn't computed, are empty")
        findings.note(path, found)
    first = {name: _first_row(rows) for name, rows in sheets.items()}
    headings = {
        name: [_written(cell) or "" for cell in (rows[first[name] :] or [[]])[0]] for name, rows in sheets.items()
    }
    read = [name for name, found in headings.items() if columns.text in found]
    if not read:
        existing = dict.fromkeys(itertools.chain(*headings.values()))
        raise lacks(str(path), "text_column", columns.text, existing, more=FIRST_ROW)
    if len(sheets) > 1:
        others = [name for name in sheets if name not in read]
        said = message("the sheets {read}; not {others}") if others else message("the sheets {read}")
        findings.note(path, said.format(read=", ".join(map(repr, read)), others=", ".join(map(repr, others))))
    for name in read:
        sheet = f"{path}, sheet {name!r}"
        columns.check_twice(headings[name], sheet)
        columns.check_file(sheet if len(read) > 1 else path, headings[name], headings[name], findings)
        below = enumerate(sheets[name][first[name] + 1 :], start=first[name] + 2)
        yield from _rows(below, headings[name], f"{path.name}, sheet {name!r}, row", columns)


def _cells(sheet: CalamineSheet) -> list[list[Any]]:
    """Read the rows of a sheet; what is in a cell that is merged with those below is in each of them, as it looks."""
    rows = sheet.to_python(skip_empty_area=False)
    headings = _first_row(rows)
    for (top, column), (bottom, _) in sheet.merged_cell_ranges or ():
        for row in rows[top + 1 : bottom + 1] if top > headings else ():
            if column < len(row):
                row[column] = rows[top][column]
    return rows


def _lacks_results(file: io.BytesIO) -> bool:
    """Whether cells show an error, or have a formula without its result, as programs write it that don't compute."""
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                with archive.open(name) as sheet:
                    before = b""
                    while piece := sheet.read(2**20):
                        if _NO_RESULT.search(before + piece):
                            return True
                        before = piece[-_LONGEST_CELL:]
    return False


def _first_row(rows: list[list[Any]]) -> int:
    """Return the place of the first row that isn't blank."""
    return next((place for place, row in enumerate(rows) if any(_written(cell) for cell in row)), 0)


def _rows(
    rows: Iterable[tuple[int, list[Any]]], headings: list[str], where: str, columns: Columns
) -> Iterator[RawText]:
    for number, row in rows:
        cells = [_written(cell) for cell in row]
        outside = [
            cell for heading, cell in zip(headings, cells, strict=False) if cell and cell.strip() and not heading
        ]
        if outside:
            raise UserError(
                f"{where} {number} has the cell {outside[0]!r} in a column without a heading",
                remedy="give the column a heading, or delete the cell",
            )
        if any(cell is not None for cell in cells):
            yield columns.read(dict(zip(headings, cells, strict=False)), f"{where} {number}")


def _written(cell: Any) -> str | None:
    """Write a cell as the program shows it without a format of its own; None where it is empty."""
    if isinstance(cell, str):
        return cell or None
    if isinstance(cell, bool):
        return Number(str(cell).lower())
    if isinstance(cell, float) and cell.is_integer():
        return Number(int(cell))
    return None if cell is None else Number(cell)
