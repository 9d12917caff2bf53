"""Figures with letters of other scripts: the installed fonts are asked, and what none has is told."""

import matplotlib as mpl
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from samizdat.reporting import fonts
from samizdat.reporting.style import drawing

# Unicode has no letters at these places, so no font of this machine has them.
LETTER, OTHER = "\u0378", "\u0379"


@pytest.fixture
def font(tmp_path):
    """A font file with one letter, a square."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 700), (700, 700), (700, 0)):
        pen.lineTo(corner)
    pen.closePath()
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", "letter"])
    builder.setupCharacterMap({ord(LETTER): "letter"})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "letter": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (800, 0), "letter": (800, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Samizdat Test", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "test.ttf")
    return str(tmp_path / "test.ttf")


def picture(label):
    """A figure with a label of an axis, as a notebook shows it: the PNG and what is known of it."""
    with drawing("A title", 2) as (drawn, (axis,)):
        axis.barh([label], [1])
    data, metadata = drawn._repr_mimebundle_()
    return data["image/png"], metadata["image/png"]


def test_a_font_that_was_installed_later_is_asked_for_the_letters(font, monkeypatch):
    monkeypatch.setattr(mpl.font_manager.fontManager, "ttflist", list(mpl.font_manager.fontManager.ttflist))
    monkeypatch.setattr(fonts, "findSystemFonts", lambda: [])
    without, told = picture(LETTER)
    assert told["letters_without_font"] == LETTER
    monkeypatch.setattr(fonts, "findSystemFonts", lambda: [font, "no-such-font.ttf"])
    with_font, told = picture(LETTER)
    assert "letters_without_font" not in told and with_font != without
    _, told = picture(f"{OTHER}{LETTER}")
    assert told["letters_without_font"] == OTHER


def test_letters_that_matplotlib_has_need_no_other_font(monkeypatch):
    monkeypatch.setattr(fonts, "findSystemFonts", lambda: pytest.fail("the machine's fonts decide nothing here"))
    _, told = picture("žluťoučký Ἀθῆναι мир مرحبا שלום")
    assert "letters_without_font" not in told
