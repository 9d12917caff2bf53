"""Make the user's notes safe: their Markdown keeps its form, and can add nothing but text to the page."""

import itertools
import re
from collections.abc import Callable, Iterator
from urllib.parse import quote, urlsplit

from samizdat.base.escaping import escape
from samizdat.publishing import pandoc
from samizdat.publishing.pandoc import Element

# Without raw HTML or TeX, attributes, metadata and citations: text, structure and formulas remain.
_READER = "markdown" + "".join(
    f"-{extension}"
    for extension in (
        "raw_html", "raw_tex", "raw_attribute", "native_divs", "native_spans", "markdown_in_html_blocks",
        "fenced_divs", "bracketed_spans", "header_attributes", "link_attributes", "inline_code_attributes",
        "fenced_code_attributes", "citations", "yaml_metadata_block", "pandoc_title_block", "implicit_figures",
        "auto_identifiers", "implicit_header_references", "example_lists", "latex_macros", "smart",
        "table_captions", "simple_tables", "multiline_tables", "grid_tables",
    )
)  # fmt: skip
_WRITER = "markdown-fenced_divs-native_divs-bracketed_spans-grid_tables-simple_tables-multiline_tables-smart"
_SCHEMES = {"http", "https", "mailto"}
# Headings of the notes are this many levels deeper, below the heading of the section that the notes are in.
_DEEPER, _DEEPEST = 2, 6
# What pandoc reads otherwise than Jupyter and GitHub. A block of code may have any words behind its fence, such as
# {python, echo=TRUE}; pandoc takes one word. A list or a heading may follow a line of text; pandoc wants a blank line.
_OTHERWISE = re.compile(
    r"^(?P<fence>[ \t>]*(?P<marks>`{3,}|~{3,}))[^`\n]*(?P<code>\n(?:.*\n)*?[ \t>]*(?P=marks)[`~]*[ \t]*)$"
    r"|\$\$[^$]+\$\$"  # a line of a formula may begin like a list
    r"|^(?P<line>(?![-*+] |\d+[.)] |[>|]|.*\$\$)\S.*\n)(?=(?:[-*+]|1[.)]|#{1,6})[ \t]+\S)",
    flags=re.MULTILINE,
)
# What TeX can do besides formulas: links, files, definitions, markup of the page.
_COMMANDS = re.compile(r"\\(?:href|url|input|include|newcommand|renewcommand|def|require|class|style|css|html)")


def safe_markdown(text: str) -> str:
    """Turn any Markdown into Markdown that pandoc, Quarto and Jupyter show in the same way.

    Emphasis, headings, lists, links to the web, tables, code and formulas stay. Tags, shortcodes, attributes and
    the like are shown as the characters that they are written with. A picture is shown as its description and
    address, since the page makes no request and can't load it, and so is a link that doesn't lead to the web. Jupyter
    knows neither lists with letters or Roman numbers nor footnotes: the first become paragraphs that begin with them,
    the second a list at the end.
    """
    readable = _OTHERWISE.sub(_as_pandoc_reads, text.replace("\r\n", "\n"))
    document = pandoc.parse(readable, _READER, f"--shift-heading-level-by={_DEEPER}")
    sections = itertools.count(1)
    footnotes: list[list[Element]] = []
    document["blocks"] = pandoc.rewrite(document["blocks"], lambda element: _tame(element, sections, footnotes))
    if footnotes:
        numbers = [1, {"t": "Decimal"}, {"t": "Period"}]
        document["blocks"] += [{"t": "HorizontalRule"}, {"t": "OrderedList", "c": [numbers, footnotes]}]
    return pandoc.unparse(document, _WRITER).strip()


def _as_pandoc_reads(found: re.Match[str]) -> str:
    """Leave out what is behind a fence; put a blank line between a line and a list or a heading below it."""
    if found["fence"]:
        return f"{found['fence']}{found['code']}"
    return f"{found['line']}\n" if found["line"] else found[0]


