"""Keep scores that were computed, outside of the declared outputs: only new texts are ever computed.

Each classifier has a folder of segments: files of rows that are written once and never changed, each under the SHA-256
of its bytes. So a damaged segment is known by its name, and several processes and machines that share the folder need
no lock: each writes segments of its own.
"""

import hashlib
import logging
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from samizdat.base import stage

log = logging.getLogger("samizdat")

# How many classifiers' scores are kept, those used last: every edit of a classifier makes a new one.
KEPT_CLASSIFIERS = 50
# A kill loses at most the scores of the last seconds.
SEGMENT_SECONDS = 2.0
# More segments than this that are smaller than the other number are joined, to segments of about that size: so much is
# in memory at once, however many scores there are.
MOST_SMALL_SEGMENTS = 16
SMALL_BYTES = 2**25
# A part of a segment that is older was left by a killed process.
OLDEST_PART_SECONDS = 3600


def key_of(text: str) -> bytes:
    """Return what the store knows a text by: half of its SHA-256, which no two texts of any corpus share."""
    return hashlib.sha256(text.encode()).digest()[:16]


def score_rows(keys: np.ndarray, windows: ArrayLike, scores: ArrayLike) -> np.ndarray:
    """Make rows of the store: what a classifier says of some texts.

    Args:
        keys: of each text, by `key_of`, as `S16`.
        windows: how many windows each was read in; 0: the text has no token.
        scores: `[texts, labels]`: probabilities, or the one number that the classifier gives.
    """
    values = np.asarray(scores, "<f4")
    rows = np.empty(len(keys), _row_of(values.shape[1]))
    rows["key"], rows["windows"], rows["scores"] = keys.view("V16"), windows, values
    return rows


def keys_of(rows: np.ndarray) -> np.ndarray:
    """Return the keys of rows as `S16`, which can be sorted."""
    keys: np.ndarray = rows["key"].view("S16")
    return keys


def _row_of(labels: int) -> np.dtype:
    return np.dtype([("key", "V16"), ("windows", "<i4"), ("scores", "<f4", (labels,))])


class ScoreStore:
    """Scores by text and classifier, in a folder that all runs of a checkout share.

    Deleting it, or a part of it, costs time and nothing else.
    """

    def __init__(self, root: Path, fingerprint: str, labels: int):
        """Open the store for scores of one classifier.

        Args:
            root: of the store.
            fingerprint: of all that the scores depend on, 64 hexadecimal digits.
            labels: how many numbers a score has.
        """
        self._folder = root / fingerprint
        self._row = _row_of(labels)
        self._waiting: list[np.ndarray] = []
        self._written = time.monotonic()
        self._folder.mkdir(parents=True, exist_ok=True)
        now = time.time_ns()
        os.utime(self._folder, ns=(now, now))
        _forget(root)

    def known(self) -> Iterator[np.ndarray]:
        """Read the scores that this classifier has given before, as rows, segment by segment."""
        seen: set[Path] = set()
        while new := set(self._folder.glob("[0-9a-f]*")) - seen:  # another process may join some meanwhile
            seen |= new
            yield from filter(len, map(self._read, sorted(new)))

    def add(self, rows: np.ndarray) -> None:
        """Add new scores, made by `score_rows`; they are on the disk within seconds."""
        self._waiting.append(rows)
        if time.monotonic() - self._written >= SEGMENT_SECONDS:
            self._flush()

    def close(self) -> None:
        """Write what is not yet on the disk; make few segments of many small ones."""
        self._flush()
        small = self._small_segments()
        if len(small) > MOST_SMALL_SEGMENTS:
            joined: dict[Path, np.ndarray] = {}
            for path in small:
                joined[path] = self._read(path)
                if path == small[-1] or sum(rows.nbytes for rows in joined.values()) >= SMALL_BYTES:
                    self._join(joined)
                    joined = {}
            for part in self._folder.glob(".part-*"):
                with suppress(FileNotFoundError):
                    if time.time() - part.stat().st_mtime > OLDEST_PART_SECONDS:
                        part.unlink()

    def _small_segments(self) -> list[Path]:
        found = []
        for path in self._folder.glob("[0-9a-f]*"):
            with suppress(FileNotFoundError):
                if path.stat().st_size < SMALL_BYTES:
                    found.append(path)
        return sorted(found)

    def _join(self, segments: dict[Path, np.ndarray]) -> None:
        """Write one segment in place of these."""
        rows = np.concatenate(list(segments.values()))
        whole = self._write(rows[np.unique(keys_of(rows), return_index=True)[1]])
        for path in segments.keys() - {whole}:
            path.unlink(missing_ok=True)

    def _flush(self) -> None:
        rows = np.concatenate([np.empty(0, self._row), *self._waiting])
        self._waiting = []
        if len(rows):
            self._write(rows)
        self._written = time.monotonic()

    def _write(self, rows: np.ndarray) -> Path:
        """Write a segment; when this returns, it is on the disk."""
        content = rows.tobytes()
        part, path = self._folder / f".part-{uuid.uuid4().hex}", self._folder / hashlib.sha256(content).hexdigest()
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        return path

    def _read(self, path: Path) -> np.ndarray:
        """Read a segment; delete and tell a damaged one, which has no rows, as one that another process has joined."""
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return np.empty(0, self._row)
        if hashlib.sha256(content).hexdigest() == path.name:
            return np.frombuffer(content, self._row)
        stage.tell(f"{path} is damaged; its scores are computed again")
        path.unlink(missing_ok=True)
        return np.empty(0, self._row)


def _forget(root: Path) -> None:
    """Delete the scores of the classifiers that were not used for longest."""
    folders = {}
    for path in root.iterdir():
        with suppress(FileNotFoundError):
            if re.fullmatch("[0-9a-f]{64}", path.name):
                folders[path] = path.stat().st_mtime_ns
    for path in sorted(folders, key=lambda path: folders[path])[:-KEPT_CLASSIFIERS]:
        shutil.rmtree(path, ignore_errors=True)
