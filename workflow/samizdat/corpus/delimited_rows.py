"""The rows of a delimited file in one way of quoting, down to the first that doesn't fit."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from samizdat.base.errors import UserError
from samizdat.corpus.text_files import Lines

SHOWN_CHARACTERS = 60
Row = tuple[int, list[str]]  # the line on which it begins, and its cells


class Unfit(Exception):
    """A row that has more or fewer cells than there are headings, or can't be read as one."""


@dataclass(frozen=True)
class Table:
    """A file of delimited cells. Nothing of it is kept, so that memory doesn't grow with it: each question reads it."""

    lines: Lines
    path: Path
    delimiter: str

    def all_rows(self, *, quoted: bool) -> Iterator[Row]:
        """Give each row that isn't blank with the line on which it begins, headings first.

        Raises:
            Unfit: what is between quotation marks doesn't end, or goes on behind them.
        """
        if not quoted:
            numbered = enumerate(self.lines(), 1)
            yield from ((number, line.split(self.delimiter)) for number, line in numbered if line)
            return
        csv.field_size_limit(2**31 - 1)
        reader = csv.reader((f"{line}\n" for line in self.lines()), delimiter=self.delimiter, strict=True)
        begun = 1
        try:
            for cells in reader:
                if cells:
                    yield begun, cells
                begun = reader.line_num + 1
        except csv.Error as error:
            raise Unfit(f"the row that begins on line {begun} can't be read as a table: {error}") from None

    def headings(self, *, quoted: bool) -> list[str]:
        """Read the first row that isn't blank; one whose quotation marks aren't closed as it is written."""
        try:
            return next(self.all_rows(quoted=quoted), (1, []))[1]
        except Unfit:
            return next(self.all_rows(quoted=False), (1, []))[1]

    def rows(self, width: int, *, quoted: bool) -> Iterator[Row]:
        """Give the rows behind the headings.

        Raises:
            Unfit: a row, or the headings in this way of quoting, don't have `width` cells.
        """
        for place, (line, cells) in enumerate(self.all_rows(quoted=quoted)):
            if len(cells) != width:
                start = self.delimiter.join(cells)
                shown = start if len(start) <= SHOWN_CHARACTERS else f"{start[:SHOWN_CHARACTERS]}…"
                cells_in_words = f"{len(cells)} cell{'s' if len(cells) != 1 else ''}"
                headings = f"{width} heading{'s' if width != 1 else ''}"
                there = "are" if width != 1 else "is"
                problem = f"line {line} has {cells_in_words}, but there {there} {headings}"
                raise Unfit(f"{problem}: {shown}")
            if place:
                yield line, cells

    def fitting(self, width: int, *, quoted: bool) -> Iterator[Row]:
        """Give the rows behind the headings.

        Raises:
            UserError: a row doesn't fit.
        """
        try:
            yield from self.rows(width, quoted=quoted)
        except Unfit as problem:
            raise UserError(
                f"{self.path}: {problem}",
                remedy=f"correct the row: a cell that has {self.delimiter!r} in it belongs in quotation marks; or save "
                "the table again from the program that it came from; or set corpus.delimiter or corpus.quoting to what "
                "the file uses",
            ) from None

    def count(self, width: int, *, quoted: bool) -> int | None:
        """Count the rows behind the headings; None where one doesn't fit."""
        try:
            return sum(1 for _ in self.rows(width, quoted=quoted))
        except Unfit:
            return None

    def cells(self, width: int, *, quoted: bool) -> Iterator[str]:
        """Give all cells behind the headings."""
        return (cell for _, cells in self.rows(width, quoted=quoted) for cell in cells)
