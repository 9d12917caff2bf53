"""The report's Markdown as a reader sees it, for tests of what it says."""

import html
import re


def plain(markdown: str) -> str:
    """Markdown of the report as a reader sees it."""
    return html.unescape(re.sub(r"</?(bdi|span|code|small)[^>]*>", "", markdown)).replace("\u00a0", " ")


def cells(markdown: str) -> list[list[str]]:
    """The rows of a table, the rule between head and body left out."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    return [[plain(cell).strip() for cell in line[1:-1].split("|")] for line in (lines[0], *lines[2:])]
