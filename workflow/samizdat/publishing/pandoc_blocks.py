"""Turn an executed notebook into a document tree of pandoc, with numbers, cross-references, frames and captions."""

import html
import itertools
import re
from dataclasses import dataclass, field
from typing import Any

from nbformat import NotebookNode

from samizdat.base.errors import UserError
from samizdat.base.language import message, say
from samizdat.publishing import pandoc
from samizdat.publishing.cells import cell_options, split_options
from samizdat.publishing.pandoc import Element

# Each is one word in every language: what follows it is the number.
KINDS = {"fig": message("Figure"), "tbl": message("Table"), "sec": message("Section")}
_CALLOUTS = {
    "note": message("Note"),
    "tip": message("Tip"),
    "important": message("Important"),
    "warning": message("Warning"),
    "caution": message("Caution"),
}

# A table or figure that is wider than the screen scrolls in its frame, by keyboard too.
_SCROLL = '<div class="scroll" role="group" aria-label="{}" tabindex="0">'


@dataclass
class Body:
    """The content of a page."""

    blocks: list[Element] = field(default_factory=list)
    headings: list[tuple[int, str, str, list[Element]]] = field(default_factory=list)  # level, number, id, words
    images: list[str] = field(default_factory=list)  # base64 PNGs; `figure:3` in the tree is images[3]


def assemble(notebook: NotebookNode) -> Body:
    """Join the notebook's cells and outputs as one document.

    Raises:
        UserError: a cross-reference has no target, or an output is of a kind that a page can't show.
    """
    body = Body()
    tree = _joined(notebook, body)
    numbers = _number(tree["blocks"], body)
    blocks = pandoc.rewrite(tree["blocks"], lambda element: resolve(element, numbers))
    body.blocks = pandoc.rewrite(blocks, lambda element: _frame(element, numbers))
    return body


def numbers_of(notebook: NotebookNode) -> dict[str, str]:
    """Number the sections, figures and tables of a notebook as they are numbered on the page: id → “Figure 3”."""
    body = Body()
    return _number(_joined(notebook, body)["blocks"], body)


def float_caption(options: dict[str, Any]) -> tuple[str, str]:
    """Return the label of a cell, and the caption of the figure or table that the cell makes, or an empty text."""
    label = str(options.get("label", ""))
    kind = label.split("-")[0]
    return label, str(options.get(f"{kind}-cap") or "") if kind in ("fig", "tbl") else ""


def _joined(notebook: NotebookNode, body: Body) -> Element:
    """Read the notebook's cells and outputs as one document."""
    parts = [part for cell in notebook.cells[1:] for part in _cell(cell, body.images)]
    return pandoc.parse("\n\n".join(parts))


def _cell(cell: NotebookNode, images: list[str]) -> list[str]:
    """Write a cell as Markdown, with its source and outputs in divisions that `_frame` recognises."""
    if cell.cell_type != "code":
        return [cell.source] if cell.cell_type == "markdown" else []
    options = cell_options(cell.source)
    if options.get("include") is False:
        return []
    source = split_options(cell.source)[1].strip("\n")
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", source)), default=0))
    shown = [] if options.get("echo") is False else [f"::: cell-code\n{fence}python\n{source}\n{fence}\n:::"]
    results = [_output(output, options, images) for output in cell.outputs]
    label, caption = float_caption(options)
    if caption:
        kind = label.split("-")[0]
        caption = f"::: caption\n{caption}\n:::"
        # The caption of a figure begins with its finding, so it is above the picture as that of a table is.
        results = [f"::: {{#{label} .float .{kind}}}", caption, *results, ":::"]
    return [*shown, *results]


def _output(output: NotebookNode, options: dict[str, Any], images: list[str]) -> str:
    """Write one output as Markdown."""
    data = output.get("data", {})
    if "image/png" in data:
        images.append("".join(data["image/png"]).replace("\n", ""))
        size = output.metadata.get("image/png", {})
        attributes = " ".join(f"{key}={int(size[key])}" for key in ("width", "height") if key in size)
        # This is raw HTML, which no reader of Markdown escapes, so it is escaped here.
        words = html.escape(html.unescape(str(options.get("fig-alt", ""))), quote=True).replace("\n", " ")
        image = f'<img src="figure:{len(images) - 1}" alt="{words}" {attributes}>'
        return f"```{{=html}}\n{_SCROLL.format(say(KINDS['fig']))}{image}</div>\n```"
    if "text/markdown" in data:
        return "".join(data["text/markdown"])
    text = output.get("text") or data.get("text/plain")
    if text is None:
        raise UserError(
            f"the cell {options.get('label', '')!r} puts out {', '.join(data) or output.output_type}, "
            "which a page can't show",
            remedy="let it return Markdown or a picture of samizdat.reporting",
        )
    # In one line, so that nothing in the text can end the block.
    lines = html.escape("".join(text)).replace("\n", "&#10;")
    return f"```{{=html}}\n<pre>{lines}</pre>\n```"


