"""Draw a figure with fonts that have its letters: matplotlib's own, and for other scripts those of the machine."""

import io
import re
import warnings

from matplotlib.figure import Figure
from matplotlib.font_manager import FontEntry, findSystemFonts, fontManager
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

_MISSING = re.compile(r"Glyph (\d+) ")


def draw(figure: Figure, fonts: list[str], dots_per_inch: int) -> tuple[bytes, str]:
    """Draw a figure as a PNG; where the fonts lack letters, ask the installed fonts which of them has the letters.

    Args:
        figure: its letters are known once it is drawn, so it may be drawn twice.
        fonts: families, the first of which is used where it has a letter.
        dots_per_inch: of the picture.

    Returns:
        The picture, and the letters that no font has: they are drawn as boxes.
    """
    image, missing = _draw(figure, dots_per_inch)
    more = _families_with(missing) if missing else []
    if more:
        for text in figure.findobj(Text):
            text.set_fontfamily([*fonts, *more])
        image, missing = _draw(figure, dots_per_inch)
    return image, "".join(sorted(missing))


def _draw(figure: Figure, dots_per_inch: int) -> tuple[bytes, set[str]]:
    """Draw a figure; return the picture and the letters that its fonts lack."""
    file = io.BytesIO()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        figure.savefig(file, format="png", dpi=dots_per_inch, metadata={"Software": None})
    found = (_MISSING.match(str(warning.message)) for warning in said)
    return file.getvalue(), {chr(int(number[1])) for number in found if number}


def _families_with(letters: set[str]) -> list[str]:
    """Find as few families of installed fonts as have all of the letters that any has."""
    known = {entry.fname for entry in fontManager.ttflist}
    for path in sorted(set(findSystemFonts()) - known):  # installed after matplotlib wrote its list
        try:
            fontManager.addfont(path)
        except (OSError, RuntimeError):
            continue
    families: dict[str, set[str]] = {}
    for entry in sorted(fontManager.ttflist, key=lambda entry: (entry.name, entry.fname)):
        if "Last Resort" not in entry.name and entry.style == "normal":  # it has a box for every letter
            families.setdefault(entry.name, set()).update(letters & _letters_of(entry))
    chosen: list[str] = []
    missing = set(letters)
    while families and (best := max(families, key=lambda name: len(families[name] & missing))):
        if not families[best] & missing:
            break
        chosen.append(best)
        missing -= families[best]
    return chosen


def _letters_of(entry: FontEntry) -> set[str]:
    """List the letters of a font; none where matplotlib can't read it."""
    try:
        return set(map(chr, FT2Font(entry.fname, face_index=entry.index).get_charmap()))
    except (OSError, RuntimeError):
        return set()
