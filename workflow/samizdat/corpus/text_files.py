"""Files of text, line by line or whole: of one in UTF-8, which most are, memory holds the line that is read."""

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from samizdat.corpus.decoding import AUTO, MARK, is_of_another_kind, read_text

Lines = Callable[[], Iterator[str]]  # gives the lines of a file without their ends, as often as it is called
CHUNK_BYTES = 2**20
# What needs a second look: a zero byte is of UTF-16, an escape switches to another script.
_UNUSUAL = (b"\0", b"\x1b")


@dataclass(frozen=True)
class TextFile:
    """A file of text, its line ends `\\n`, without byte-order marks."""

    path: Path
    held: str | None  # its text; None: it is UTF-8, and read when it is needed

    def lines(self) -> Iterator[str]:
        """Give its lines without their ends."""
        if self.held is not None:
            begin = 0
            while (end := self.held.find("\n", begin)) >= 0:
                yield self.held[begin:end]
                begin = end + 1
            yield self.held[begin:]
            return
        with _opened(self.path) as file:
            for line in io.TextIOWrapper(file, "utf-8"):
                yield line.removesuffix("\n").lstrip(MARK)

    def whole(self) -> str:
        """Return all of it."""
        return read_text(self.path, "utf-8")[0] if self.held is None else self.held


def open_text(path: Path, encoding: str) -> tuple[TextFile, str | None]:
    """Open a file of text; what `read_text` says of its encoding holds here, too.

    Returns:
        the file, and how its encoding was found out; None: it is UTF-8, or it was set.

    Raises:
        UserError: as for `read_text`.
    """
    if _is_utf8(path, encoding):
        return TextFile(path, None), None
    text, found = read_text(path, encoding)
    return TextFile(path, text), found


def _opened(path: Path) -> Any:
    """Open a file for reading bytes, decompressed where that can be done piece by piece up to the file's last byte."""
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(b"\x1f\x8b\x08"):
        return gzip.open(path)
    return pa.input_stream(path, compression="zstd") if start == b"\x28\xb5\x2f\xfd" else path.open("rb")


def _is_utf8(path: Path, encoding: str) -> bool:
    """Whether all of a file is UTF-8; of one that is unusual in any way, `read_text` says what it is."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        wanted = encoding == AUTO or codecs.lookup(encoding).name == "utf-8"
        with _opened(path) as file:
            start = file.read(CHUNK_BYTES)
            if is_of_another_kind(start) or not (wanted or start.startswith(codecs.BOM_UTF8)):
                return False
            for chunk in chain([start], iter(partial(file.read, CHUNK_BYTES), b"")):
                if any(byte in chunk for byte in _UNUSUAL):
                    return False
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except (LookupError, ValueError, OSError, EOFError, zlib.error, pa.ArrowException):
        return False
    return True
