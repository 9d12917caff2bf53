"""Files as bytes and as text: decompressed, decoded by mark, by setting or by content, with one kind of line end."""

import bz2
import codecs
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Callable
from pathlib import Path

import chardet
import pyarrow as pa

from samizdat.base.errors import UserError
from samizdat.base.language import message
from samizdat.corpus.rows import LOST

AUTO = "auto"
MARK = "\ufeff"  # of the byte order; where files were joined, it begins a line
# Content decides only where so many bytes beyond ASCII tell, with so much of chardet's certainty; docs/methods.md has
# the measurement.
TELLING_BYTES = 40
CERTAIN = 0.1
# And only where no other encoding that gives another text is nearly as certain.
CLEARLY = 0.001
# These can't be told from encodings of Windows, and hardly any file is in them.
_RARE = ("iso8859-16", "Mac")
_CONTROLS = re.compile("[\x80-\x9f]")  # that no text has
# chardet reads this many of the bytes at most.
READ_BYTES = 200_000
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_KINDS = (
    (b"PK\x03\x04", "a zip file, such as .xlsx or .docx"),
    (b"%PDF-", "a PDF"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a file of Word or Excel, or one with a password"),
    (b"PAR1", "a Parquet file"),
    (b"{\\rtf", "a file of a word processor (RTF)"),
    (b"SQLite format 3\0", "a database"),
    (b"\x89PNG\r\n\x1a\n", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)


_POINTER = b"version https://git-lfs.github.com/spec/"


def _unzstd(data: bytes) -> bytes:
    with pa.input_stream(io.BytesIO(data), compression="zstd") as stream:
        return bytes(stream.read())


def _streams(data: bytes, decompressor: Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor]) -> bytes:
    """Decompress one or several streams, to the file's last byte; the library's own function leaves out the rest.

    Between and behind streams may be zero bytes, as tapes and some programs add them.
    """
    found: list[bytes] = []
    rest = data
    while rest:
        stream = decompressor()
        place = f"the part that begins at byte {len(data) - len(rest)} " if found else ""
        try:
            found.append(stream.decompress(rest))
        except (OSError, lzma.LZMAError) as error:
            raise ValueError(f"{place and place + 'is something else: '}{error}") from None
        if not stream.eof:
            raise EOFError(f"{place or 'it '}has no end")
        rest = stream.unused_data.lstrip(b"\0")
    return b"".join(found)


_COMPRESSIONS: tuple[tuple[bytes, str, Callable[[bytes], bytes]], ...] = (
    (rb"\x1f\x8b\x08", "gzip", gzip.decompress),
    (rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)", "bzip2", lambda data: _streams(data, bz2.BZ2Decompressor)),
    (rb"\xfd7zXZ\0", "xz", lambda data: _streams(data, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ))),
    (rb"\x28\xb5\x2f\xfd", "zstd", _unzstd),
)


def read_bytes(path: Path) -> bytes:
    """Read a file; its first bytes, not its name, say whether it is compressed, once or several times.

    Raises:
        UserError: it is compressed, and damaged, or only points to the file.
    """
    data = path.read_bytes()
    if data.startswith(_POINTER):
        raise UserError(
            f"{path} only says where Git LFS has the file",
            remedy="run `git lfs pull` in the folder that the file came in, or download the file itself",
        )
    for start, name, decompress in _COMPRESSIONS:
        while re.match(start, data, re.DOTALL):
            try:
                data = decompress(data)
            except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, pa.ArrowException) as error:
                raise UserError(
                    f"{path} is compressed by {name} and damaged: {error}",
                    remedy="copy or download it again, or decompress it by hand and see what is left",
                ) from None
    return data


def is_of_another_kind(start: bytes) -> bool:
    """Whether a file that begins so is compressed, or no text."""
    kinds = (_POINTER, *(sign for sign, _ in _OTHER_KINDS))
    return start.startswith(kinds) or any(re.match(sign, start, re.DOTALL) for sign, _, _ in _COMPRESSIONS)


def read_text(path: Path, encoding: str) -> tuple[str, str | None]:
    """Read a file as text, without byte-order marks, all line ends as `\\n`.

    A mark at the beginning decides. Else `encoding` does; with `auto` it is UTF-8, or, for bytes that are not UTF-8,
    what chardet finds, if `TELLING_BYTES` or more bytes tell and no other encoding is as likely.

    Returns:
        the text, and how its encoding was found out; None: it is UTF-8, or it was set.

    Raises:
        UserError: the file is of another kind, can't be decoded (the message has line and byte offset), or its encoding
            can't be found out or isn't known.
    """
    data = read_bytes(path)
    for start, kind in _OTHER_KINDS:
        if data.startswith(start):
            raise UserError(f"{path} is {kind}, not text", remedy="name it by its kind, or save its texts as .txt")
    mark = next((name for start, name in _MARKS if data.startswith(start)), None)
    if mark is not None:
        text, found = _decode(data, mark, path), None
        if mark != "utf-8":
            found = message("in {encoding}, by its mark").format(encoding=mark.upper())
    elif encoding != AUTO:
        text, found = _decode(data, encoding, path), None
    else:
        text, found = _by_content(data, path)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub(f"^{MARK}+", "", text, flags=re.MULTILINE) if MARK in text else text
    if "\0" in text:
        raise UserError(
            f"{path}: line {text.count(chr(10), 0, text.index(chr(0))) + 1} has a zero byte, which no text has",
            remedy="if the file is text in UTF-16, set corpus.encoding to utf-16-le or utf-16-be; else save its texts "
            "as .txt, or take it out of corpus.paths",
        )
    return text, found


