"""Strings on disk while a corpus is imported: of each, memory holds its length alone."""

from array import array
from collections.abc import Collection, Iterator
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np

from samizdat.measures.arrays import Counts

# File names may have bytes that are no text, which Python writes as halves of surrogate pairs.
_ERRORS = "surrogatepass"
BUFFER_BYTES = 2**20
# Of so many strings in a row memory holds where the first one begins.
BLOCK = 256


def encoded(string: str) -> bytes:
    """Encode a string as the list expects it."""
    return string.encode(errors=_ERRORS)


class Strings:
    """A list of strings that grows, in one file."""

    def __init__(self, path: Path) -> None:
        """Begin an empty list in a new file."""
        self._file, self._read = path.open("wb", buffering=BUFFER_BYTES), path.open("rb")
        self._lengths, self._begins = array("I"), array("q", [0])
        self._written = True

    def extend(self, contents: Collection[bytes]) -> None:
        """Add strings, encoded."""
        self._lengths.extend(map(len, contents))
        self._file.write(b"".join(contents))
        self._written = False

    @property
    def length_bytes(self) -> int:
        """How many bytes all strings have."""
        return self._file.tell()

    def lengths(self) -> Counts:
        """Return how many bytes each string has, `[strings]`; no string can be added any more."""
        return np.frombuffer(self._lengths, np.uint32)

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
        ends = [*accumulate(self._lengths[first:end], initial=0)]
        self._read.seek(self._begin(first))
        content = self._read.read(ends[-1])
        return (content[begin:end].decode(errors=_ERRORS) for begin, end in pairwise(ends))

    def _begin(self, number: int) -> int:
        """Return the place of a string's first byte in the file."""
        block = number // BLOCK
        while len(self._begins) <= block:
            last = len(self._begins) * BLOCK
            self._begins.append(self._begins[-1] + sum(self._lengths[last - BLOCK : last]))
        return self._begins[block] + sum(self._lengths[block * BLOCK : number])

    def close(self) -> None:
        """Close the file and its reader."""
        self._file.close()
        self._read.close()
