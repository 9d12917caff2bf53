"""Choose the widths of a table's columns and its font size, so that on paper no word is cut."""

from dataclasses import dataclass

from samizdat.publishing.typst_text import pieces, width

# Sizes in points. Where words don't fit even in the smallest one, long words are broken.
SIZE, SMALLEST = 8.5, 6.0
LONGEST_WORD = 24
_POINTS_PER_MM = 72 / 25.4
_PADDING_POINTS = 8.0
# A column with long texts isn't given more than this many ems because of them.
_WIDEST = 60.0


@dataclass(frozen=True)
class Fit:
    """How a table fits a page: the share of the width that each column has, the font size, the longest word."""

    shares: list[float]
    points: float
    longest_word: int  # in characters; longer ones are broken


def fitted(columns: list[list[str]], millimetres: float) -> Fit:
    """Fit a table into a width: each column has room for its longest word, and short columns for all.

    Args:
        columns: the lines of the cells of each column.
        millimetres: the width of the table.
    """
    available = millimetres * _POINTS_PER_MM - _PADDING_POINTS * len(columns)
    most = [min(max((width(line) for line in lines), default=0.0), _WIDEST) for lines in columns]
    longest_word = LONGEST_WORD
    while True:
        least = [min(_longest_piece(lines, longest_word), whole) for lines, whole in zip(columns, most, strict=True)]
        points = min(SIZE, available / max(sum(least), 1.0))
        if points >= SMALLEST or longest_word == 1:
            break
        longest_word //= 2
    points = max(points, SMALLEST)
    ems = available / points
    wanted = [whole - word for whole, word in zip(most, least, strict=True)]
    spare = max(ems - sum(least), 0.0)
    if sum(wanted) > spare:
        given = [word + more for word, more in zip(least, _shared(spare, wanted), strict=True)]
    else:
        given = [whole + (spare - sum(wanted)) / len(columns) for whole in most]
    widths = [ems_ * points + _PADDING_POINTS for ems_ in given]
    return Fit([one / sum(widths) for one in widths], points, longest_word)


def _shared(spare: float, wanted: list[float]) -> list[float]:
    """Share a width: columns that want least get it whole, so that a short label stays in one line."""
    given = [0.0] * len(wanted)
    waiting = sorted(range(len(wanted)), key=wanted.__getitem__)
    for place, column in enumerate(waiting):
        given[column] = min(wanted[column], spare / (len(waiting) - place))
        spare -= given[column]
    return given


def _longest_piece(lines: list[str], longest_word: int) -> float:
    """Measure the longest piece that can't be broken, in ems; of a longer word a third of the longest has to fit."""
    return max(
        (
            width(piece if len(piece) <= longest_word else piece[: max(longest_word // 2, 1)])
            for line in lines
            for piece in pieces(line)
        ),
        default=0.0,
    )
