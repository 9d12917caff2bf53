"""Texts of .csv and .tsv files, whatever they are separated by and however they quote."""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, islice
from pathlib import Path

from samizdat.base.corpus_files import kind_of
from samizdat.base.errors import UserError
from samizdat.base.language import message
from samizdat.corpus.decoding import AUTO
from samizdat.corpus.delimited_rows import Table
from samizdat.corpus.rows import FIRST_ROW, Columns, Findings, RawText, lacks
from samizdat.corpus.text_files import Lines

DELIMITERS = (",", ";", "\t", "|")
OTHER_DELIMITER = "; where something else is between the cells, set corpus.delimiter"


def read_delimited(
    lines: Lines, path: Path, columns: Columns, delimiter: str, quoting: str, findings: Findings
) -> Iterator[RawText]:
    """Read the rows of a table.

    Args:
        lines: the file's content.
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
    first = next(lines(), "")
    if len(first) == len("sep=,") and first[:4].lower() == "sep=" and first[4] != '"':
        lines = partial(_first_is_blank, lines)
        if delimiter == AUTO:
            delimiter = first[4]
            found = message("separated by {delimiter}, as its first line says")
            findings.note(path, found.format(delimiter=repr(delimiter)))
    usual = "\t" if kind_of(path) == ".tsv" else ","
    if delimiter == AUTO:
        delimiter = _delimiter(lines, path, columns, usual)
        if delimiter != usual:
            findings.note(path, message("separated by {delimiter}").format(delimiter=repr(delimiter)))
    table = Table(lines, path, delimiter)
    headings = table.headings(quoted=quoting != "none")
    where = f"{path} (separated by {delimiter!r})"
    columns.check_twice(headings, where)
    if columns.text not in headings:
        raise lacks(where, "text_column", columns.text, headings, more=FIRST_ROW + OTHER_DELIMITER)
    columns.check_file(path, headings, headings, findings, where)
    quoted = _is_quoted(table, quoting, len(headings))
    if not quoted and quoting == AUTO:
        findings.note(path, message("quotation marks are letters: they don't enclose cells"))
    repeated = False
    for line, cells in table.fitting(len(headings), quoted=quoted):
        if cells == headings and len(cells) > 1:
            repeated = True
        else:
            yield columns.read(dict(zip(headings, cells, strict=True)), f"{path.name}:{line}")
    if repeated:
        findings.note(path, message("rows that repeat the headings, as in joined files, are left out"))


def _first_is_blank(lines: Lines) -> Iterator[str]:
    """Give the lines with a blank first one, so that the others keep their numbers."""
    return chain([""], islice(lines(), 1, None))


def _delimiter(lines: Lines, path: Path, columns: Columns, usual: str) -> str:
    """Choose the delimiter that gives most of the wanted headings; of equals the usual one, then the most headings."""
    wanted = {column for _, column in columns.by_key()}

    def fit(delimiter: str) -> tuple[int, bool, int]:
        found = Table(lines, path, delimiter).headings(quoted=True)
        hits = len(wanted & set(found))
        return (hits, delimiter == usual and hits > 0, len(found))

    return max((usual, *DELIMITERS), key=fit)


def _is_quoted(table: Table, quoting: str, width: int) -> bool:
    """Whether quotation marks enclose cells: what is set, or what fits.

    Raises:
        UserError: it can't be told, or a quotation mark is probably missing.
    """
    if quoting != AUTO:
        return quoting == "quotes"
    if not any('"' in line for line in table.lines()):
        return True
    quoted, raw = table.count(width, quoted=True), table.count(width, quoted=False)
    if raw is None and quoted is None:
        return table.delimiter != "\t"  # and the row that doesn't fit in this way is told
    if quoted is None and table.delimiter != "\t":
        # Where some quotation marks enclose cells, another one is missing.
        return width == 1 or any(map(_is_enclosed, table.cells(width, quoted=False)))
    if raw is not None and (quoted is None or _are_letters(table, quoted, raw, width)):
        return False
    merged = _merged(table, width)
    if merged is not None:
        line, rows = merged
        raise UserError(
            f"{table.path}: the cell that begins on line {line} with a quotation mark ends {rows} lines further down, "
            "and the lines between look like rows of their own",
            remedy="close the quotation mark, or delete it; if the cell is as it should be, set corpus.quoting: "
            "quotes; if quotation marks are letters in this file, set corpus.quoting: none",
        )
    return True


def _is_enclosed(cell: str) -> bool:
    return len(cell) > 1 and cell[0] == cell[-1] == '"'


def _are_letters(table: Table, quoted: int, raw: int, width: int) -> bool:
    """Whether quotation marks are letters in a file whose rows fit in both ways of reading, which give so many rows.

    Raises:
        UserError: that can't be told.
    """
    if quoted != raw:
        if table.delimiter == "\t" and width == 1:
            raise UserError(
                f"{table.path}: it can't be told whether its quotation marks are letters ({raw} texts) or enclose "
                f"cells of several lines ({quoted} texts)",
                remedy="set corpus.quoting to none (letters) or to quotes",
            )
        return table.delimiter == "\t" or (width > 1 and _merged(table, width) is not None)
    both = zip(table.rows(width, quoted=True), table.rows(width, quoted=False), strict=True)
    if table.delimiter != "\t" or all(one == other for one, other in both):
        return False
    # Who quotes only what has to be quoted doubles quotation marks; who quotes everything quotes whole columns.
    doubled, whole = True, [True] * width
    for _, cells in table.rows(width, quoted=False):
        for column, cell in enumerate(cells):
            enclosed = _is_enclosed(cell)
            if '"' in cell and not enclosed:
                return True
            doubled = doubled and ('"' not in cell or '""' in cell[1:-1])
            whole[column] = whole[column] and enclosed
    return not doubled and not any(whole)


def _merged(table: Table, width: int) -> tuple[int, int] | None:
    """Find a cell of several lines each of which looks like a row: as many cells, and in one column a usual value.

    Several lines have a usual value there; and so has a row in quotation marks, if there are more rows than such lines:
    else it is a word before a comma.

    Returns:
        the line on which the row begins and the number of lines to its end; None: there is no such cell.
    """
    if width < 2:
        return None
    found: list[tuple[int, int, list[set[str]]]] = []
    number = 0
    for line, cells in table.rows(width, quoted=True):
        number += 1
        for cell in (cell for cell in cells if "\n" in cell):
            # The first and the last line are parts of rows whose other cells are next to this one.
            inner = [one.split(table.delimiter) for one in cell.split("\n")[1:-1]]
            if inner and all(len(one) == width for one in inner):
                found.append((line, cell.count("\n"), [set(column) for column in zip(*inner, strict=True)]))
    if not found:
        return None
    values = [set().union(*columns) for columns in zip(*(columns for _, _, columns in found), strict=True)]
    rows = _times((cells for _, cells in table.rows(width, quoted=True)), values)
    written = (line.split(table.delimiter) for line in table.lines())
    lines = _times((cells for cells in written if len(cells) == width), values)
    for line, ends, columns in found:
        few = ends > number
        for column, in_rows, in_lines in zip(columns, rows, lines, strict=True):
            if all(in_lines[value] > 1 and (few or in_rows[value]) for value in column):
                return line, ends
    return None


def _times(rows: Iterable[list[str]], values: list[set[str]]) -> list[Counter[str]]:
    """Count in each column how often it has those values."""
    times: list[Counter[str]] = [Counter() for _ in values]
    for cells in rows:
        for cell, wanted, counted in zip(cells, values, times, strict=True):
            if cell in wanted:
                counted[cell] += 1
    return times
