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
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from samizdat.base import stage

log = logging.getLogger("samizdat")

# How many classifiers' scores are kept, those used last: every edit of a classifier makes a new one.
KEPT_CLASSIFIERS = 50
# A kill loses at most the scores of the last seconds.
SEGMENT_SECONDS = 2.0
# More segments than this are made into one.
MOST_SEGMENTS = 16
# A part of a segment that is older was left by a killed process.
OLDEST_PART_SECONDS = 3600


class StoredScore(NamedTuple):
    """What a classifier says of one text."""

    key: bytes  # SHA-256 of the text
    windows: int  # how many windows it was read in; 0: the text has no token
    scores: np.ndarray  # [labels], float32: probabilities, or the one number that the classifier gives


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
        self._row = np.dtype([("key", "V32"), ("windows", "<i4"), ("scores", "<f4", (labels,))])
        self._waiting: list[StoredScore] = []
        self._written = time.monotonic()
        self._folder.mkdir(parents=True, exist_ok=True)
        now = time.time_ns()
        os.utime(self._folder, ns=(now, now))
        _forget(root)

    def known(self, keys: Sequence[bytes]) -> Iterator[StoredScore]:
        """Find the scores of those texts (by SHA-256) that this classifier has scored before."""
        wanted = set(keys)
        for _, rows in self._segments():
            for key, windows, values in zip(
                rows["key"].tolist(), rows["windows"].tolist(), rows["scores"], strict=True
            ):
                if key in wanted:
                    yield StoredScore(key, windows, values)

    def add(self, scores: Iterable[StoredScore]) -> None:
        """Add new scores; they are on the disk within seconds."""
        self._waiting += scores
        if time.monotonic() - self._written >= SEGMENT_SECONDS:
            self._flush()

    def close(self) -> None:
        """Write what is not yet on the disk; make one segment of many."""
        self._flush()
        segments = dict(self._segments())
        if len(segments) > MOST_SEGMENTS:
            rows = np.concatenate(list(segments.values()))
            whole = self._write(rows[np.unique(rows["key"].view("S32"), return_index=True)[1]])
            for path in segments.keys() - {whole}:
                path.unlink(missing_ok=True)
            for part in self._folder.glob(".part-*"):
                with suppress(FileNotFoundError):
                    if time.time() - part.stat().st_mtime > OLDEST_PART_SECONDS:
                        part.unlink()

    def _flush(self) -> None:
        if self._waiting:
            rows = np.empty(len(self._waiting), self._row)
            for place, score in enumerate(self._waiting):
                rows[place] = (score.key, score.windows, score.scores)
            self._write(rows)
            self._waiting = []
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

    def _segments(self) -> Iterator[tuple[Path, np.ndarray]]:
        """Read all segments; delete and tell those that are damaged."""
        seen: set[Path] = set()
        while new := set(self._folder.glob("[0-9a-f]*")) - seen:  # another process may replace many by one meanwhile
            for path in sorted(new):
                seen.add(path)
                try:
                    content = path.read_bytes()
                except FileNotFoundError:
                    continue
                if hashlib.sha256(content).hexdigest() == path.name:
                    yield path, np.frombuffer(content, self._row)
                else:
                    stage.tell(f"{path} is damaged; its scores are computed again")
                    path.unlink(missing_ok=True)


def _forget(root: Path) -> None:
    """Delete the scores of the classifiers that were not used for longest."""
    folders = {}
    for path in root.iterdir():
        with suppress(FileNotFoundError):
            if re.fullmatch("[0-9a-f]{64}", path.name):
                folders[path] = path.stat().st_mtime_ns
    for path in sorted(folders, key=lambda path: folders[path])[:-KEPT_CLASSIFIERS]:
        shutil.rmtree(path, ignore_errors=True)
