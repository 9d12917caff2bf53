"""Strings on disk while a corpus is imported: of each, memory holds its place alone."""

import os
from array import array
from pathlib import Path

# File names may have bytes that are no text, which Python writes as halves of surrogate pairs.
_ERRORS = "surrogatepass"
BUFFER_BYTES = 2**20


class Strings:
    """A list of strings that grows, in one file."""

    def __init__(self, path: Path) -> None:
        """Begin an empty list in a new file."""
        self._file, self._read = path.open("wb", buffering=BUFFER_BYTES), path.open("rb")
        self._ends = array("q", [0])
        self._written = True

    def append(self, string: str | bytes) -> None:
        """Add a string, or its UTF-8 bytes."""
        content = string.encode(errors=_ERRORS) if isinstance(string, str) else string
        self._ends.append(self._ends[-1] + self._file.write(content))
        self._written = False

    def __getitem__(self, number: int) -> str:
        """Read one string."""
        if not self._written:
            self._file.flush()
            self._written = True
        begin, end = self._ends[number], self._ends[number + 1]
        return os.pread(self._read.fileno(), end - begin, begin).decode(errors=_ERRORS) if end > begin else ""

    def close(self) -> None:
        """Close the file and its reader."""
        self._file.close()
        self._read.close()