def _tame(element: Element, sections: Iterator[int], footnotes: list[list[Element]]) -> list[Element] | None:
    """Return what replaces an element that could be more than text; None keeps it."""
    kind, content = element["t"], element.get("c", "")
    if kind == "Str":
        return [_markdown(escape(content))]
    if kind == "Code":
        return [_markdown(f"<code>{escape(content[1])}</code>")]
    if kind == "CodeBlock":
        lines = "&#10;".join(escape(line) for line in content[1].split("\n"))
        return [{"t": "RawBlock", "c": ["markdown", f"<pre><code>{lines}</code></pre>"]}]
    if kind == "Math" and _COMMANDS.search(content[1]):
        return [_markdown(f"<code>{escape(content[1])}</code>")]
    if kind == "Math":
        # Shortcodes begin with two braces. A blank between the braces changes nothing in TeX.
        return [{"t": "Math", "c": [content[0], re.sub(r"\{(?=\{)", "{ ", content[1])]}]
    if kind == "Header":
        # An id made of the heading could be the id of a figure. A page has six levels of headings.
        return [{"t": "Header", "c": [min(content[0], _DEEPEST), [f"notes-{next(sections)}", [], []], content[2]]}]
    if kind == "Note":
        footnotes.append(content)
        return [{"t": "Superscript", "c": [_markdown(str(len(footnotes)))]}]
    if kind == "OrderedList" and content[0][1]["t"] in _MARKS:
        (first, style, delimiter), items = content
        written = {"OneParen": "{})", "TwoParens": "({})"}.get(delimiter["t"], "{}.")
        marks = (written.format(_MARKS[style["t"]](number)) for number in itertools.count(first))
        return [block for mark, item in zip(marks, items, strict=False) for block in _marked(mark, item)]
    if kind == "Link":
        address = _web_address(content[2][0])
        if address:
            return [{"t": "Link", "c": [["", [], []], content[1], [address, ""]]}]
    if kind in ("Link", "Image"):
        return [*content[1], _markdown(f" (<code>{escape(content[2][0])}</code>)")]
    return None


def _marked(mark: str, item: list[Element]) -> list[Element]:
    """Write an item of a list as paragraphs of which the first begins with a mark."""
    beginning = [_markdown(escape(mark)), {"t": "Space"}]
    if item and item[0]["t"] in ("Para", "Plain"):
        return [{"t": "Para", "c": [*beginning, *item[0]["c"]]}, *item[1:]]
    return [{"t": "Para", "c": beginning}, *item]


def _letter(number: int) -> str:
    return (_letter((number - 1) // 26) if number > 26 else "") + chr(ord("a") + (number - 1) % 26)


def _roman(number: int) -> str:
    signs = {100: "c", 90: "xc", 50: "l", 40: "xl", 10: "x", 9: "ix", 5: "v", 4: "iv", 1: "i"}
    value = next((value for value in signs if value <= number), 0)
    return signs[value] + _roman(number - value) if value else ""


# Style of a list that Jupyter doesn't know → what writes the mark of an item by its number.
_MARKS: dict[str, Callable[[int], str]] = {
    "LowerAlpha": _letter,
    "UpperAlpha": lambda number: _letter(number).upper(),
    "LowerRoman": _roman,
    "UpperRoman": lambda number: _roman(number).upper(),
}


def _markdown(text: str) -> Element:
    """Make an element of Markdown that is written as it is."""
    return {"t": "RawInline", "c": ["markdown", text]}


def _web_address(target: str) -> str:
    """Return a link's address with unusual characters percent-encoded; nothing unless it is an address on the web."""
    try:
        scheme = urlsplit(target).scheme.lower()
    except ValueError:
        return ""
    return quote(target, safe="/:?#@!&=+,;~%-._") if scheme in _SCHEMES else ""
