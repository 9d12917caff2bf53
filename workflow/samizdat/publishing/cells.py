"""Read and add the options of a code cell: the `#| key: value` lines that it begins with."""

import json
import re
from typing import Any

import yaml

from samizdat.base.errors import UserError


def split_options(source: str) -> tuple[str, str]:
    """Split a cell's source into the lines of its options and its code."""
    code = re.sub(r"\A(?:#\|[^\n]*\n?)*", "", source)
    return source.removesuffix(code), code


def cell_options(source: str) -> dict[str, Any]:
    """Read a cell's options.

    Raises:
        UserError: they are not a YAML mapping.
    """
    lines = split_options(source)[0].splitlines()
    try:
        options = yaml.safe_load("\n".join(line.removeprefix("#|") for line in lines)) or {}
    except yaml.YAMLError:
        options = None
    if not isinstance(options, dict):
        raise UserError(
            f"these options of a cell are not valid YAML: {' '.join(lines)}",
            remedy="write one `#| key: value` on each line, with quotes around a value that has a colon in it",
        )
    return options


def with_option(source: str, key: str, text: str) -> str:
    """Set an option whose value is a text: in the place that it has, else after the options that the cell has."""
    options, code = split_options(source)
    line = f"#| {key}: {json.dumps(text, ensure_ascii=False)}\n"
    changed, found = re.subn(rf"(?m)^#\| {re.escape(key)}:.*\n", lambda _: line, options)
    return f"{changed if found else options + line}{code}"


def inert(escaped: str) -> str:
    """Put an empty element between two braces of an escaped text.

    Quarto runs shortcodes in options and metadata, even escaped ones.
    """
    return re.sub(r"(&#12[35];)(?=&#12[35];)", r"\1<span></span>", escaped)
