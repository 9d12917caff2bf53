"""Say of letters that no installed font has which scripts they are of, and which packages have fonts for them."""

from collections.abc import Iterable
from pathlib import Path

from fontTools import unicodedata
from nbformat import NotebookNode

# Packages of Debian and Ubuntu, by script; fonts-noto-core has most others.
_CJK = {"Han", "Hiragana", "Katakana", "Hangul", "Bopomofo"}
_REST = "fonts-noto-core"
# Places where Unicode has no letter, so no font has one; a model that has not learned much writes them, too.
_NO_LETTERS = "unknown to Unicode"
_UNNAMED = {"Common": "signs", "Inherited": "marks", "Unknown": _NO_LETTERS}


def missing_in_figures(notebook: NotebookNode) -> str:
    """Return the letters that figures of an executed notebook show as boxes, since no font has them."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    found = (output.get("metadata", {}).get("image/png", {}).get("letters_without_font", "") for output in outputs)
    return "".join(sorted(set("".join(found))))


def which_scripts(letters: Iterable[str], to_delete: Path) -> str:
    """Name the scripts of letters, with the first letters of each, and what to do where a package has fonts for them.

    Args:
        letters: that no installed font has.
        to_delete: the file that shows them, so that it is made again.
    """
    by_script: dict[str, list[str]] = {}
    for letter in sorted(set(letters)):
        script = "emoji" if _is_emoji(letter) else unicodedata.script_name(unicodedata.script(letter))
        by_script.setdefault(_UNNAMED.get(script, script), []).append(letter)
    names = "; ".join(f"{script} ({''.join(of[:5])}{'…' if len(of) > 5 else ''})" for script, of in by_script.items())
    packages = {
        "fonts-noto-cjk" if script in _CJK else "fonts-noto-color-emoji" if script == "emoji" else _REST
        for script in by_script
        if script != _NO_LETTERS
    }
    if not packages:
        return names
    return f"{names}: install {' '.join(sorted(packages))}, delete {to_delete}, and run the same command again"


def _is_emoji(letter: str) -> bool:
    return "\U0001f000" <= letter <= "\U0001faff"
