"""Read a PDF: its words, its contents, what is read aloud of its pictures, and what is cut or overlaps."""

import ctypes
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
import pypdfium2.raw as pdfium


def words(pdf: Path | bytes) -> str:
    """The text of all pages without any white space, which depends on where lines break."""
    return "".join(re.sub(r"[\s\x02\ufffe\u200b\u2068\u2069]", "", text) for text in pages(pdf))


def pages(pdf: Path | bytes) -> list[str]:
    """The text of each page."""
    return [page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(pdf)]


def contents(pdf: Path | bytes) -> list[tuple[int, str]]:
    """The bookmarks: level, from 1, and title."""
    return [(entry.level + 1, entry.get_title()) for entry in pypdfium2.PdfDocument(pdf).get_toc()]


def picture_widths(pdf: Path | bytes) -> list[float]:
    """The width of each picture on paper, in points."""
    found = []
    for page in pypdfium2.PdfDocument(pdf):
        for item in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE]):
            left, _, right, _ = item.get_bounds()
            found.append(right - left)
    return found


def alternatives(pdf: Path | bytes) -> list[tuple[str, str]]:
    """What is read aloud instead of what is seen: kind of element and text."""
    found: list[tuple[str, str]] = []
    for page in pypdfium2.PdfDocument(pdf):
        tree = pdfium.FPDF_StructTree_GetForPage(page)
        for number in range(pdfium.FPDF_StructTree_CountChildren(tree)):
            found += _alternatives(pdfium.FPDF_StructTree_GetChildAtIndex(tree, number))
        pdfium.FPDF_StructTree_Close(tree)
    return found


def _alternatives(element: ctypes.c_void_p) -> Iterator[tuple[str, str]]:
    if not element:
        return
    kind, text = (
        _string(function, element)
        for function in (pdfium.FPDF_StructElement_GetType, pdfium.FPDF_StructElement_GetAltText)
    )
    if text:
        yield kind, text
    for number in range(pdfium.FPDF_StructElement_CountChildren(element)):
        yield from _alternatives(pdfium.FPDF_StructElement_GetChildAtIndex(element, number))


def _string(function: object, element: ctypes.c_void_p) -> str:
    length = function(element, None, 0)
    buffer = ctypes.create_string_buffer(max(length, 2))
    function(element, buffer, length)
    return buffer.raw[: max(length, 2) - 2].decode("utf-16-le")


def cut(pdf: Path | bytes) -> list[str]:
    """Letters that are outside of their page, or on top of letters of other words, each with its page."""
    found = []
    for number, page in enumerate(pypdfium2.PdfDocument(pdf), start=1):
        width, height = page.get_size()
        letters = list(_letters(page.get_textpage()))
        for _, (left, bottom, right, top), letter in letters:
            if left < 0 or bottom < 0 or right > width + 0.5 or top > height + 0.5:
                found.append(f"page {number}: {letter!r} is outside of the page")
        found += [f"page {number}: {a!r} is on {b!r}" for a, b in _overlaps(letters)]
    return found


def right_edges(pdf: Path | bytes, letter: str) -> list[float]:
    """Where a letter ends on the first page, each time, in points from the left."""
    page = pypdfium2.PdfDocument(pdf)[0]
    return [box[2] for _, box, found in _letters(page.get_textpage()) if found == letter]


Box = tuple[float, float, float, float]


def _letters(text: pypdfium2.PdfTextPage) -> Iterator[tuple[int, Box, str]]:
    """The visible letters of a page: place in the text, box, letter."""
    for place, letter in enumerate(map(chr, (pdfium.FPDFText_GetUnicode(text, n) for n in range(text.count_chars())))):
        if letter.strip() and unicodedata.category(letter)[0] not in "MC":
            yield place, text.get_charbox(place), letter


def _ligature(letter: str) -> int:
    """How many letters one glyph may show: ﷺ is eighteen."""
    return 20 if unicodedata.bidirectional(letter) == "AL" else 3


# A letter with several marks is listed once for each of its parts, with all marks.
_CLUSTER = 12


def _overlaps(letters: list[tuple[int, Box, str]]) -> Iterator[tuple[str, str]]:
    """Find letters that cover each other's middle, but for those of one word: ligatures, marks."""
    seen: dict[tuple[int, int], list[tuple[int, Box, str]]] = {}
    for place, box, letter in letters:
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        column, row = int(x // 8), int(y // 8)
        for other_place, other, other_letter in (
            one for dx in (-1, 0, 1) for dy in (-1, 0, 1) for one in seen.get((column + dx, row + dy), ())
        ):
            if letter == other_letter and abs(place - other_place) <= _CLUSTER:
                continue
            inside = other[0] < x < other[2] and other[1] < y < other[3]
            if inside and box[0] < (other[0] + other[2]) / 2 < box[2] and abs(place - other_place) > _ligature(letter):
                yield letter, other_letter
        seen.setdefault((column, row), []).append((place, box, letter))
