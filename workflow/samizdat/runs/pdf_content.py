"""Read what a PDF shows, to compare it with another one: words, pictures, and how much else is drawn."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class PdfContent:
    """What a PDF shows."""

    words: str  # of all pages, with one blank wherever there is white space
    pictures: list[np.ndarray]  # each [height, width, channels] of values from 0 to 255
    drawn: int  # lines, areas and notes: words can be painted over by them


def content_of_pdf(path: Path) -> PdfContent:
    """Read a PDF. It is somebody else's: what can't be read ends in an error of pypdfium2."""
    from pypdfium2 import PdfDocument, raw

    words, pictures, drawn = [], [], 0
    for page in PdfDocument(path):
        words.append(page.get_textpage().get_text_bounded())
        drawn += raw.FPDFPage_GetAnnotCount(page.raw)
        for thing in page.get_objects():
            if thing.type == raw.FPDF_PAGEOBJ_IMAGE:
                pictures.append(np.atleast_3d(thing.get_bitmap().to_numpy()))  # of grey ones it has no channels
            elif thing.type != raw.FPDF_PAGEOBJ_TEXT:
                drawn += 1
    # With other numbers a line may break in another place, but not within a number, where the blank is another one.
    return PdfContent(re.sub("[ \t\r\n]+", " ", " ".join(words)).strip(), pictures, drawn)
