"""Name what runs and shares are counted in, by the script of the texts: words, and how they are found."""

from collections import Counter
from functools import cache

from fontTools import unicodedata

from samizdat.base.language import say
from samizdat.reporting.run import Run

# Scripts without blanks between words (ISO 15924), by what `measures.words` finds in them.
_BY_DICTIONARY = {"Hani", "Hira", "Kana", "Bopo", "Thai", "Laoo", "Khmr", "Mymr"}
_SYLLABLES = {"Tibt"}
_PIECES = {"Yiii", "Java", "Bali", "Tale", "Talu", "Lana", "Tavt", "Ahom"}
# So many characters of a text are enough to know its script.
SOME_CHARACTERS = 1000


def units(run: Run) -> str:
    """Name the units: words, or what is found in their place."""
    return by_unit(run, say("words"), say("syllables"), say("pieces between blanks"))


def by_unit(run: Run, words: str, syllables: str, pieces: str) -> str:
    """Choose what is said where texts are counted in words, in syllables, or in pieces between blanks."""
    script = _script(run)
    return syllables if script in _SYLLABLES else pieces if script in _PIECES else words


def how_found(run: Run) -> str:
    """Say in brackets how words are found where no blanks are between them; nothing elsewhere."""
    if _script(run) not in _BY_DICTIONARY:
        return ""
    return say(" (as a dictionary finds them, since the script has no blanks between words)")


@cache
def _script(run: Run) -> str:
    """Return the script of most letters; of the scripts that a dictionary knows, any of them."""
    letters = Counter(letter for text in run.some_texts for letter in text[:SOME_CHARACTERS] if letter.isalpha())
    scripts: Counter[str] = Counter()
    for letter, number in letters.items():
        script = unicodedata.script(letter)
        scripts["Hani" if script in _BY_DICTIONARY else script] += number
    return max(scripts, key=scripts.__getitem__, default="Latn")
