"""Strings on disk while a corpus is imported: of each, memory holds its place alone."""

from array import array
from collections.abc import Collection, Iterator
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np

# File names may have bytes that are no text, which Python writes as halves of surrogate pairs.
_ERRORS = "surrogatepass"
BUFFER_BYTES = 2**20


def encoded(string: str) -> bytes:
    """Encode a string as the list expects it."""
    return string.encode(errors=_ERRORS)


class Strings:
    """A list of strings that grows, in one file."""

    def __init__(self, path: Path) -> None:
        """Begin an empty list in a new file."""
        self._file, self._read = path.open("wb", buffering=BUFFER_BYTES), path.open("rb")
        self._ends = array("q", [0])
        self._written = True

    def extend(self, contents: Collection[bytes]) -> None:
        """Add strings, encoded."""
        ends = accumulate(map(len, contents), initial=self._ends.pop())
        self._ends.extend(ends)
        self._file.write(b"".join(contents))
        self._written = False

    @property
    def length_bytes(self) -> int:
        """How many bytes all strings have."""
        return self._ends[-1]

    def __getitem__(self, number: int) -> str:
        """Read one string."""
        return next(self._some(number, number + 1))

    def read(self, numbers: np.ndarray) -> list[str]:
        """Read some strings, and at once those that are neighbours."""
        runs = np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1) if len(numbers) else []
        return [string for run in runs for string in self._some(int(run[0]), int(run[-1]) + 1)]

    def _some(self, first: int, end: int) -> Iterator[str]:
        if not self._written:
            self._file.flush()
            self._written = True
        ends = self._ends[first : end + 1]
        self._read.seek(ends[0])
        content = self._read.read(ends[-1] - ends[0])
        return (content[begin - ends[0] : end - ends[0]].decode(errors=_ERRORS) for begin, end in pairwise(ends))

    def close(self) -> None:
        """Close the file and its reader."""
        self._file.close()
        self._read.close()
