"""Set how figures look: one width, colours that colour-blind readers can tell apart, marks for grey print."""

import base64
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import matplotlib as mpl
import seaborn as sns
from icu4py.breakers import CharacterBreaker, LineBreaker
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, ScalarFormatter

from samizdat.base.escaping import plain
from samizdat.base.language import numeral, with_signs
from samizdat.reporting.fonts import draw

WIDTH_INCHES = 7.2
# Two pictures are next to each other on a wide page of the first screen, and one fits a phone.
NARROW_INCHES = 3.6
LINE_CHARACTERS = 100  # of a legend that fit the width
DOTS_PER_INCH = 200
# The size at which a page shows a figure. The file has twice as many pixels, for sharp screens.
PIXELS_PER_INCH = 100
INK, FAINT, RULE = "#222222", "#5f6368", "#d0d3d6"

PALETTE: tuple[str, ...] = tuple(sns.color_palette("colorblind").as_hex())
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p")
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "ooo", "+++", "---", "***", "|||")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)))

# It comes with matplotlib. Where it lacks letters, the installed fonts are asked for them.
_FONT = "DejaVu Sans"


class Picture(Figure):
    """A figure that a notebook shows as a PNG with an alternative text; the same figure gives the same bytes.

    Its title, which states the finding, is no part of the picture: it is text of the caption, which can be searched.
    """

    title = ""
    alternative_text = ""

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, str], dict[str, dict[str, object]]]:
        with _settings():
            content, missing = draw(self, mpl.rcParams["font.family"], DOTS_PER_INCH)
        width, height = self.get_size_inches() * PIXELS_PER_INCH
        hints = {"title": self.title, "alt": self.alternative_text, "width": round(width), "height": round(height)}
        if missing:
            hints["letters_without_font"] = missing
        image = base64.b64encode(content).decode()
        return (
            {"image/png": image, "text/plain": self.alternative_text},
            {"image/png": hints | {"needs_background": "light"}},
        )


@contextmanager
def _settings() -> Iterator[None]:
    """Apply the look of all figures: fonts, sizes, colours and grid."""
    with mpl.rc_context(), sns.axes_style("ticks"), sns.plotting_context("notebook"), warnings.catch_warnings():
        # The layout is computed before the picture is drawn, which finds fonts for such letters.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        mpl.rcParams.update(
            {
                "font.family": [_FONT],
                "font.size": 9,
                "axes.titlesize": 9.5,
                "axes.labelsize": 9,
                "xtick.labelsize": 8.5,
                "ytick.labelsize": 8.5,
                "legend.fontsize": 8.5,
                "axes.titlelocation": "left",
                "axes.edgecolor": FAINT,
                "axes.labelcolor": INK,
                "axes.linewidth": 0.8,
                "axes.grid": True,
                "axes.axisbelow": True,
                "grid.color": RULE,
                "grid.linewidth": 0.6,
                "xtick.color": FAINT,
                "ytick.color": FAINT,
                "xtick.labelcolor": INK,
                "ytick.labelcolor": INK,
                "text.color": INK,
                "text.parse_math": False,
                "legend.frameon": False,
                "lines.linewidth": 1.6,
                "lines.markersize": 5,
                "hatch.linewidth": 0.6,
            }
        )
        yield


@contextmanager
def drawing(
    title: str,
    height_inches: float,
    *,
    rows: int = 1,
    columns: int = 1,
    height_ratios: Sequence[float] | None = None,
    sharex: bool = False,
    sharey: bool = False,
    width_inches: float = WIDTH_INCHES,
) -> Iterator[tuple[Picture, list[Axes]]]:
    """Make a picture with a grid of axes, listed row by row, and a title that states the finding."""
    with _settings():
        picture = Picture(figsize=(width_inches, height_inches), layout="constrained", facecolor="white")
        grid = picture.subplots(rows, columns, squeeze=False, height_ratios=height_ratios, sharex=sharex, sharey=sharey)
        axes = grid.ravel().tolist()
        picture.title = title
        yield picture, axes
        for axis in axes:
            sns.despine(ax=axis)
            for numbers in (axis.xaxis, axis.yaxis):
                if type(numbers.get_major_formatter()) is ScalarFormatter:
                    numbers.set_major_formatter(_Numbers())


class _Numbers(ScalarFormatter):
    """Labels ticks with the signs of the report's language."""

    def __call__(self, value: float, position: int | None = None) -> str:
        return with_signs(super().__call__(value, position))


@contextmanager
def panels_in_pairs(
    title: str, panels: int, panel_inches: float, more_inches: float, *, sharey: bool = False
) -> Iterator[tuple[Picture, list[Axes]]]:
    """Make a picture with axes for a number of panels, two in a row; where one place is left over, it stays empty."""
    columns = min(2, panels)
    rows = -(-panels // columns)
    height = more_inches + rows * panel_inches
    with drawing(title, height, rows=rows, columns=columns, sharey=sharey) as (picture, axes):
        for axis in axes[panels:]:
            axis.set_axis_off()
        yield picture, axes[:panels]


def described(title: str, kind: str, parts: Iterable[str]) -> str:
    """Join an alternative text: the finding, the kind of figure, and what each part of it shows."""
    return f"{title}. {kind}. {'; '.join(parts)}."


def wrapped(text: str, width: int, most: int = 4) -> str:
    """Break a title, label or name, as visible text, into at most `most` lines of the width of `width` Latin letters.

    Lines break where Unicode's rules and ICU's dictionaries say (Unicode Standard Annex 14), also without blanks.
    """
    lines = [""]
    for piece in LineBreaker(plain(text), "root"):
        pieces = [piece] if _width(piece.rstrip()) <= width else CharacterBreaker(piece, "root")
        for part in pieces:
            if _width(lines[-1] + part.rstrip()) > width and lines[-1]:
                lines.append("")
            lines[-1] += part
    lines = [line.strip() for line in lines]
    return "\n".join(lines) if len(lines) <= most else "\n".join(lines[:most]) + "…"


def _width(text: str) -> int:
    """Return the width of a line in Latin letters: a Chinese letter is as wide as two, a mark has none."""
    return sum(
        2 if unicodedata.east_asian_width(letter) in "WF" else unicodedata.category(letter) not in ("Mn", "Me", "Cf")
        for letter in text
    )


def legend_label(text: str, width: int) -> str:
    """Wrap a name for a legend. Matplotlib leaves out names that begin with `_`, so an invisible character is first."""
    return f"\u200b{wrapped(text, width)}"


def legend_columns(labels: Sequence[str], most: int, width_inches: float = WIDTH_INCHES) -> int:
    """Choose as many columns as fit the width of a figure, at most `most`."""
    longest = max((_width(line) for label in labels for line in label.split("\n")), default=1)
    return max(1, min(most, len(labels), int(LINE_CHARACTERS * width_inches / WIDTH_INCHES) // (longest + 6)))


def legend_below(picture: Picture, axis: Axes) -> None:
    """Draw one legend for all axes below them."""
    handles, labels = axis.get_legend_handles_labels()
    columns = legend_columns(labels, 4)
    picture.legend(handles, labels, loc="outside lower left", ncols=columns, borderaxespad=0, handletextpad=0.3)


def in_percent() -> FuncFormatter:
    """Return a formatter that labels the ticks of shares as the text does, and none with a rounded number: 2.5 %."""
    return FuncFormatter(lambda share, _: f"{numeral(round(100 * share, 6) + 0.0, 'g')}\u00a0%")
