"""Scores that were computed before, kept outside the declared outputs: only new texts are ever computed."""

import logging
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import numpy as np

log = logging.getLogger("samizdat")


class ScoreStore:
    """Probabilities by text and classifier, in one SQLite file that several processes may share.

    Deleting the file costs time and nothing else; a damaged one is set aside.
    """

    def __init__(self, path: Path, fingerprint: str):
        """Open the store for scores of one classifier fingerprint."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fingerprint = fingerprint
        try:
            self._connection = self._open(path)
        except sqlite3.DatabaseError as error:
            log.warning("the score store %s is damaged (%s) and begun anew", path, error)
            for leftover in path.parent.glob(path.name + "*"):
                leftover.unlink()
            self._connection = self._open(path)

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path, timeout=60)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS scores (fingerprint TEXT, sha256 TEXT, windows INTEGER, probabilities BLOB,"
            " PRIMARY KEY (fingerprint, sha256)) WITHOUT ROWID"
        )
        connection.commit()
        return connection

    def load(self) -> dict[str, tuple[int, np.ndarray]]:
        """Text's SHA-256 → number of windows and probabilities, for this classifier."""
        rows = self._connection.execute(
            "SELECT sha256, windows, probabilities FROM scores WHERE fingerprint = ?", (self._fingerprint,)
        )
        return {sha256: (windows, np.frombuffer(blob, "<f4")) for sha256, windows, blob in rows}

    def add(self, scores: Iterable[tuple[str, int, np.ndarray]]) -> None:
        """Keep new scores; durable when this returns."""
        rows = [
            (self._fingerprint, sha256, windows, probabilities.astype("<f4").tobytes())
            for sha256, windows, probabilities in scores
        ]
        with self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?)", rows)

    def close(self) -> None:
        """Fold the journal into the file."""
        self._connection.close()
