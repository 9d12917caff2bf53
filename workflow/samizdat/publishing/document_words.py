"""Find the words of a report's document (`.qmd`) or page (`.html`), and say them in the reader's language."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import yaml
from nbformat import NotebookNode

from samizdat.base.language import ENGLISH, said_raw, speaking
from samizdat.publishing import pandoc
from samizdat.publishing.cells import cell_options, with_option

# In a line of Markdown: the words of a heading or of an item, or the title of a box, and what is around them.
_HEADING = re.compile(r"(?P<before>#+ )(?P<words>.*?)(?P<after>(?: \{[^}]*\})?)")
_BOX = re.compile(r'(?P<before>:::+ \{[^\n]*title=")(?P<words>[^"]*)(?P<after>".*)')
_OTHER = re.compile(r"(?P<before>(?:- )?)(?P<words>[^:{\s].*)(?P<after>)")
_CAPTION = re.compile(r"#\| ((?:fig|tbl)-cap): ")
_FENCE = "```"
# The words of an element of a page, without a value that they follow, such as its title.
_ELEMENT = re.compile(r"(?P<before>>(?:\$\w+: )?)(?P<words>[^\s<>$][^<>$]*?)(?P<after>\s*<)")
_Arguments = ParamSpec("_Arguments")
_Made = TypeVar("_Made")


def metadata_of(notebook: NotebookNode) -> dict[str, Any]:
    """Read the metadata in a notebook's first cell."""
    block: dict[str, Any] = yaml.safe_load(notebook.cells[0].source.strip().strip("-")) or {}
    return block


def plain_title(block: dict[str, Any]) -> str:
    """Return the title in a notebook's metadata as one line of text, without markup."""
    # Between two lines of a title is an element of HTML, which is no plain text. What people wrote has no `<`.
    return pandoc.convert(block["title"].replace("<br>", " "), pandoc.MARKDOWN, "plain").strip()


def in_its_language(
    make: Callable[Concatenate[NotebookNode, _Arguments], _Made],
) -> Callable[Concatenate[NotebookNode, _Arguments], _Made]:
    """Let a function speak the language of the notebook that it is given."""

    @wraps(make)
    def spoken(notebook: NotebookNode, /, *arguments: _Arguments.args, **options: _Arguments.kwargs) -> _Made:
        with speaking(str(metadata_of(notebook).get("lang", ENGLISH))):
            return make(notebook, *arguments, **options)

    return spoken


def translated(document: str, say: Callable[[str], str] = said_raw) -> str:
    """Return a document with its prose, headings, titles of boxes and captions said by `say`; code stays as it is.

    Each line is a message: a paragraph, a heading, an item of a list. The metadata at the beginning has no words.
    """
    lines = document.split("\n")
    begin = lines.index("---", 1) + 1 if lines[0] == "---" and "---" in lines[1:] else 0
    said, in_code = lines[:begin], False
    for line in lines[begin:]:
        fence = line.startswith(_FENCE)
        said.append(line if fence else _caption(line, say) if in_code else _prose(line, say))
        in_code ^= fence
    return "\n".join(said)


def translated_page(page: str, say: Callable[[str], str] = said_raw) -> str:
    """Return a page with the words of its elements said by `say`; it is a template, whose values stay as they are."""
    return _ELEMENT.sub(lambda found: f"{found['before']}{say(found['words'])}{found['after']}", page)


def _prose(line: str, say: Callable[[str], str]) -> str:
    for pattern in (_HEADING, _BOX, _OTHER):
        if found := pattern.fullmatch(line):
            return f"{found['before']}{say(found['words'])}{found['after']}"
    return line


def _caption(line: str, say: Callable[[str], str]) -> str:
    found = _CAPTION.match(line)
    if not found:
        return line
    english = cell_options(line)[found[1]]
    said = say(english)
    return line if said == english else with_option(f"{line}\n", found[1], said).rstrip("\n")
