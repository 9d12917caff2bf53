"""Compile a Typst document to a PDF that passes PDF/UA-1, with fonts that have all its letters."""

import base64
import logging
import re
import shutil
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from types import ModuleType

from fontTools import unicodedata

from samizdat.base.errors import UserError
from samizdat.publishing.typst_source import Document
from samizdat.publishing.typst_text import literal

log = logging.getLogger("samizdat")

_MISSING = re.compile(r'error: PDF/UA-1 error: the text `"((?:[^"\\`]|\\.)+)"` could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}|\\(.)")


def compile_pdf(document: Document, folder: Path) -> tuple[bytes, Counter[str]]:
    """Compile a document; the same document and fonts give the same bytes.

    Letters that no font has are written as their code points: a model that has not learned much writes letters of any
    script, and a run must not fail for that.

    The compiler's own fonts and matplotlib's DejaVu Sans are tried first, so that most reports are the same bytes on
    every machine. Only for letters that these don't have are the installed fonts asked.

    Args:
        document: as `write_typst` returns it.
        folder: where to write what the compiler reads; it can read nothing outside of it.

    Returns:
        The PDF, and the letters that are written as code points, with how often they come.

    Raises:
        UserError: the compiler isn't installed.
    """
    typst = _compiler()
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "fonts").mkdir(parents=True)
    for font in _own_fonts():
        shutil.copy(font, folder / "fonts")
    for name, image in document.images.items():
        (folder / name).write_bytes(base64.b64decode(image))
    source = document.source
    pdf, missing = _compile(typst, source, folder, installed_fonts=False)
    if missing:
        pdf, missing = _compile(typst, source, folder, installed_fonts=True)
    if missing:
        source = _marks_apart(source, missing)
        pdf, missing = _compile(typst, source, folder, installed_fonts=True)
    written_as_points: set[str] = set()
    while pdf is None:
        if missing <= written_as_points:
            raise RuntimeError(f"typst can't display its own brackets: {sorted(missing)}")
        written_as_points |= _missing_alone(typst, missing, folder) or missing
        points = {ord(letter): f"⟨U+{ord(letter):04X}⟩" for letter in written_as_points}
        log.info("letters that no font has: %s", " ".join(sorted(points.values())))
        pdf, missing = _compile(typst, source.translate(points), folder, installed_fonts=True)
    return pdf, Counter(letter for letter in document.source if letter in written_as_points)


def _compiler() -> ModuleType:
    """Import the compiler.

    Raises:
        UserError: it is not installed.
    """
    try:
        import typst
    except ImportError as error:
        raise UserError(
            f"report.pdf can't be written: the package typst is not installed here ({error})",
            remedy="run `make .venv/ready`, which installs what is missing; `pdf: false` in the config leaves it out",
        ) from None
    module: ModuleType = typst
    return module


def _own_fonts() -> list[Path]:
    """List the files of the font that comes with matplotlib."""
    import matplotlib as mpl

    return sorted(Path(mpl.get_data_path(), "fonts", "ttf").glob("DejaVuSans*.ttf"))


def _compile(typst: ModuleType, source: str, folder: Path, *, installed_fonts: bool) -> tuple[bytes | None, set[str]]:
    """Compile a document; return the PDF, or the letters that no font has."""
    path = folder / "report.typ"
    path.write_text(source, encoding="utf-8")
    try:
        pdf: bytes = typst.compile(
            path,
            root=folder,
            font_paths=[folder / "fonts"],
            ignore_system_fonts=not installed_fonts,
            # No document of this program imports a package; should a text ever become markup, none is found.
            package_path=folder / "none",
            package_cache_path=folder / "none",
            format="pdf",
            pdf_standards="ua-1",
            timestamp=0,
        )
    except typst.TypstError as error:
        missing = {letter for found in _MISSING.finditer(error.diagnostic) for letter in _unescaped(found[1])}
        if not missing:
            raise RuntimeError(f"typst: {error.diagnostic}") from None
        return None, missing
    return pdf, set()


def _missing_alone(typst: ModuleType, letters: Collection[str], folder: Path) -> set[str]:
    """Return those of some letters that no font has; letters beside such a one are refused with it."""
    each = "\n\n".join(f"#{literal(letter)}" for letter in sorted(letters))
    return _compile(typst, f'#set document(title: "letters")\n{each}', folder, installed_fonts=True)[1]


def _marks_apart(source: str, missing: Collection[str]) -> str:
    """Put an invisible space before marks that stand on a letter or sign of another script.

    A model writes such marks: a Thai vowel on a digit. The compiler wants one font for both, and few have both.
    """
    marks = "".join(sorted(letter for letter in missing if unicodedata.category(letter)[0] == "M"))
    if not marks:
        return source

    def apart(found: re.Match[str]) -> str:
        base, mark = found[0][0], found[0][1]
        return found[0] if unicodedata.script(base) in unicodedata.script_extension(mark) else f"{base}\u200b{mark}"

    return re.sub(f"[^{marks}][{marks}]", apart, source)


def _unescaped(text: str) -> str:
    """Read the characters that the compiler escaped in a message, without those that no font needs to have.

    Of a digit with a mark that no font has the message names both; the fonts have all of ASCII.
    """
    plain = _ESCAPED.sub(lambda found: chr(int(found[1], 16)) if found[1] else found[2], text)
    return "".join(
        letter
        for letter in plain
        if not letter.isascii() and unicodedata.category(letter) != "Cf" and letter not in "\ufe0e\ufe0f"
    )
