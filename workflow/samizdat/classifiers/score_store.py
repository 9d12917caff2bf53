"""Keep scores that were computed, outside of the declared outputs: only new texts are ever computed."""

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

log = logging.getLogger("samizdat")

# How many classifiers' scores are kept, those used last: every edit of a classifier makes a new one.
KEPT_CLASSIFIERS = 50
KEYS_AT_ONCE = 500


class StoredScore(NamedTuple):
    """What a classifier says of one text."""

    key: bytes  # SHA-256 of the text
    windows: int  # how many windows it was read in; 0: the text has no token
    probabilities: np.ndarray  # [labels], float32


class ScoreStore:
    """Scores by text and classifier, in one SQLite file that all runs of a checkout share.

    Deleting the file costs time and nothing else; a damaged file is replaced by a new one.
    """

    def __init__(self, path: Path, fingerprint: str):
        """Open the store for scores of one classifier fingerprint."""
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._connection, self._classifier = self._open(path, fingerprint)
        except sqlite3.OperationalError:
            raise  # Locked for a minute, or the disk is full: no reason to throw scores away.
        except sqlite3.DatabaseError as error:
            log.warning("the score store %s is damaged (%s) and replaced by a new one", path, error)
            for leftover in path.parent.glob(path.name + "*"):
                leftover.unlink()
            self._connection, self._classifier = self._open(path, fingerprint)

    @staticmethod
    def _open(path: Path, fingerprint: str) -> tuple[sqlite3.Connection, int]:
        connection = sqlite3.connect(path, timeout=60)
        # After a kill everything that was committed is there; only a power cut may cost the last batches.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS classifiers"
                " (number INTEGER PRIMARY KEY, fingerprint TEXT UNIQUE, used INTEGER)"
            )
            connection.execute(
                "CREATE TABLE IF NOT EXISTS scores (classifier INTEGER, sha256 BLOB, windows INTEGER,"
                " probabilities BLOB, PRIMARY KEY (classifier, sha256)) WITHOUT ROWID"
            )
            (now,) = connection.execute("SELECT coalesce(max(used), 0) + 1 FROM classifiers").fetchone()
            connection.execute(
                "INSERT INTO classifiers (fingerprint, used) VALUES (?, ?)"
                " ON CONFLICT (fingerprint) DO UPDATE SET used = excluded.used",
                (fingerprint, now),
            )
            old = "SELECT number FROM classifiers ORDER BY used DESC LIMIT -1 OFFSET ?"
            connection.execute(f"DELETE FROM scores WHERE classifier IN ({old})", (KEPT_CLASSIFIERS,))  # noqa: S608
            connection.execute(f"DELETE FROM classifiers WHERE number IN ({old})", (KEPT_CLASSIFIERS,))  # noqa: S608
            (number,) = connection.execute(
                "SELECT number FROM classifiers WHERE fingerprint = ?", (fingerprint,)
            ).fetchone()
        return connection, number

    def known(self, keys: Sequence[bytes]) -> Iterator[StoredScore]:
        """Find the scores of those texts (by SHA-256) that this classifier has scored before."""
        for start in range(0, len(keys), KEYS_AT_ONCE):
            some = keys[start : start + KEYS_AT_ONCE]
            rows = self._connection.execute(
                "SELECT sha256, windows, probabilities FROM scores"  # noqa: S608 - nothing but question marks
                f" WHERE classifier = ? AND sha256 IN ({', '.join('?' * len(some))})",
                (self._classifier, *some),
            )
            for key, windows, blob in rows:
                yield StoredScore(key, windows, np.frombuffer(blob, "<f4"))

    def add(self, scores: Iterable[StoredScore]) -> None:
        """Store new scores; once this returns, a kill loses none of them."""
        rows = [
            (self._classifier, key, windows, probabilities.astype("<f4").tobytes())
            for key, windows, probabilities in scores
        ]
        with self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?)", rows)

    def close(self) -> None:
        """Close the file; SQLite moves its journal into it."""
        self._connection.close()
