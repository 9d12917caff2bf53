"""Change a document tree for paper: titles, tables and figures as Typst sets them, and every text as a string."""

import re
from typing import Any

from samizdat.base.escaping import END_OF_ISOLATE, ISOLATE
from samizdat.publishing import pandoc
from samizdat.publishing.column_widths import fitted
from samizdat.publishing.pandoc import Element
from samizdat.publishing.typst_text import break_long_words, literal, reads_from_right

TEXT_WIDTH_MM = 178
_TALLEST_FIGURE_MM = 215
_WIDEST_FIGURE = 720  # pixels, as wide as the text
_FIGURE = re.compile(r"figure:(\d+)")
_LONGEST_WORD = 40  # outside of tables, in characters
_CALLOUT_INSET_MM = 4
# A table whose last two rows stay together has so many rows, and so much text in the two, that they fit a page.
_FEWEST_ROWS, _MOST_CHARACTERS = 4, 2000


class PaperBlocks:
    """Changes the blocks of one document, in their order."""

    def __init__(self) -> None:
        self._level = 0
        self._targets: set[str] = set()

    def of(self, blocks: list[Element]) -> list[Element]:
        """Return blocks whose tables and figures fit the paper, without divisions around them."""
        changed: list[Element] = pandoc.rewrite(blocks, self._change)
        linked: list[Element] = pandoc.rewrite(changed, self._without_dead_end)
        return linked

    def _change(self, element: Element) -> list[Element] | None:
        kind: str = element["t"]
        content: Any = element.get("c")
        if kind == "Header":
            return self._header(*content)
        if kind == "Div":
            return _callout(content[1]) if "callout" in content[0][1] else content[1]
        if kind == "Table":
            return _table(content)
        if kind == "Figure":
            return self._figure(*content)
        if kind == "Image":
            return _image(content)
        if kind in ("Para", "Plain"):
            return _with_direction(element, content)
        return None

    def _header(self, level: int, attributes: list[Any], words: list[Element]) -> list[Element]:
        """Shift a heading one level up, since the title is none, and never skip a level: PDF/UA forbids it."""
        self._level = min(level - 1, self._level + 1) or 1
        kept = [name for name in attributes[1] if name in ("unnumbered", "unlisted")]
        header = {"t": "Header", "c": [self._level, [self._target(attributes[0]), kept, []], words]}
        return _with_direction(header, words)

    def _target(self, identifier: str) -> str:
        """Keep an identifier for links to it, unless another element has it already."""
        if identifier in self._targets:
            return ""
        self._targets.add(identifier)
        return identifier

    def _figure(self, attributes: list[Any], caption: list[Any], blocks: list[Element]) -> list[Element]:
        """Give the caption to the table that a frame has; other content is a figure, which no page end cuts."""
        named = [self._target(attributes[0]), [], []]
        place = next((number for number, block in enumerate(blocks) if block["t"] == "Table"), None)
        if place is None:
            return [{"t": "Figure", "c": [named, caption, blocks]}]
        table = {"t": "Table", "c": [named, caption, *blocks[place]["c"][2:]]}
        return [*blocks[:place], table, *blocks[place + 1 :]]

    def _without_dead_end(self, element: Element) -> list[Element] | None:
        """Remove a link to a place that the document doesn't have; keep its words."""
        if element["t"] != "Link":
            return None
        address = element["c"][2][0]
        return element["c"][1] if address.startswith("#") and address[1:] not in self._targets else None


def typst_inline(element: Element) -> list[Element] | None:
    """Return what replaces an inline element or a block of code: texts become strings, in which nothing is markup."""
    kind: str = element["t"]
    content: Any = element.get("c")
    if kind == "Str":
        return [raw(f"#{literal(break_long_words(content, _LONGEST_WORD))};")]
    if kind == "Code":
        return [raw(f"#raw({literal(break_long_words(content[1], _LONGEST_WORD))});")]
    if kind == "CodeBlock":
        return [raw(f"#raw(block: true, {literal(break_long_words(content[1], _LONGEST_WORD))})", block=True)]
    if kind == "Math":
        return [_formula(element)]
    if kind == "Span":
        return _span(content[0], content[1])
    return None


def raw(typst: str, *, block: bool = False) -> Element:
    """Make an element of Typst's own markup."""
    return {"t": "RawBlock" if block else "RawInline", "c": ["typst", typst]}


def turned(typst: str, text: str) -> str:
    """Set markup from right to left where its text begins so."""
    return f"#[#set text(dir: rtl)\n{typst}]" if reads_from_right(text) else typst


def _with_direction(element: Element, words: list[Element]) -> list[Element]:
    """Set a paragraph from right to left where its own words are; without words or numbers, names and texts decide."""
    own = pandoc.plain_text(pandoc.rewrite(words, _without_quoted))
    if not reads_from_right(own if any(map(str.isalnum, own)) else pandoc.plain_text(words)):
        return [element]
    return [raw("#[#set text(dir: rtl)", block=True), element, raw("]", block=True)]


def _without_quoted(element: Element) -> list[Element] | None:
    """Remove texts with a direction of their own, and small print below them."""
    return [] if element["t"] == "Span" and {"bdi", "small"} & set(element["c"][0][1]) else None


def _callout(blocks: list[Element]) -> list[Element]:
    """Draw a box whose first paragraph is its title."""
    words = blocks[0]["c"]
    title = [raw("#title-of-callout["), *words, raw("]")]
    return [raw("#callout[", block=True), {"t": "Para", "c": title}, *blocks[1:], raw("]", block=True)]


