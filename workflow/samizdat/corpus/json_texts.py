"""Texts of JSON: a file with one object on each line, or with a list of objects."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from samizdat.base.corpus_files import named
from samizdat.base.errors import UserError
from samizdat.base.language import message
from samizdat.corpus.rows import NOT_A_NUMBER, Columns, Findings, Number, RawText, find
from samizdat.corpus.text_files import TextFile


def read_json(file: TextFile, columns: Columns, findings: Findings) -> Iterator[RawText]:
    """Read the objects of a file, whatever its suffix: one on each line, or a list, also as the one list of an object.

    A string in the place of an object is a text without other fields. A field that an object lacks is empty there.

    Raises:
        UserError: the file is no JSON, an object has one key twice, or no object has the field of texts.
    """
    path, lines = file.path, _is_lines(file.lines())
    rows = _lines(file.lines(), path) if lines else _list(file.whole(), path, columns.text, findings)
    place = f"{path.name}:" if lines else f"{path.name}, item "
    has: set[str] = set()
    not_yet = {column for _, column in columns.by_key()}
    keys: dict[str, None] = {}
    for number, value in rows:
        row = {columns.text: value} if isinstance(value, str) and not isinstance(value, Number) else value
        if not isinstance(row, dict):
            raise UserError(
                f"{path}: {'line' if lines else 'item'} {number} is no JSON object: it is a JSON value of another kind",
                remedy="correct it: each line, or each item of the list, must be one object",
            )
        if not row.keys() <= keys.keys():
            keys |= dict.fromkeys(row)
        if not_yet:
            has |= {column for column in not_yet if _has(row, column)}
            not_yet -= has
        yield columns.read(row, f"{place}{number}")
    columns.check_file(path, keys, has, findings)


def _has(row: Any, path: str) -> bool:
    """Whether a row has a field, empty or not."""
    if isinstance(row, dict) and path in row:
        return True
    parent, dot, last = path.rpartition(".")
    found = find(row, parent) if dot else None
    return isinstance(found, dict) and last in found


def _is_lines(lines: Iterator[str]) -> bool:
    """Whether the first line that isn't blank is a JSON value of its own, and others follow."""
    written = (line.strip() for line in lines if line.strip())
    first = next(written, "")
    if next(written, None) is None:
        return False
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return first.startswith("{") and first.endswith("}")
    return True


def _lines(lines: Iterator[str], path: Path) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield number, _parsed(line)
            except (ValueError, RecursionError) as error:
                # The line of the error's own words is that within this line, always 1.
                why = f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else error
                raise UserError(
                    f"{path}: line {number} is no JSON object: {why}",
                    remedy="correct the line: each line must be one object",
                ) from None


def _list(text: str, path: Path, column: str, findings: Findings) -> Iterator[tuple[int, Any]]:
    try:
        value = _parsed(text)
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{path} is no JSON: {error}",
            remedy="correct it there, or save the file again from the program that it came from",
        ) from None
    if isinstance(find(value, column), dict | list):
        raise UserError(
            f"{path} is one JSON object that holds all texts under {column!r}: it is written column by column",
            remedy='save it as a list of objects, one for each text; with pandas, to_json(…, orient="records")',
        )
    if isinstance(value, dict) and not _has(value, column):
        keys = named([repr(key) for key in value]) or "(none)"
        lists = [key for key, inner in value.items() if isinstance(inner, list)]
        if len(lists) != 1:
            raise UserError(
                f"{path} is one JSON object, which has no {column!r} (corpus.text_column); of its keys "
                f"{keys} {len(lists)} hold a list, but one must hold the texts",
                remedy="name the field of the text as corpus.text_column, or save the list of objects alone",
            )
        findings.note(path, message("the list under the key {key}").format(key=repr(lists[0])))
        value = value[lists[0]]
    items = value if isinstance(value, list) else [value]
    yield from enumerate(items, start=1)


def _parsed(text: str) -> Any:
    return _DECODER.decode(text)


def _constant(name: str) -> Number | None:
    return None if name in NOT_A_NUMBER else Number(name)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"an object has the key {twice!r} twice")
    return row


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=Number, parse_float=Number, parse_constant=_constant)
