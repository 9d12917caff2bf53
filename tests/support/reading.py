"""Read the report's Markdown as a reader sees it, for tests of its sentences and tables."""

import html
import re


def plain(markdown: str) -> str:
    """Remove the tags and references of the report's Markdown."""
    return html.unescape(re.sub(r"</?(bdi|span|code|small)[^>]*>", "", markdown)).replace("\u00a0", " ")


def cells(markdown: str) -> list[list[str]]:
    """Return the cells of each row of a table, head included, without the line between head and body."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    return [[plain(cell).strip() for cell in line[1:-1].split("|")] for line in (lines[0], *lines[2:])]
