"""Texts of .csv and .tsv files, whatever they are separated by and however they quote."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from samizdat.base.corpus_files import kind_of
from samizdat.base.errors import UserError
from samizdat.base.language import message
from samizdat.corpus.decoding import AUTO
from samizdat.corpus.rows import FIRST_ROW, Columns, Findings, RawText, lacks

DELIMITERS = (",", ";", "\t", "|")
SHOWN_CHARACTERS = 60
OTHER_DELIMITER = "; where something else is between the cells, set corpus.delimiter"
Row = tuple[int, list[str]]  # the line on which it begins, and its cells


@dataclass(frozen=True)
class Reading:
    """The rows of a file as one way of quoting gives them, down to the first row that doesn't fit."""

    rows: list[Row]
    problem: str | None  # None: every row has as many cells as there are headings


def read_delimited(
    text: str, path: Path, columns: Columns, delimiter: str, quoting: str, findings: Findings
) -> Iterator[RawText]:
    """Read the rows of a table.

    Args:
        text: the file's content.
        path: the file; its suffix says what separates its cells, where content doesn't.
        columns: which columns hold what.
        delimiter: what separates the cells; `auto`: what a line `sep=` says, or that of `DELIMITERS` which separates
            the headings that are wanted.
        quoting: `quotes` (a cell in quotation marks may have delimiters and line ends), `none` (quotation marks are
            letters) or `auto`: that which gives each row as many cells as there are headings; where both do, `none` for
            cells that only look quoted.
        findings: where to note what was found out.

    Raises:
        UserError: a row has more or fewer cells than there are headings, a quotation mark isn't closed, or a column
            is missing or there twice.
    """
    if len(text) > 4 and text[:4].lower() == "sep=" and text[5:6] in ("\n", ""):
        said, text = text[4], text[5:]  # what is left of the line is blank, and keeps the numbers of the others
        if delimiter == AUTO:
            delimiter = said
            found = message("separated by {delimiter}, as its first line says")
            findings.note(path, found.format(delimiter=repr(said)))
    usual = "\t" if kind_of(path) == ".tsv" else ","
    if delimiter == AUTO:
        delimiter = _delimiter(text, columns, usual)
        if delimiter != usual:
            findings.note(path, message("separated by {delimiter}").format(delimiter=repr(delimiter)))
    headings = _headings(text, delimiter, quoted=quoting != "none")
    where = f"{path} (separated by {delimiter!r})"
    columns.check_twice(headings, where)
    if columns.text not in headings:
        raise lacks(where, "text_column", columns.text, headings, more=FIRST_ROW + OTHER_DELIMITER)
    columns.check_file(path, headings, headings, findings, where)
    rows = _rows(text, delimiter, quoting, len(headings), path, findings)
    for line, cells in rows:
        yield columns.read(dict(zip(headings, cells, strict=True)), f"{path.name}:{line}")


def _delimiter(text: str, columns: Columns, usual: str) -> str:
    """Choose the delimiter that gives most of the wanted headings; of equals the usual one, then the most headings."""
    wanted = {column for _, column in columns.by_key()}

    def fit(delimiter: str) -> tuple[int, bool, int]:
        found = _headings(text, delimiter, quoted=True)
        hits = len(wanted & set(found))
        return (hits, delimiter == usual and hits > 0, len(found))

    return max((usual, *DELIMITERS), key=fit)


def _headings(text: str, delimiter: str, *, quoted: bool) -> list[str]:
    """Read the first row that isn't blank; one whose quotation marks aren't closed as it is written."""
    try:
        return next(_split(text, delimiter, quoted=quoted), (1, []))[1]
    except csv.Error:
        return next(_split(text, delimiter, quoted=False), (1, []))[1]


def _rows(text: str, delimiter: str, quoting: str, width: int, path: Path, findings: Findings) -> list[Row]:
    """Read the rows behind the headings in the way of quoting that is set, or that fits.

    Raises:
        UserError: no way fits, or it can't be told which one is meant.
    """
    quoted = _reading(text, delimiter, width, quoted=True)
    if quoting == "quotes" or (quoting == AUTO and '"' not in text):
        return _fitting(quoted, path, delimiter)
    raw = _reading(text, delimiter, width, quoted=False)
    if quoting == "none":
        return _fitting(raw, path, delimiter)
    if raw.problem and quoted.problem:
        return _fitting(raw if delimiter == "\t" else quoted, path, delimiter)
    if quoted.problem and delimiter != "\t" and (width == 1 or any(map(_is_enclosed, _cells(raw.rows)))):
        return _fitting(quoted, path, delimiter)  # Some quotation marks enclose cells, so another one is missing.
    if not raw.problem and (quoted.problem or _are_letters(quoted.rows, raw.rows, text, delimiter, width, path)):
        findings.note(path, message("quotation marks are letters: they don't enclose cells"))
        return raw.rows
    merged = _merged(quoted.rows, text, delimiter, width)
    if merged is not None:
        line, rows = merged
        raise UserError(
            f"{path}: the cell that begins on line {line} with a quotation mark ends {rows} lines further down, and "
            "the lines between look like rows of their own",
            remedy="close the quotation mark, or delete it; if quotation marks are letters in this file, set "
            "corpus.quoting: none",
        )
    return quoted.rows


