"""The table of scores: scores are collected by text as they are found or computed, then written row by row."""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import pandas as pd

from samizdat.classifiers.outputs import decisions, joined_scores
from samizdat.classifiers.score_store import keys_of
from samizdat.records.classifiers import SCORES, ClassifierCard
from samizdat.records.io import BATCH_ROWS

_MISSING = -1


class ScoreTable:
    """The scores of the rows of tables; rows with one text have one score.

    All that grows with the rows is in arrays. Scores are added as the checkpoint gives them. What they say of a text
    (`label_map`, `threshold`, `abstain_below`) is decided when the frames are made.
    """

    def __init__(self, keys: np.ndarray, card: ClassifierCard):
        """Make an empty table for a classifier; `keys` are those of each row's text, as `S16`."""
        # Different texts, the first row of each, and the text of each row.
        self._keys, first, places = np.unique(keys, return_index=True, return_inverse=True)
        self._first, self._places = first.astype(np.uint32), places.astype(np.uint32)
        self._card = card
        self._scores = np.zeros((len(self._keys), len(card.checkpoint_labels)), np.float32)
        self._windows = np.full(len(self._keys), _MISSING, np.int32)

    @property
    def rows(self) -> int:
        """How many rows the tables have."""
        return len(self._places)

    def add(self, rows: np.ndarray) -> None:
        """Add scores, rows of the store; those of other texts are left out."""
        keys = keys_of(rows)
        places = np.searchsorted(self._keys, keys).clip(max=len(self._keys) - 1)
        mine = self._keys[places] == keys
        self._windows[places[mine]], self._scores[places[mine]] = rows["windows"][mine], rows["scores"][mine]

    def missing(self) -> np.ndarray:
        """Return the first row of each text without a score so far, in order."""
        return np.sort(self._first[self._windows == _MISSING])

    def keys(self, rows: np.ndarray) -> np.ndarray:
        """Return the keys of the texts of these rows."""
        found: np.ndarray = self._keys[self._places[rows]]
        return found

    def frames(self, ids: Iterable[str], seen: set[str], abstain_below: float) -> Iterator[pd.DataFrame]:
        """Make frames of `records.classifiers.SCORES`, each but the last of BATCH_ROWS rows.

        Args:
            ids: of the rows.
            seen: ids of the texts that the classifier was trained or selected on.
            abstain_below: a text whose most probable single label is less probable than this gets no label.
        """
        left = iter(ids)
        for start in range(0, len(self._places), BATCH_ROWS):
            places, some = self._places[start : start + BATCH_ROWS], [*islice(left, BATCH_ROWS)]
            windows, scores = self._windows[places], joined_scores(self._card, self._scores[places])
            columns = decisions(self._card, scores, windows > 0, abstain_below) | {
                "id": some,
                "windows": windows.clip(min=0),
                "seen_in_training": [one in seen for one in some],
            }
            yield pd.DataFrame(columns, columns=SCORES.names)
