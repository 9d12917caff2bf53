"""Texts of .txt and .md files: the whole file, lines, or blocks between blank lines or lines that separate."""

import re
from collections.abc import Iterator
from itertools import chain

from samizdat.base.errors import UserError
from samizdat.corpus.rows import RawText
from samizdat.corpus.text_files import TextFile

# Lines end where Unicode says so; form feeds and vertical tabs are white space in a line.
_OTHER_LINE_ENDS = re.compile("[\x85\u2028\u2029]")


def read_plain_text(file: TextFile, unit: str, document: str, separator: str | None) -> Iterator[RawText]:
    """Cut a file into texts.

    Args:
        file: the file.
        unit: what one text is: the `file`, a `line` or a `block`.
        document: whether the texts of the file are one document (`file`) or each is its own (`text`).
        separator: the line between two blocks; None: a blank line.

    Raises:
        UserError: no line of the file is the separator.
    """
    path = file.path
    name = path.as_posix() if document == "file" or unit == "file" else None
    if unit == "file":
        yield RawText(file.whole(), path.name, document=name)
        return
    if separator is not None and separator.strip() not in (line.strip() for line in _lines(file)):
        raise UserError(
            f"{path}: no line is {separator!r} (corpus.separator)",
            remedy="set corpus.separator to the line between two texts, or to null where blank lines are between them",
        )
    block: list[str] = []
    begun = 1
    for number, line in enumerate(chain(_lines(file), [separator or ""]), start=1):
        ends = not line.strip() if separator is None else line.strip() == separator.strip()
        if unit == "line" and not ends:
            yield RawText(line, f"{path.name}:{number}", document=name)
        elif not ends:
            begun = number if not any(block) else begun
            block.append(line.strip() and line)
        elif any(block):
            yield RawText("\n".join(block), f"{path.name}:{begun}", document=name)
            block = []
        else:
            block = []


def _lines(file: TextFile) -> Iterator[str]:
    return (line for lines in file.lines() for line in _OTHER_LINE_ENDS.split(lines))