def _fitting(reading: Reading, path: Path, delimiter: str) -> list[Row]:
    if reading.problem is None:
        return reading.rows
    raise UserError(
        f"{path}: {reading.problem}",
        remedy=f"correct the row: a cell that has {delimiter!r} in it belongs in quotation marks; or save the table "
        "again from the program that it came from; or set corpus.delimiter or corpus.quoting to what the file uses",
    )


def _reading(text: str, delimiter: str, width: int, *, quoted: bool) -> Reading:
    """Read the rows behind the headings; blank lines are none."""
    rows: list[Row] = []
    try:
        for line, cells in _split(text, delimiter, quoted=quoted):
            if len(cells) != width:
                start = delimiter.join(cells)
                shown = start if len(start) <= SHOWN_CHARACTERS else f"{start[:SHOWN_CHARACTERS]}…"
                cells_in_words = f"{len(cells)} cell{'s' if len(cells) != 1 else ''}"
                headings = f"{width} heading{'s' if width != 1 else ''}"
                problem = f"line {line} has {cells_in_words}, but there {'are' if width != 1 else 'is'} {headings}"
                return Reading(rows, f"{problem}: {shown}")
            rows.append((line, cells))
    except csv.Error as error:
        return Reading(rows, str(error))
    return Reading(rows[1:], None)


def _split(text: str, delimiter: str, *, quoted: bool) -> Iterator[Row]:
    """Give each row that isn't blank with the line on which it begins, headings first."""
    if not quoted:
        yield from ((number, line.split(delimiter)) for number, line in enumerate(text.split("\n"), 1) if line)
        return
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begun = 1
    try:
        for cells in reader:
            if cells:
                yield begun, cells
            begun = reader.line_num + 1
    except csv.Error as error:
        raise csv.Error(f"the row that begins on line {begun} can't be read as a table: {error}") from None


def _cells(rows: list[Row]) -> Iterator[str]:
    return (cell for _, cells in rows for cell in cells)


def _is_enclosed(cell: str) -> bool:
    return len(cell) > 1 and cell[0] == cell[-1] == '"'


def _are_letters(quoted: list[Row], raw: list[Row], text: str, delimiter: str, width: int, path: Path) -> bool:
    """Whether quotation marks are letters in a file whose rows fit in both ways of reading.

    Raises:
        UserError: that can't be told.
    """
    if len(quoted) != len(raw):
        if delimiter == "\t" and width == 1:
            raise UserError(
                f"{path}: it can't be told whether its quotation marks are letters ({len(raw)} texts) or enclose cells "
                f"of several lines ({len(quoted)} texts)",
                remedy="set corpus.quoting to none (letters) or to quotes",
            )
        return delimiter == "\t" or (width > 1 and _merged(quoted, text, delimiter, width) is not None)
    if delimiter != "\t" or quoted == raw:
        return False
    with_marks = [cell for cell in _cells(raw) if '"' in cell]
    if not all(map(_is_enclosed, with_marks)):
        return True
    # Who quotes only what has to be quoted doubles quotation marks; who quotes everything quotes whole columns.
    columns = zip(*(cells for _, cells in raw), strict=True)
    return not all('""' in cell[1:-1] for cell in with_marks) and not any(
        all(map(_is_enclosed, one)) for one in columns
    )


def _merged(rows: list[Row], text: str, delimiter: str, width: int) -> tuple[int, int] | None:
    """Find a cell of several lines each of which looks like a row: as many cells, and in one column a usual value.

    Returns:
        the line on which the row begins and the number of lines to its end; None: there is no such cell.
    """
    if width < 2:
        return None
    lines = [cells for line in text.split("\n") if len(cells := line.split(delimiter)) == width]
    usual = [{cell for cell, times in Counter(column).items() if times > 1} for column in zip(*lines, strict=True)]
    for line, cells in rows:
        for cell in cells:
            # The first and the last line are parts of rows whose other cells are next to this one.
            inner = [one.split(delimiter) for one in cell.split("\n")[1:-1]]
            if inner and all(len(one) == width for one in inner):
                columns = zip(*inner, strict=True)
                if any(set(column) <= values for column, values in zip(columns, usual, strict=True)):
                    return line, cell.count("\n")
    return None