def _decode(data: bytes, encoding: str, path: Path) -> str:
    """Decode bytes, all of them."""
    try:
        text = data.decode(encoding)
        latin = codecs.lookup(encoding).name.startswith("iso8859")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        remedy = "set corpus.encoding to what the file is written in (cp1250, utf-16, …), or convert it to UTF-8"
        if data.startswith(tuple(start for start, _ in _MARKS)):
            remedy = f"correct it there: the mark at the file's beginning says that all of it is {encoding}"
        raise UserError(
            f"{path}: line {line}, byte offset {error.start} (0x{data[error.start]:02x}) is not {encoding}: "
            f"{error.reason}",
            remedy=remedy,
        ) from None
    except (LookupError, ValueError):
        raise UserError(
            f"corpus.encoding: {encoding!r} is not known to Python as an encoding of text",
            remedy="name one such as utf-8, utf-16, cp1250, latin-1",
        ) from None
    wrong = _CONTROLS.search(text) if latin else None
    if wrong:
        raise UserError(
            f"{path}: line {text.count(chr(10), 0, wrong.start()) + 1} has the byte 0x{ord(wrong.group()):02x}, which "
            f"is no letter in {encoding}",
            remedy="set corpus.encoding to cp1252 (Western Europe), cp1250 (Central Europe) or another encoding of "
            "Windows, which has a letter there",
        )
    return text


def _guesses(data: bytes) -> list[tuple[str, float, str]]:
    """List what bytes may say: text, chardet's certainty and the name of the encoding, the most certain first."""
    found = []
    for guess in chardet.detect_all(data, ignore_threshold=True):
        name, certainty = guess["encoding"], guess["confidence"]
        text = data.decode(name, errors="ignore") if name else ""  # what is read may end within a letter
        if name is not None and not _CONTROLS.search(text):
            found.append((text, certainty or 0.0, name))
    return found


def _by_content(data: bytes, path: Path) -> tuple[str, str | None]:
    """Decode bytes whose encoding nobody named."""
    zeros = data[:READ_BYTES].count(0)
    if zeros * 4 > len(data[:READ_BYTES]) > 1:
        # ASCII in UTF-16 has a zero byte in every pair, on the side of the more significant byte.
        name = "utf-16-be" if data[:READ_BYTES:2].count(0) * 2 > zeros else "utf-16-le"
        return _decode(data, name, path), message("in {encoding}, by its zero bytes").format(encoding=name.upper())
    whole = data.decode("utf-8", errors="replace")
    wrong = whole.count(LOST) - data.count(LOST.encode())
    seven_bits = re.search(rb"\x1b\$[@AB(]", data)  # how Japanese, Chinese and Korean are switched on in mails
    if not seven_bits and (not wrong or len(whole) - len(whole.encode("ascii", "ignore")) > 2 * wrong):
        return _decode(data, "utf-8", path), None  # Most of it is UTF-8: where it isn't, the file is damaged.
    lines = [line for line in data.splitlines() if seven_bits or not line.isascii()]
    telling = len(data) if seven_bits else len(data.translate(None, bytes(range(0x80))))
    guesses = _guesses(b"\n".join(lines)[:READ_BYTES])
    text, certainty, name = guesses[0] if guesses else ("", 0.0, "")
    rivals = (other for other in guesses if other[0] != text and not other[2].startswith(_RARE))
    rival = next((other for other in rivals if certainty - other[1] < CLEARLY), None)
    if not name or rival is not None or telling < TELLING_BYTES or certainty < CERTAIN:
        but = f" or {rival[2]}" if rival else f", but its {telling} bytes beyond ASCII don't tell it for certain"
        maybe = f"; perhaps it is {name}{but}" if name else ""
        error = re.search(rb"[\x80-\xff]", data)
        offset = error.start() if error else 0
        raise UserError(
            f"{path}: line {data.count(bytes([10]), 0, offset) + 1}, byte offset {offset} (0x{data[offset]:02x}) is "
            f"not utf-8{maybe}",
            remedy="set corpus.encoding to what the file is written in (cp1250, latin-1, …), or convert it to UTF-8",
        )
    found = message("in {encoding}, by its content (certainty by chardet: {percent} %)")
    return _decode(data, name, path), found.format(encoding=name, percent=f"{100 * certainty:.0f}")
