"""Scores that were computed before, kept outside the declared outputs: only new texts are ever computed."""

import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

log = logging.getLogger("samizdat")

# Classifiers whose scores are kept, those used last: every edit of one is a new one.
KEPT_CLASSIFIERS = 50
KEYS_AT_ONCE = 500


class ScoreStore:
    """Probabilities by text and classifier, in one SQLite file that all runs of a checkout share.

    Deleting the file costs time and nothing else; a damaged one is begun anew.
    """

    def __init__(self, path: Path, fingerprint: str):
        """Open the store for scores of one classifier fingerprint."""
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._connection, self._classifier = self._open(path, fingerprint)
        except sqlite3.OperationalError:
            raise  # locked for a minute, or a full disk: no reason to throw scores away
        except sqlite3.DatabaseError as error:
            log.warning("the score store %s is damaged (%s) and begun anew", path, error)
            for leftover in path.parent.glob(path.name + "*"):
                leftover.unlink()
            self._connection, self._classifier = self._open(path, fingerprint)

    @staticmethod
    def _open(path: Path, fingerprint: str) -> tuple[sqlite3.Connection, int]:
        connection = sqlite3.connect(path, timeout=60)
        # A kill loses nothing that was committed; only a power cut may cost the last batches.
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

    def known(self, keys: Sequence[bytes]) -> Iterator[tuple[bytes, int, np.ndarray]]:
        """Those of the texts (by SHA-256) that this classifier has judged: key, number of windows, probabilities."""
        for start in range(0, len(keys), KEYS_AT_ONCE):
            some = keys[start : start + KEYS_AT_ONCE]
            rows = self._connection.execute(
                "SELECT sha256, windows, probabilities FROM scores"  # noqa: S608 - question marks alone
                f" WHERE classifier = ? AND sha256 IN ({', '.join('?' * len(some))})",
                (self._classifier, *some),
            )
            for key, windows, blob in rows:
                yield key, windows, np.frombuffer(blob, "<f4")

    def add(self, scores: Iterable[tuple[bytes, int, np.ndarray]]) -> None:
        """Keep new scores; a kill loses none of them once this returns."""
        rows = [
            (self._classifier, key, windows, probabilities.astype("<f4").tobytes())
            for key, windows, probabilities in scores
        ]
        with self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?)", rows)

    def close(self) -> None:
        """Fold the journal into the file."""
        self._connection.close()
