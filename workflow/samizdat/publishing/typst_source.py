"""Write an executed notebook as a Typst document: the content of the page, laid out for paper."""

import re
from dataclasses import dataclass

from nbformat import NotebookNode

from samizdat.base.language import say
from samizdat.publishing import pandoc
from samizdat.publishing.document_words import in_its_language, metadata_of, plain_title
from samizdat.publishing.pandoc import Element
from samizdat.publishing.pandoc_blocks import assemble
from samizdat.publishing.typst_blocks import TEXT_WIDTH_MM, PaperBlocks, turned, typst_inline, typst_language
from samizdat.publishing.typst_text import literal

# pandoc writes tables and figures as `figure`; their numbers are in the captions, the same as on the page.
_LOOK = f"""
#set page(paper: "a4", margin: (x: {(210 - TEXT_WIDTH_MM) / 2:g}mm, top: 18mm, bottom: 20mm), numbering: "1 / 1")
#set text(font: ("Libertinus Serif", "DejaVu Sans"), size: 10pt, number-type: "lining")
#set par(leading: 0.62em, spacing: 1.05em)
#show title: set text(size: 20pt)
#show heading: set text(weight: 600)
#show heading: set block(above: 1.6em, below: 0.8em, sticky: true)
#show heading.where(level: 1): set text(size: 14pt)
#show heading.where(level: 2): set text(size: 11.5pt)
#show link: set text(fill: rgb("#0b4f8a"))
#show raw: set text(font: ("DejaVu Sans Mono", "Libertinus Serif", "DejaVu Sans"))
#show raw.where(block: true): it => block(fill: luma(246), inset: 6pt, width: 100%, it)
#set figure(numbering: none, supplement: none, gap: 0.8em)
#show figure: set block(above: 1.8em, below: 1.8em)
#show figure: set align(start)
#show figure.caption: set align(start)
#show figure.caption: set text(size: 9pt, fill: luma(60))
#show figure.caption: set block(sticky: true)
#set figure.caption(position: top)
#show figure.where(kind: table): set block(breakable: true)
#set table(
  inset: (x: 4pt, y: 3.5pt),
  stroke: (_, y) => (top: if y == 0 {{ 1pt }} else if y > 1 {{ 0.4pt + luma(190) }}),
)
#set table.hline(stroke: 0.5pt)
#set table.footer(repeat: false)
#show table: set text(number-width: "tabular")
#show table: set par(leading: 0.5em)
#show table: set align(start)
#show table.cell.where(y: 0): set text(weight: 600)
#show quote.where(block: true): set block(width: 100%)
#let horizontalrule = line(length: 100%, stroke: 0.4pt)
#let small(body) = text(size: 0.86em, fill: luma(80), body)
#let title-of-callout(body) = block(sticky: true, strong(body))
#let callout(body) = block(
  fill: luma(246), stroke: (left: 2.5pt + rgb("#0b4f8a")), inset: (x: 9pt, y: 8pt), width: 100%, body,
)
"""


@dataclass(frozen=True)
class Document:
    """A Typst document, and the pictures that it names: file name → base64 PNG."""

    source: str
    images: dict[str, str]


@in_its_language
def write_typst(notebook: NotebookNode) -> Document:
    """Write a notebook as a Typst document, with the numbers, captions and references of the page, and no code.

    Every text is a string of Typst's, so nothing in a text is markup.

    Args:
        notebook: executed; its first cell has the metadata.

    Raises:
        UserError: a cross-reference has no target, or an output is of a kind that a page can't show.
    """
    block = metadata_of(notebook)
    body = assemble(notebook)
    blocks = _read(pandoc.write(body.blocks, "html5", "--mathml", "--syntax-highlighting=none"))
    title = plain_title(block)
    byline = "\n\n".join(block[key] for key in ("subtitle", "author") if block.get(key))
    language = typst_language(str(block.get("lang", "")))
    head = [
        f"#set document(title: {literal(title)})",
        f"#set text(lang: {language})" if language else "",
        _LOOK,
        turned("#title()", title),
        _typst(_read(pandoc.convert(byline, pandoc.MARKDOWN, "html5"))),
        f"#outline(title: {literal(say('Contents'))}, depth: 2)" if body.headings else "",
    ]
    images = {f"{number}.png": image for number, image in enumerate(body.images)}
    return Document("\n".join([*head, _typst(blocks)]), images)


def _typst(blocks: list[Element]) -> str:
    """Write blocks as Typst."""
    written = pandoc.write(pandoc.rewrite(PaperBlocks().of(blocks), typst_inline), "typst")
    # No text has a line end here, so only the line that pandoc draws above a table's foot can match: it's like any row.
    return re.sub(r"table\.hline\(\),\n\s*table\.footer\(", "table.footer(", written)


def _read(markup: str) -> list[Element]:
    """Read the page's HTML as a tree, without its code; what is folded on the page is open."""
    # Text of the page has no angle bracket, since `<` is escaped in it, so only the page's own elements can match.
    markup = re.sub(r'<details class="code">.*?</details>', "", markup, flags=re.DOTALL)
    for tag, replacement in (
        ("<details", "<div"), ("</details>", "</div>"), ("<summary>", '<p class="title">'), ("</summary>", "</p>"),
        ("<bdi", '<span class="bdi"'), ("</bdi>", "</span>"),
    ):  # fmt: skip
        markup = markup.replace(tag, replacement)
    blocks: list[Element] = pandoc.parse(markup, "html")["blocks"]
    return blocks
