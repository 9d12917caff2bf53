"""The user's own words: Markdown that keeps its form and loses every way to be anything but text."""

import itertools
import re
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

from samizdat.base.escaping import escape
from samizdat.publishing import pandoc
from samizdat.publishing.pandoc import Element

# No raw HTML or TeX, no attributes, no metadata, no citations: what remains is text, structure and formulas.
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
# Sections of the notes stand below the section that holds them.
_DEEPER = 2
# What TeX can say beyond formulas: links, files, definitions, markup of the page.
_COMMANDS = re.compile(r"\\(?:href|url|input|include|newcommand|renewcommand|def|require|class|style|css|html)")


def safe_markdown(text: str) -> str:
    """Markdown as anybody may have written it, as Markdown that pandoc, Quarto and Jupyter show alike.

    Emphasis, headings, lists, links to the web, tables, code and formulas stay. Tags, shortcodes, attributes and
    the like are shown as the characters that they are; a picture is shown as its description and address, since a
    page that makes no request can't fetch it.
    """
    document = pandoc.parse(text.replace("\r\n", "\n"), _READER, f"--shift-heading-level-by={_DEEPER}")
    sections = itertools.count(1)
    document["blocks"] = pandoc.rewrite(document["blocks"], lambda element: _tame(element, sections))
    return pandoc.unparse(document, _WRITER).strip()


def _tame(element: Element, sections: Iterator[int]) -> list[Element] | None:
    kind, content = element["t"], element.get("c")
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
        # Shortcodes begin with two braces, which mean to TeX what they mean apart.
        return [{"t": "Math", "c": [content[0], re.sub(r"\{(?=\{)", "{ ", content[1])]}]
    if kind == "Header":
        # An id of its own: one made of the heading could be that of a figure.
        return [{"t": "Header", "c": [content[0], [f"notes-{next(sections)}", [], []], content[2]]}]
    if kind == "Link":
        address = _web_address(content[2][0])
        return [{"t": "Link", "c": [["", [], []], content[1], [address, ""]]}] if address else content[1]
    if kind == "Image":
        return [*content[1], _markdown(f" (<code>{escape(content[2][0])}</code>)")]
    return None


def _markdown(text: str) -> Element:
    return {"t": "RawInline", "c": ["markdown", text]}


def _web_address(target: str) -> str:
    """A link's target when it leads to the web, with every odd character spelled in percent; else nothing."""
    try:
        scheme = urlsplit(target).scheme.lower()
    except ValueError:
        return ""
    return quote(target, safe="/:?#@!&=+,;~%-._") if scheme in _SCHEMES else ""
