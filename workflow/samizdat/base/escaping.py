"""Escaping of any text, hostile text too, so that pandoc, Quarto and Jupyter show exactly its characters."""

import itertools
import re
import unicodedata

from icu4py.breakers import CharacterBreaker

from samizdat.base.language import plural

# Characters with a meaning in Markdown, HTML, TeX math, citations, shortcodes or typographic quotes.
_SPECIAL = re.compile(
    "[\ufeff]"  # the byte order mark at the beginning of a document
    r"""|[\\`*_{}\[\]<>#+|!$@^~&"'=]"""
    r"|(?<=[.-])[.-]|[.-](?=[.-])"  # would become … and –
    r"|:(?=[/:]|[\w+-]+:)|(?<=:):|(?<=www)\."  # automatic links, :emoji: and fences
    r"|(?<=^Table):|(?<=^table):|^\s*(?:[-:(%]|\w+[.)])"  # captions, definitions, titles, lists: at a line's beginning
)
# What MathJax in Jupyter reads in the finished page as the beginning of math, except in elements of these classes.
_MATH = re.compile(r"\$|\\(?=[(\[]|begin)")
_NO_MATH = '<span class="mathjax_ignore tex2jax_ignore">&#{};</span>'
# Control characters that change the direction of the text after them. Marks and joiners are kept, as scripts need them.
_DIRECTION = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f")
ISOLATE, END_OF_ISOLATE = "\u2068", "\u2069"  # around a name whose direction doesn't affect its neighbours
_ISOLATED = re.compile(f"{ISOLATE}([^{ISOLATE}{END_OF_ISOLATE}]*){END_OF_ISOLATE}")
_KEPT_FORMATS = set("\u200b\u200c\u200d\u200e\u200f\u061c\u2060\ufeff\u00ad")

_LONGEST_LETTER = 32  # code points; a letter with more marks may be cut


def visible(text: str) -> str:
    """Replace control characters by pictures (␛) or code points, and every kind of line end by `\\n`."""
    return "".join(_shown(character) for character in re.sub("\r\n?|[\u2028\u2029\x85]", "\n", text))


def _shown(character: str) -> str:
    if character == "\n" or (character >= " " and character < "\x7f"):
        return character
    if character < " ":
        return chr(0x2400 + ord(character)) if character != "\t" else "  "
    if character == "\x7f":
        return "␡"
    kind = unicodedata.category(character)
    if character in _DIRECTION or kind in ("Cc", "Cs", "Co") or (kind == "Cf" and character not in _KEPT_FORMATS):
        return f"⟨U+{ord(character):04X}⟩"
    if kind == "Cn" and (ord(character) & 0xFFFE) == 0xFFFE:
        return f"⟨U+{ord(character):04X}⟩"
    return character


def escape(text: str) -> str:
    """Write any text as one line of Markdown that shows exactly its characters; line ends become `<br>`.

    Characters that could have a meaning are written as numeric references, which every dialect of Markdown and HTML
    show as the plain character.
    """
    return "<br>".join(_escape_line(line) for line in visible(text).split("\n"))


def _escape_line(line: str) -> str:
    def reference(match: re.Match[str]) -> str:
        if _MATH.match(line, match.start()):
            return _NO_MATH.format(ord(match.group()))
        return "".join(character if character.isalnum() else f"&#{ord(character)};" for character in match.group())

    escaped = _SPECIAL.sub(reference, line)
    # Several spaces would become one.
    return re.sub(" (?= )|^ | $", "&#160;", escaped)


def plain(text: str) -> str:
    """Write any text as one visible line, for places without Markdown: figures and alternative text."""
    return " ".join(visible(text).split())


def isolated(name: str) -> str:
    """Write a name as one visible line, between isolates if it has letters that are read from right to left."""
    words = plain(name)
    from_right = any(unicodedata.bidirectional(letter) in ("R", "AL", "AN") for letter in words)
    return f"{ISOLATE}{words}{END_OF_ISOLATE}" if from_right else words


def escape_isolated(text: str) -> str:
    """Write a text as `escape` does; names that `isolated` put between isolates become elements of their own."""
    return "".join(
        f"<bdi>{escape(piece)}</bdi>" if place % 2 else escape_piece(piece)
        for place, piece in enumerate(_ISOLATED.split(text))
    )


def shortened(text: str, longest: int = 120) -> str:
    """Cut a text to `longest` characters, the last of which is then `…`."""
    return text if len(text) <= longest else f"{text[: whole_letters(text, longest - 1)]}…"


def whole_letters(text: str, at: int) -> int:
    """Return the last place up to `at`, in code points, at which a text can be cut without cutting a letter."""
    at = min(max(0, at), len(text))
    start = max(0, at - _LONGEST_LETTER)
    around = re.sub("[\ud800-\udfff]", "?", text[start : at + _LONGEST_LETTER])  # ICU refuses halves of pairs
    ends = itertools.accumulate(map(len, CharacterBreaker(around, "root")))
    return max((start + end for end in ends if start + end <= at), default=start)


def attribute(text: str) -> str:
    """Write any text as one visible line for a quoted attribute in Markdown; `html.unescape` gives it back.

    Names stay between the isolates that `isolated` put around them.
    """
    line = " ".join(
        "".join(
            isolated(piece) if place % 2 else visible(piece) for place, piece in enumerate(_ISOLATED.split(text))
        ).split()
    )
    # Quarto expands shortcodes such as {{…}} in attributes, so an invisible word joiner is put between two braces.
    apart = re.sub(r"([{}])(?=[{}])", "\\1\u2060", line)
    return re.sub(r"[^\w\s.,;:()%“”–-]", lambda match: f"&#{ord(match.group())};", apart)


def quoted(text: str, *, language: str, longest: int = 400, marked: tuple[int, int] = (0, 0)) -> str:
    """Write a text as an isolated run with its own direction and language; cut a long one and add its length.

    Args:
        text: any text.
        language: of the text, as in HTML's `lang`.
        longest: a text of more characters is cut.
        marked: where a passage begins and ends that is marked.
    """
    tail = plural(" … ({count} character)", " … ({count} characters)", len(text)) if len(text) > longest else ""
    shown = text[: whole_letters(text, longest)].rstrip() if tail else text
    # No mark begins or ends between the two characters of one line end.
    begin, end = (min(place, len(shown)) - (place > 0 and shown[place - 1 : place + 1] == "\r\n") for place in marked)
    pieces = (
        f"{escape_piece(shown[:begin])}<mark>{escape_piece(shown[begin:end])}</mark>{escape_piece(shown[end:])}"
        if begin < end
        else escape(shown)
    )
    return f'<bdi lang="{escape(language)}">{pieces}</bdi>{tail}'


def escape_piece(piece: str) -> str:
    """Escape a piece of a text, and leave one blank at its beginning or end, so that lines can break there."""
    begin = int(piece[:1] == " " and piece[1:2] != " ")
    end = len(piece) - int(piece[-1:] == " " and piece[-2:-1] != " " and len(piece) > begin)
    return piece[:begin] + escape(piece[begin:end]) + piece[end:]
