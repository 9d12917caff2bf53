"""All texts of a corpus as they are read: the texts on disk, what else is known of them as numbers in columns."""

import hashlib
import json
from array import array
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import numpy as np

from samizdat.base.language import message
from samizdat.corpus.rows import RawText
from samizdat.corpus.sketches import Sketches
from samizdat.corpus.strings import Strings, encoded
from samizdat.measures.arrays import Counts
from samizdat.records.corpus import SPLITS

# Reasons are messages, which the report says in its language.
SHORTER = message("shorter than {min_characters} characters (corpus.min_characters)")
NO_TEXT = {
    bool: message("true or false, not text"),
    int: message("a number, not text"),
    float: message("a number, not text"),
    bytes: message("bytes, not text"),
    list: message("a list, not text"),
    dict: message("an object, not text"),
}
OF_A_TYPE = message("a value of type {type}, not text")
EXAMPLES = 5
# Of a text's hash so many bytes are held.
KEY_BYTES = 16
# Texts of so many characters are added together.
BATCH_CHARACTERS = 1_000_000


class Dropped:
    """How many texts were dropped for each reason, and where the first of them came from."""

    def __init__(self) -> None:
        """Begin with none."""
        self.numbers: dict[str, int] = {}
        self.examples: dict[str, list[str]] = {}

    def add(self, reason: str, *places: str, number: int = 1) -> None:
        """Count texts; `places` are those of at least the first of them."""
        self.numbers[reason] = self.numbers.get(reason, 0) + number
        examples = self.examples.setdefault(reason, [])
        examples.extend(places[: EXAMPLES - len(examples)])

    def in_words(self) -> str:
        """List the reasons with their numbers."""
        return "; ".join(f"{number:,} × {reason}" for reason, number in self.numbers.items())


class Codes:
    """A column of names as numbers: names are numbered as they come, and -1 is none."""

    def __init__(self) -> None:
        """Begin with no row."""
        self._codes = array("i")
        self._numbers: dict[str, int] = {}

    def extend(self, names: Iterable[str | None]) -> None:
        """Add rows."""
        numbers = self._numbers
        self._codes.extend([-1 if name is None else numbers.setdefault(name, len(numbers)) for name in names])

    def names(self) -> list[str]:
        """Return the names by their numbers."""
        return list(self._numbers)

    def column(self) -> Counts:
        """Return the number of each row, `[rows]`."""
        return np.frombuffer(self._codes, np.int32)


class Gathered:
    """The texts of a corpus that can be used, cleaned, in the order in which they were read."""

    def __init__(self, folder: Path, labels: Collection[str]) -> None:
        """Begin with none.

        Args:
            folder: an empty folder for what is held on disk.
            labels: the label columns that the corpus may have.
        """
        self.read = 0
        self.dropped = Dropped()
        self.splits: set[str] = set()  # those that the corpus itself brings
        self.texts, self._places, self._given = (Strings(folder / name) for name in ("texts", "places", "given"))
        self.sketches = Sketches(folder)
        self.documents, self.groups = Codes(), Codes()
        self.labels = {label: Codes() for label in sorted(labels)}
        self.rated = {label: bytearray() for label in self.labels}  # whether single people gave labels
        self._keys, self._splits, self._characters = bytearray(), array("b"), array("i")

    def add_all(self, raw_texts: Iterator[RawText], min_characters: int) -> None:
        """Read texts to their end; those that can't be used are counted by reason."""
        batch: list[RawText] = []
        characters = 0
        for raw in raw_texts:
            self.read += 1
            if raw.split is not None:
                self.splits.add(raw.split)
            raw.text, reason = _clean(raw.text, min_characters)
            if reason is not None:
                self.dropped.add(reason, raw.where)
                continue
            batch.append(raw)
            characters += len(raw.text) + 1
            if characters >= BATCH_CHARACTERS:
                self._add(batch)
                batch, characters = [], 0
        self._add(batch)
        self.sketches.finish()

    def _add(self, batch: list[RawText]) -> None:
        texts = [raw.text for raw in batch]
        contents = [text.encode() for text in texts]
        self.texts.extend(contents)
        self.sketches.extend(texts)
        self._keys += b"".join([hashlib.sha256(content).digest()[:KEY_BYTES] for content in contents])
        self._characters.extend(map(len, texts))
        self._places.extend([encoded(raw.where) for raw in batch])
        self._given.extend([_given(raw) for raw in batch])
        self.documents.extend([raw.document for raw in batch])
        self.groups.extend([raw.group for raw in batch])
        self._splits.extend([-1 if raw.split is None else SPLITS.index(raw.split) for raw in batch])
        for label, codes in self.labels.items():
            codes.extend([raw.labels.get(label) for raw in batch])
            self.rated[label].extend([bool(raw.raters.get(label)) for raw in batch])

    def __len__(self) -> int:
        """Return the number of texts that can be used."""
        return len(self._characters)

    def keys(self) -> np.ndarray:
        """Return the first half of the SHA-256 of each text's UTF-8 bytes, which no two texts share, `[texts, 16]`."""
        return np.frombuffer(self._keys, np.uint8).reshape(-1, KEY_BYTES)

    def split_numbers(self) -> np.ndarray:
        """Return the place in SPLITS of the split that the corpus gives a text, -1 where it gives none, `[texts]`."""
        return np.frombuffer(self._splits, np.int8)

    def characters(self) -> Counts:
        """Return the length of each text, `[texts]`."""
        return np.frombuffer(self._characters, np.int32)

    def utf8_bytes(self) -> Counts:
        """Return the bytes of each text in UTF-8, `[texts]`."""
        return self.texts.lengths()

    def given(self, rows: Counts) -> list[tuple[list[int] | None, dict[str, list[str]]]]:
        """Return the ratings of some texts, and the labels that single people gave them."""
        found = self._given.read(rows) if self._given.length_bytes else [""] * len(rows)
        return [json.loads(one) if one else (None, {}) for one in found]

    def drop(self, reason: str, rows: Counts) -> None:
        """Count texts that could be used and are not, by their rows."""
        if len(rows):
            self.dropped.add(reason, *(self._places[row] for row in rows[:EXAMPLES]), number=len(rows))

    def close(self) -> None:
        """Close the files."""
        for strings in (self.texts, self._places, self._given):
            strings.close()
        self.sketches.close()


def _given(raw: RawText) -> bytes:
    if raw.ratings is None and not raw.raters:
        return b""
    return json.dumps([raw.ratings, raw.raters]).encode()


def _clean(text: object, min_characters: int) -> tuple[str, str | None]:
    """Return the text as it is kept, and the reason if it is dropped."""
    if text is None:
        return "", message("empty cell")
    if not isinstance(text, str):
        return "", (NO_TEXT.get(type(text)) or OF_A_TYPE.format(type=type(text).__name__))
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    while text != (text := text.strip("\ufeff").strip()):
        pass
    if len(text) < min_characters:
        return text, SHORTER.format(min_characters=min_characters)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return text, message("half of a surrogate pair, which UTF-8 can't encode")
    return text, None
