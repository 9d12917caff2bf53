"""The documents that texts belong to, by number; a text that belongs to none is a document of its own."""

from collections.abc import Collection

import numpy as np

from samizdat.corpus.gathered import Gathered
from samizdat.measures.arrays import Counts

PART_TEXTS = 20
FEWEST_PARTS = 50


class Documents:
    """The document of each text as a number, and the names of documents."""

    def __init__(self, gathered: Gathered, rows: Counts) -> None:
        """Number the documents of some texts.

        Args:
            gathered: all texts.
            rows: those texts, `[texts]`.
        """
        numbers = gathered.documents.column()[rows].astype(np.int64)
        self.numbers: Counts = np.where(numbers < 0, -1 - rows, numbers)  # below 0: a text of its own
        self._names, self._keys = gathered.documents.names(), gathered.keys()

    def name(self, number: int) -> str:
        """Return the name of a document; that of a text of its own is the text's id."""
        return self._names[number] if number >= 0 else self._keys[-1 - number, :8].tobytes().hex()

    def names(self, some: slice) -> list[str]:
        """Return the names of the documents of some of the texts, `[some]`."""
        return [self.name(number) for number in self.numbers[some].tolist()]

    def keep(self, chosen: np.ndarray) -> None:
        """Keep those of some texts."""
        self.numbers = self.numbers[chosen]

    def cut_largest(self, files: Collection[str]) -> int:
        """Cut a .txt file that has half of all texts or more into parts, each of which is a document of its own.

        Such a file can't be held out, and is often the whole corpus. Of two files of one length the first is cut. A
        part is `PART_TEXTS` texts in a row, or one `FEWEST_PARTS`-th of the file's texts where that is fewer, so that a
        short file has parts enough to hold some out. Texts that are added at the end of a long file move no others.

        Args:
            files: the documents that are .txt files.

        Returns:
            the number of parts; 0 if no file was cut.
        """
        sizes = np.bincount(self.numbers[self.numbers >= 0], minlength=1)
        largest, size = int(sizes.argmax()), int(sizes.max())
        if size < 2 or size * 2 < len(self.numbers) or self._names[largest] not in files:
            return 0
        part = np.arange(size) // max(1, min(PART_TEXTS, size // FEWEST_PARTS))
        self.numbers[self.numbers == largest] = len(self._names) + part
        parts = int(part[-1]) + 1
        self._names += [f"{self._names[largest]}, part {number}" for number in range(1, parts + 1)]
        return parts
