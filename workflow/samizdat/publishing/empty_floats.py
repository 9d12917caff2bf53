"""Take out of an executed notebook what a run has not: figures and tables that were not made, and sections of them."""

import copy
import itertools
import re
from collections.abc import Iterator, Set
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from samizdat.publishing.cells import cell_options, split_options
from samizdat.publishing.pandoc_blocks import float_caption
from samizdat.records.classifiers import ClassifierCard
from samizdat.records.io import read_document
from samizdat.records.run import Manifest

REFERENCE = re.compile(r"@((?:fig|tbl|sec)-[\w-]+)")
# A heading of the report with such a class begins a section that a run without this leaves out. "output": what one of
# the section's cells shows.
_NEEDS = re.compile(r" ?\.needs-([\w-]+)")
_HEADING = re.compile(r"^(#+) [^\n]*?\{#([\w-]+)([^}\n]*)\}$", re.MULTILINE)
_CAPITALS = "".join(letter for letter in map(chr, range(0x250)) if letter.isupper())  # of all Latin alphabets
_SENTENCE_END = re.compile(rf"(?<=[.!?]) +(?=[{_CAPITALS}@“„*])")


def sections_of(run: Path) -> set[str]:
    """List what a finished run has of what sections need: "classifiers", their kinds, few-shot, inside."""
    config = read_document(Manifest, run / "manifest.json").config
    names = [item["name"] for item in config["classifiers"]]
    cards = [read_document(ClassifierCard, run / "classifiers" / name / "card.json") for name in names]
    has = {card.kind.replace("_", "-") for card in cards} | ({"classifiers"} if names else set())
    has |= {"inside"} if config["inside"] else set()
    return has | ({"few-shot"} if any(card.words for card in cards) else set())


def without_empty_floats(notebook: NotebookNode, *, has: Set[str]) -> NotebookNode:
    """Return a copy of an executed notebook in which every caption is over a figure or a table.

    A cell that was to make one, but says in a sentence why there is none, has no caption and no number. Sentences and
    items of lists that refer to what is not there are left out.

    Args:
        notebook: executed.
        has: what sections remain that need something, as `sections_of` lists it.
    """
    kept = copy.deepcopy(notebook)
    gone: set[str] = set()
    kept.cells = list(_without_sections(kept.cells, has, gone))
    for cell in kept.cells:
        if cell.cell_type == "code":
            label, caption = float_caption(cell_options(cell.source))
            if caption and not any(_is_float(output) for output in cell.outputs):
                gone.add(label)
                options, code = split_options(cell.source)
                kept_options = re.sub(r"^#\| (?:label|\w+-cap):.*\n", "", options, flags=re.MULTILINE)
                cell.source = f"#| echo: false\n{kept_options}{code}"
    for cell in kept.cells:
        if cell.cell_type == "markdown":
            cell.source = _HEADING.sub(lambda found: _NEEDS.sub("", found[0]), cell.source)
            cell.source = _without_references(cell.source, gone)
    kept.cells = [cell for cell in kept.cells if cell.cell_type != "markdown" or cell.source.strip()]
    for number, cell in enumerate((cell for cell in kept.cells if cell.cell_type == "code"), start=1):
        cell.execution_count = number
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number
    return kept


def _is_float(output: NotebookNode) -> bool:
    """Whether an output is a picture or a table, not a sentence in the place of one."""
    data = output.get("data", {})
    return "image/png" in data or "".join(data.get("text/markdown", "")).startswith("|")


def _without_sections(cells: list[NotebookNode], has: Set[str], gone: set[str]) -> Iterator[NotebookNode]:
    """Yield the cells outside of the sections that need what the run has not; add to `gone` what those have."""
    level = 0  # of the section that is left out; 0: none is
    for place, cell in enumerate(cells):
        if cell.cell_type != "markdown":
            if not level:
                yield cell
            elif cell.cell_type == "code":
                gone.add(float_caption(cell_options(cell.source))[0])
            continue
        parts = []
        begins = [0, *(found.start() for found in _HEADING.finditer(cell.source) if found.start()), len(cell.source)]
        for begin, end in itertools.pairwise(begins):
            heading = _HEADING.match(cell.source, begin)
            if heading and (not level or len(heading[1]) <= level):
                needs = set(_NEEDS.findall(heading[3])) - has
                if "output" in needs and _shows(cells[place + 1 :], len(heading[1])):
                    needs.remove("output")
                level = len(heading[1]) if needs else 0
            if heading and level:
                gone.add(heading[2])
            if not level:
                parts.append(cell.source[begin:end])
        if parts:
            yield nbformat.from_dict({**cell, "source": "".join(parts)})


def _shows(cells: list[NotebookNode], level: int) -> bool:
    """Whether a cell shows something before the next heading of this level or of one above it."""
    inside = itertools.takewhile(
        lambda cell: (
            cell.cell_type != "markdown" or all(len(heading[1]) > level for heading in _HEADING.finditer(cell.source))
        ),
        cells,
    )
    return any(cell.outputs for cell in inside if cell.cell_type == "code")


def _without_references(text: str, gone: set[str]) -> str:
    """Leave out the sentences, and the items of lists, that refer to what is gone."""
    if not gone & set(REFERENCE.findall(text)):
        return text
    lines = []
    for line in text.split("\n"):
        if not gone & set(REFERENCE.findall(line)):
            lines.append(line)
        elif not line.startswith("- "):
            sentences = [one for one in _SENTENCE_END.split(line) if not gone & set(REFERENCE.findall(one))]
            lines.append(" ".join(sentences))
    return "\n".join(lines)
