"""Read all files of `corpus.paths`, and tell what the readers found out."""

from collections.abc import Iterator
from pathlib import Path

from samizdat.base import stage
from samizdat.base.corpus_files import Listing
from samizdat.base.errors import UserError
from samizdat.base.language import message
from samizdat.corpus.readers import Manner, read_file
from samizdat.corpus.rows import LOST, Columns, Findings, RawText, lacks


def read_files(
    listing: Listing, manner: Manner, columns: Columns, *, by_folder: bool, findings: Findings
) -> Iterator[RawText]:
    """Read the texts of all files, then tell at the terminal what the user didn't say and may not expect.

    Args:
        listing: the files, each with its folder.
        manner: how to read them.
        columns: which columns of tables hold what.
        by_folder: whether the folder of a file is the group of its texts.
        findings: is filled.

    Raises:
        UserError: a file can't be read, or a column is in none of them.
    """
    manner.check(listing.files)
    for name, folder in listing.files.items():
        lost = False
        for raw in read_file(Path(name), manner, columns, findings):
            if by_folder:
                raw.group = folder
            lost = lost or raw.lost_letters()
            yield raw
        if lost:
            said = message("letters were lost when it was saved: {sign} (U+FFFD) is in their place")
            findings.note(name, said.format(sign=LOST))
    _require_columns(columns, findings)
    for words, files in findings.in_words().items():
        stage.tell(f"{files}: {words}")


def _require_columns(columns: Columns, findings: Findings) -> None:
    """Refuse columns that no file has; note the files that lack one which others have."""
    for key, column in columns.by_key()[1:]:
        lacking = findings.lacking.get((key, column), {})
        if not findings.tables:
            raise UserError(
                f"corpus.{key} is {column!r}, but no file of corpus.paths is a table, which alone has columns",
                remedy=f"leave out corpus.{key}, or save the texts as a table, such as .csv",
            )
        if len(lacking) == findings.tables:
            place, existing = next(iter(lacking.items()))
            raise lacks(place, key, column, existing)
        for place in lacking:
            said = message("no column {column} ({key}), so its texts have none")
            findings.note(place, said.format(column=repr(column), key=f"corpus.{key}"))
