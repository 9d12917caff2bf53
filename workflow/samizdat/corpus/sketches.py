"""Sketches of texts for the search for near-duplicates: a hash of what is compared, and MinHash signatures by band."""

import hashlib
import sys
import unicodedata
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np

from samizdat.base.parent import die_with_parent

SHINGLE = 5  # characters of a run
SHORTEST = 24  # characters; shorter texts are compared for equality only
# MinHash signatures of 16 bands of 5 numbers: a pair at 0.8 is found with probability 1 − (1 − 0.8⁵)¹⁶ = 0.998.
BANDS, ROWS = 16, 5
ROW_BITS = 12  # that are kept of each number: five fit into one of eight bytes, and by chance one in 4096 agrees
# Texts of so many characters are sketched together. Their runs, four bytes each, stay in a processor's own cache.
CACHED_CHARACTERS = 100_000
# So many lists are computed before another process is started, which takes about as long; and so many wait for it.
LISTS_HERE, LISTS_AHEAD = 5, 4
_MIX = np.uint64(0x9E3779B97F4A7C15)


class _Sketched(NamedTuple):
    """The sketches of some texts."""

    keys: bytes  # eight of each
    long: bytes  # one of each
    bands: np.ndarray  # [BANDS, texts]


class Sketches:
    """The sketches of texts: bands in files; of a large corpus another process computes most of them."""

    def __init__(self, folder: Path) -> None:
        """Begin with none; `folder` is for the files."""
        self._keys, self._long = bytearray(), bytearray()
        self._bands = [(folder / f"band{band}").open("w+b") for band in range(BANDS)]
        self._lists = 0
        self._process: ProcessPoolExecutor | None = None
        self._running: deque[Future[_Sketched]] = deque()

    def extend(self, texts: list[str]) -> None:
        """Add a list of texts; the longer it is, the less it costs to send it to the other process."""
        self._lists += 1
        if self._lists <= LISTS_HERE:
            self._keep(_sketched(texts))
            return
        if self._process is None:
            # Not a thread: numpy's calls are short, and each would wait for the lock that the reading thread holds.
            self._process = ProcessPoolExecutor(1, get_context("spawn"), initializer=die_with_parent)
        if sum(not one.done() for one in self._running) < LISTS_AHEAD:
            self._running.append(self._process.submit(_sketched, texts))
        else:  # it has enough to do meanwhile
            here: Future[_Sketched] = Future()
            here.set_result(_sketched(texts))
            self._running.append(here)
        while self._running and self._running[0].done():
            self._keep(self._running.popleft().result())

    def finish(self) -> None:
        """Compute what is left; no text comes any more."""
        while self._running:
            self._keep(self._running.popleft().result())
        for file in self._bands:
            file.flush()

    def keys(self) -> np.ndarray:
        """Return a hash of what is compared of each text, `[texts]`; 0 where that is nothing."""
        return np.frombuffer(self._keys, np.uint64)

    def long(self) -> np.ndarray:
        """Return whether a text is long enough to be near another without being equal, `[texts]`."""
        return np.frombuffer(self._long, np.bool_)

    def band(self, number: int) -> np.ndarray:
        """Return one band of each text's signature, `ROWS` numbers of `ROW_BITS` side by side, `[texts]`."""
        self._bands[number].seek(0)
        return np.fromfile(self._bands[number], np.uint64)

    def close(self) -> None:
        """Close the files, and end the process."""
        if self._process is not None:
            self._process.shutdown(cancel_futures=True)
        for file in self._bands:
            file.close()

    def _keep(self, sketched: _Sketched) -> None:
        self._keys += sketched.keys
        self._long += sketched.long
        for file, band in zip(self._bands, sketched.bands, strict=True):
            file.write(band.tobytes())


def _sketched(texts: list[str]) -> _Sketched:
    keys = [normalise(text) for text in texts]
    hashes = (hashlib.blake2b(key.encode(), digest_size=8).digest() if key else bytes(8) for key in keys)
    lengths = np.array([len(key) for key in keys], np.int64)
    long = np.flatnonzero(lengths >= SHORTEST)
    bands = np.zeros((BANDS, len(texts)), np.uint64)
    cuts = np.flatnonzero(np.diff(np.cumsum(lengths[long]) // CACHED_CHARACTERS)) + 1
    for some in np.split(long, cuts) if len(long) else []:
        bands[:, some] = _bands([keys[place] for place in some])
    return _Sketched(b"".join(hashes), (lengths >= SHORTEST).tobytes(), bands)


def normalise(text: str) -> str:
    """Return what of a text is compared: in NFC and lower case, without blanks, punctuation and control characters."""
    if text.isascii():  # the same, much faster
        return text.lower().encode().translate(None, _left_out_of_ascii()).decode()
    return unicodedata.normalize("NFC", text.casefold()).translate(_left_out())


@cache
def _left_out_of_ascii() -> bytes:
    return bytes(code for code in _left_out() if code < 128)


@cache
def _left_out() -> dict[int, None]:
    kinds = {"Cc", "Cf", "Zs", "Zl", "Zp", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"}
    return dict.fromkeys(code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in kinds)


@cache
def _factors() -> list[np.uint32]:
    odd = np.random.default_rng(0).integers(2**31, size=BANDS * ROWS, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return list(odd)


def _bands(keys: list[str]) -> np.ndarray:
    """Compute the bands of the MinHash signatures of texts, `[BANDS, texts]`."""
    shingles = (hashes_of_runs("".join(keys)) >> np.uint64(32)).astype(np.uint32)
    starts = np.cumsum([0, *map(len, keys)])
    # Between two starts, the last runs reach into the next text: every second range is left out.
    ranges = np.stack([starts[:-1], starts[1:] - SHINGLE + 1], axis=1).ravel()[:-1]
    found = np.zeros((BANDS, len(keys)), np.uint64)
    product = np.empty_like(shingles)
    for row, factor in enumerate(_factors()):
        np.multiply(shingles, factor, out=product)
        least = np.minimum.reduceat(product, ranges)[::2] % np.uint32(2**ROW_BITS)
        found[row // ROWS] = found[row // ROWS] << np.uint64(ROW_BITS) | least
    return found


def rows_that_differ(bands: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Count the numbers of bands that differ from those of others, uint8, in the shape of `bands`."""
    differ = bands ^ others
    # The highest bit of each number is set where another one is: adding all ones below it carries into it.
    highest = np.uint64(sum(1 << (ROW_BITS * row + ROW_BITS - 1) for row in range(ROWS)))
    below = highest - np.uint64(sum(1 << ROW_BITS * row for row in range(ROWS)))
    counts: np.ndarray = np.bitwise_count(((differ & below) + below | differ) & highest)
    return counts


def hashes_of_runs(key: str) -> np.ndarray:
    """Hash each run of SHINGLE characters of a text of at least as many, `[characters − SHINGLE + 1]`, uint64."""
    codes = np.frombuffer(key.encode("utf-32-le", errors="surrogatepass"), np.uint32).astype(np.uint64)
    hashes = np.zeros(len(codes) - SHINGLE + 1, np.uint64)
    for offset in range(SHINGLE):
        hashes = _mixed(hashes, codes[offset : offset + len(hashes)])
    return hashes


def _mixed(hashes: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mix one more value into each hash."""
    mixed: np.ndarray = (hashes + values) * _MIX
    mixed ^= mixed >> np.uint64(29)
    return mixed
