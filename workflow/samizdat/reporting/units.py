"""Name what runs and shares are counted in, by the script of the texts: words, and how they are found."""

from collections import Counter
from functools import cache

from fontTools import unicodedata

from samizdat.reporting.run import Run

# Scripts without blanks between words (ISO 15924), by what `measures.words` finds in them.
_BY_DICTIONARY = {"Hani", "Hira", "Kana", "Bopo", "Thai", "Laoo", "Khmr", "Mymr"}
_UNITS = {"Tibt": "syllables"} | dict.fromkeys(
    ("Yiii", "Java", "Bali", "Tale", "Talu", "Lana", "Tavt", "Ahom"), "pieces between blanks"
)
_READ_TEXTS = 2000  # about; a script is seen in few


def units(run: Run) -> str:
    """Name the units: words, or what is found in their place."""
    return _UNITS.get(_script(run), "words")


def how_found(run: Run) -> str:
    """Say in brackets how words are found where no blanks are between them; nothing elsewhere."""
    if _script(run) not in _BY_DICTIONARY:
        return ""
    return " (as a dictionary finds them, since the script has no blanks between words)"


@cache
def _script(run: Run) -> str:
    """Return the script of most letters; of the scripts that a dictionary knows, any of them."""
    texts = run.texts["text"].iloc[:: max(1, len(run.texts) // _READ_TEXTS)]
    letters = Counter(letter for text in texts for letter in text if letter.isalpha())
    scripts: Counter[str] = Counter()
    for letter, number in letters.items():
        script = unicodedata.script(letter)
        scripts["Hani" if script in _BY_DICTIONARY else script] += number
    return max(scripts, key=scripts.__getitem__, default="Latn")
