"""Compare two texts of reports: the same words and pictures, and numbers that agree within a tolerance."""

import base64
import io
import math
import re
from collections.abc import Iterator

import numpy as np
from PIL import Image

from samizdat.base.escaping import shortened
from samizdat.runs.same_pictures import pictures_agree

# Two numbers agree when they differ by at most this share of the larger one.
RELATIVE_TOLERANCE = 1e-3
SHOWN = 40  # characters of what differs, at most

_NUMBER = re.compile(r"(\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?)")
_PICTURE = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=]+)")
# A number as languages with a decimal comma write it: 1 234,5 or 1.234,5. In a list of numbers a comma is none.
_WITH_COMMA = re.compile(r"(?<![\d.,])([1-9]\d{0,2}(?:[\u00a0.]\d{3})+|\d+)(?:,(\d+))?(?![.,]?\d)")


def text_difference(old: str, new: str, *, comma: bool, exact: bool = False) -> str | None:
    """Find where two texts differ by more than their numbers and pictures may; None where they agree.

    Args:
        old: what was expected.
        new: what was found.
        comma: whether the texts' language has a decimal comma.
        exact: whether numbers must be the same.
    """
    if comma and not exact:
        old, new = (_WITH_COMMA.sub(_with_point, text) for text in (old, new))
    line = 1
    for (a, picture_a), (b, picture_b) in _pairs(_PICTURE, old, new):
        for (words_a, number_a), (words_b, number_b) in _pairs(_NUMBER, a, b):
            if words_a != words_b or not (number_a == number_b if exact else _figures_agree(number_a, number_b)):
                whole_a, whole_b = words_a + (number_a or ""), words_b + (number_b or "")
                common = first_difference(whole_a, whole_b)
                line += whole_a[:common].count("\n")
                begin = max(whole_a.rfind("\n", 0, common) + 1, common - 10)
                return f"line {line}: {shortened(whole_a[begin:], SHOWN)} against {shortened(whole_b[begin:], SHOWN)}"
            line += words_a.count("\n")
        if picture_a is not None and picture_b is not None and not _pictures_agree(picture_a, picture_b):
            return f"line {line}: another picture"
    return None


Part = tuple[str, str | None]  # the text before a match, and the match


def _pairs(pattern: re.Pattern[str], old: str, new: str) -> Iterator[tuple[Part, Part]]:
    """Cut both texts at the matches of the pattern's group; yield their parts in pairs."""
    a, b = ([*pattern.split(text), None] for text in (old, new))
    longest = max(len(a), len(b))
    for parts in (a, b):
        parts += [""] * (longest - len(parts))
    for place in range(0, longest, 2):
        yield (a[place] or "", a[place + 1]), (b[place] or "", b[place + 1])


def _figures_agree(a: str | None, b: str | None) -> bool:
    """Whether two numbers in a text agree within the tolerance, or within one unit of the last decimal shown."""
    if not a or not b or a == b:
        return a == b
    decimals = max(len(number.partition("e")[0].partition(".")[2]) for number in (a, b))
    old, new = (float(number.replace(",", "")) for number in (a, b))
    return math.isclose(old, new, rel_tol=RELATIVE_TOLERANCE, abs_tol=1.01 * 10**-decimals if decimals else 0.0)


def _pictures_agree(a: str, b: str) -> bool:
    old, new = (Image.open(io.BytesIO(base64.b64decode(text))) for text in (a, b))
    # Compared by size before anything is decoded: somebody else's picture may be made to fill the memory.
    return old.size == new.size and pictures_agree(*(np.asarray(one.convert("RGBA")) for one in (old, new)))


def _with_point(number: re.Match[str]) -> str:
    """Write a number with a decimal comma as English does."""
    whole = re.sub(r"[\u00a0.]", ",", number[1])
    return whole if number[2] is None else f"{whole}.{number[2]}"


def first_difference(old: bytes | str, new: bytes | str) -> int:
    """Find the first place at which two texts or files differ."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(old), len(new)))