def _table(content: list[Any]) -> list[Element]:
    """Give a table the widths and the font size with which it fits the paper."""
    attributes, caption, columns, head, bodies, foot = content
    rows = [*head[1], *(row for body in bodies for row in (*body[2], *body[3])), *foot[1]]
    texts: list[list[str]] = [[] for _ in columns]
    for _, cells in rows:
        for column, cell in zip(texts, cells, strict=False):
            cell[1] = _toward_start(cell[1])
            column += _text_of(cell[4]).split("\n")
    fit = fitted(texts, TEXT_WIDTH_MM - 2 * _CALLOUT_INSET_MM)
    widths = [
        [_toward_start(alignment), {"t": "ColWidth", "c": round(share, 4)}]
        for (alignment, _), share in zip(columns, fit.shares, strict=True)
    ]
    table = {"t": "Table", "c": [attributes, caption, widths, head, *_end_together(bodies, foot)]}
    (broken,) = pandoc.rewrite([table], lambda element: _broken(element, fit.longest_word))
    return [raw(f"#[#set text(size: {fit.points:.2f}pt)", block=True), broken, raw("]", block=True)]


def _end_together(bodies: list[Any], foot: list[Any]) -> list[Any]:
    """Make the last two rows the foot of a table: a page end doesn't cut a foot, so no row is alone on a page."""
    attributes, columns, middle, rows = bodies[-1] if bodies else ([], 0, [], [])
    last = rows[-2:]
    if foot[1] or len(rows) < _FEWEST_ROWS or len(_text_of(last)) > _MOST_CHARACTERS:
        return [bodies, foot]
    return [[*bodies[:-1], [attributes, columns, middle, rows[:-2]]], [foot[0], last]]


def _toward_start(alignment: Element) -> Element:
    """Align at the start of the line rather than at its left, so that Arabic begins at the right."""
    return {"t": "AlignDefault"} if alignment["t"] == "AlignLeft" else alignment


def _text_of(node: Any) -> str:
    """Return the text of a cell, with its line ends."""
    if isinstance(node, list):
        return "".join(_text_of(item) for item in node)
    if not isinstance(node, dict):
        return ""
    kind: str = node["t"]
    content: Any = node.get("c")
    if kind == "LineBreak":
        return "\n"
    if kind in ("Space", "SoftBreak"):
        return " "
    if kind in ("Str", "Code"):
        return str(content if kind == "Str" else content[1])
    return _text_of(content) + ("\n" if kind in ("Para", "Plain") else "")


def _broken(element: Element, longest: int) -> list[Element] | None:
    """Break the long words of a cell."""
    if element["t"] == "Str":
        return [{"t": "Str", "c": break_long_words(element["c"], longest)}]
    if element["t"] == "Code":
        return [{"t": "Code", "c": [element["c"][0], break_long_words(element["c"][1], longest)]}]
    return None


def _formula(element: Element) -> Element:
    """Set a formula, which a screen reader reads as it was written; show one that pandoc can't read as its source."""
    kind, source = element["c"]
    written = pandoc.write([{"t": "Para", "c": [element]}], "typst").strip()
    if not written.startswith("$"):
        return raw(f"#raw({literal(source)});")
    block = "true" if kind["t"] == "DisplayMath" else "false"
    return raw(f"#math.equation(block: {block}, alt: {literal(source)}, {written}.body);")


def _image(content: list[Any]) -> list[Element]:
    """Show a figure in its width, at most that of the text and the paper's height; of any other picture its words."""
    (_, _, pairs), words, (address, _) = content
    found = _FIGURE.fullmatch(address)
    if not found:
        return [*words, {"t": "Space"}, {"t": "Code", "c": [["", [], []], address]}]
    size = {key: float(value) for key, value in pairs if key in ("width", "height")}
    width = TEXT_WIDTH_MM * min(size.get("width", _WIDEST_FIGURE) / _WIDEST_FIGURE, 1)
    if size.get("width") and size.get("height"):
        width = min(width, _TALLEST_FIGURE_MM * size["width"] / size["height"])
    alternative = literal(pandoc.plain_text(words))
    return [raw(f'#image("{found[1]}.png", width: {width / TEXT_WIDTH_MM:.1%}, alt: {alternative})')]


def _span(attributes: list[Any], words: list[Element]) -> list[Element]:
    """Isolate a text with a direction of its own; make small print small; underline marks; keep all other words."""
    _, classes, pairs = attributes
    isolated = [raw(f"#{literal(ISOLATE)};"), *words, raw(f"#{literal(END_OF_ISOLATE)};")]
    if "small" in classes:  # the report's words, below a text that may be from right to left
        return [raw("#small["), *isolated, raw("]")]
    if "mark" in classes:
        return [raw("#underline["), *words, raw("]")]
    if level := sum(int(name.removeprefix("bits-")) for name in classes if name.startswith("bits-")):  # a token's cost
        return [raw(f"#underline(stroke: {level * 0.4:.1f}pt, evade: false)["), *words, raw("]")]
    if "bdi" not in classes:
        return words
    language = typst_language(dict(pairs).get("lang", ""))
    return [raw(f"#text(lang: {language})["), *isolated, raw("]")] if language else isolated


def typst_language(tag: str) -> str:
    """Write the language of a tag such as `sr-Latn` as Typst names it; nothing where the tag names none."""
    language = tag.split("-")[0].lower()
    return literal(language) if re.fullmatch("[a-z]{2,3}", language) else ""