def _number(blocks: list[Element], body: Body) -> dict[str, str]:
    """Number sections, figures and tables in the order of the document: id → “Figure 3”."""
    numbers: dict[str, str] = {}
    counts = {"fig": itertools.count(1), "tbl": itertools.count(1)}
    levels = [0] * 6

    def visit(node: Any) -> None:
        if isinstance(node, list):
            for item in node:
                visit(item)
        elif isinstance(node, dict):
            if node.get("t") == "Header":
                level, (identifier, classes, _), words = node["c"]
                if "unnumbered" not in classes:
                    depth = max(level - 2, 0)
                    levels[depth] += 1
                    levels[depth + 1 :] = [0] * (len(levels) - depth - 1)
                    number = ".".join(str(part) for part in levels[: depth + 1])
                    numbers[identifier] = f"{say(KINDS['sec'])} {number}"
                    body.headings.append((level, number, identifier, words))
            elif node.get("t") == "Div":
                (identifier, classes, _), _ = node["c"]
                if "float" in classes:
                    kind = identifier.split("-")[0]
                    numbers[identifier] = f"{say(KINDS[kind])} {next(counts[kind])}"
            visit(node.get("c"))

    visit(blocks)
    return numbers


def resolve(element: Element, numbers: dict[str, str]) -> list[Element] | None:
    """Turn `@fig-x` into a link to Figure 3."""
    if element["t"] != "Cite":
        return None
    links: list[Element] = []
    for citation in element["c"][0]:
        target = citation["citationId"]
        if target not in numbers:
            raise UserError(
                f"the report refers to @{target}, and nothing in it has that label",
                remedy="correct the reference in report/index.qmd, or label the cell or section that it means",
            )
        words = {"t": "Str", "c": numbers[target].replace(" ", "\u00a0")}
        links += [{"t": "Str", "c": ", "}] if links else []
        links.append({"t": "Link", "c": [["", ["reference"], []], [words], [f"#{target}", ""]]})
    return links


def _frame(element: Element, numbers: dict[str, str]) -> list[Element] | None:
    """Replace divisions, tables and headings by their elements of HTML."""
    kind = element["t"]
    if kind == "Table":
        return [_raw(_SCROLL.format(say(KINDS["tbl"]))), element, _raw("</div>")]
    if kind == "Header":
        level, (identifier, classes, pairs), words = element["c"]
        if identifier not in numbers:
            return None
        # The number is a link to the section itself, whose address can be copied.
        words_of_number = [{"t": "Str", "c": numbers[identifier].split()[1]}]
        number = {"t": "Link", "c": [["", ["number"], []], words_of_number, [f"#{identifier}", ""]]}
        return [{"t": "Header", "c": [level, [identifier, classes, pairs], [number, {"t": "Space"}, *words]]}]
    if kind != "Div":
        return None
    (identifier, classes, pairs), blocks = element["c"]
    if "cell-code" in classes:
        summary = f"<summary>{html.escape(say('Code'))}</summary>"
        return [_raw(f'<details class="code">{summary}'), *blocks, _raw("</details>")]
    if "float" in classes:
        opening = f'<figure id="{html.escape(identifier)}" class="{identifier.split("-")[0]}">'
        return [_raw(opening), *(_captioned(block, numbers[identifier]) for block in blocks), _raw("</figure>")]
    callout = next((name.removeprefix("callout-") for name in classes if name.startswith("callout-")), None)
    return None if callout is None else _callout(callout, dict(pairs), blocks)


def _captioned(block: Element, number: str) -> Element:
    """Turn the caption of a figure or table into a `figcaption` with its number; keep every other block."""
    if block["t"] != "Div" or "caption" not in block["c"][0][1]:
        return block
    words = block["c"][1][0]["c"]
    opening, closing = (_raw(tag, inline=True) for tag in ("<figcaption>", "</figcaption>"))
    numbered = [{"t": "Span", "c": [["", ["number"], []], [{"t": "Str", "c": f"{number}:"}]]}, {"t": "Space"}, *words]
    return {"t": "Plain", "c": [opening, *numbered, closing]}


def _callout(name: str, options: dict[str, str], blocks: list[Element]) -> list[Element]:
    """Draw a box with a title; it is folded where its option `collapse` is true."""
    title = html.escape(options.get("title") or callout_title(name))
    class_ = f"callout {html.escape(name)}"
    if options.get("collapse") == "true":
        return [_raw(f'<details class="{class_}"><summary>{title}</summary>'), *blocks, _raw("</details>")]
    return [_raw(f'<div class="{class_}"><p class="title">{title}</p>'), *blocks, _raw("</div>")]


def callout_title(name: str) -> str:
    """Return the title of a box that has none of its own."""
    return say(_CALLOUTS.get(name, _CALLOUTS["note"]))


def _raw(tag: str, *, inline: bool = False) -> Element:
    """Make an element of raw HTML."""
    return {"t": "RawInline" if inline else "RawBlock", "c": ["html", tag]}
