"""Hostile text shown as what it is: in Markdown that pandoc, Quarto and Jupyter all read alike."""

import re
import unicodedata

# What Markdown, HTML, TeX math, citations, shortcodes or typographic quotes could see in a line of text.
_SPECIAL = re.compile(
    "[\ufeff]"  # at the beginning of a document, a mark of its encoding
    r"""|[\\`*_{}\[\]<>#+|!$@^~&"'=]"""
    r"|(?<=[.-])[.-]|[.-](?=[.-])"  # … and – would be made of these
    r"|:(?=[/:]|[\w+-]+:)|(?<=:):|(?<=www)\."  # links that make themselves, :pictures: and fences
    r"|(?<=^Table):|(?<=^table):|^\s*(?:[-:(%]|\w+[.)])"  # captions, definitions, titles, lists: where a line begins
)
# MathJax in Jupyter looks for dollars in the finished page, wherever it is not told to look away.
_DOLLAR = '<span class="mathjax_ignore tex2jax_ignore">&#36;</span>'
# Controls that turn the direction of what follows; marks and joiners, which scripts need, stay.
_DIRECTION = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f")
_KEPT_FORMATS = set("\u200b\u200c\u200d\u200e\u200f\u061c\u2060\ufeff\u00ad")


def visible(text: str) -> str:
    """Text with what can't be seen made visible: controls as pictures (␛) or code points, line ends as `\\n`."""
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
    """Any text as one line of Markdown that shows exactly its characters; line ends become `<br>`.

    Characters that could mean something are written as numeric references, which mean themselves in every
    dialect of Markdown and in HTML.
    """
    return "<br>".join(_escape_line(line) for line in visible(text).split("\n"))


def _escape_line(line: str) -> str:
    def reference(match: re.Match[str]) -> str:
        return "".join(
            _DOLLAR if character == "$" else character if character.isalnum() else f"&#{ord(character)};"
            for character in match.group()
        )

    escaped = _SPECIAL.sub(reference, line)
    # Runs of blanks would become one.
    return re.sub(" (?= )|^ | $", "&#160;", escaped)


def plain(text: str) -> str:
    """Any text as one visible line, for places that take no Markdown: figures and alternative text."""
    return " ".join(visible(text).split())


def shortened(text: str, longest: int = 120) -> str:
    """A name as it is, or the beginning of one that would fill a page."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def attribute(text: str) -> str:
    """Any text as one visible line for a quoted attribute in Markdown; `html.unescape` gives it back, braces apart."""
    # Quarto expands shortcodes in finished attributes: a word joiner, which nobody sees, keeps two braces apart.
    apart = re.sub(r"([{}])(?=[{}])", "\\1\u2060", plain(text))
    return re.sub(r"[^\w\s.,;:()%“”–-]", lambda match: f"&#{ord(match.group())};", apart)


def quoted(text: str, *, language: str, longest: int = 400) -> str:
    """A text as an isolated run in its own direction and language; a long one cut, with a word on its length."""
    tail = f" … ({len(text):,} characters)" if len(text) > longest else ""
    return f'<bdi lang="{escape(language)}">{escape(text[:longest].rstrip() if tail else text)}</bdi>{tail}'
