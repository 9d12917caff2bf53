"""The table of scores: which texts have some, and in the end the scores of the store, row by row."""

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import pandas as pd

from samizdat.base.errors import UserError
from samizdat.classifiers.outputs import decisions, joined_scores
from samizdat.classifiers.score_store import keys_of
from samizdat.records.classifiers import SCORES, ClassifierCard
from samizdat.records.io import BATCH_ROWS


class ScoreTable:
    """The scores of the rows of tables; rows with one text have one score.

    All that grows with the rows is in arrays. Scores are as the checkpoint gives them. What they say of a text
    (`label_map`, `threshold`, `abstain_below`) is decided when the frames are made.
    """

    def __init__(self, keys: np.ndarray, card: ClassifierCard):
        """Make a table for a classifier that knows of no score; `keys` are those of each row's text, as `S16`."""
        # Different texts, the first row of each, and the text of each row.
        self._keys, first, places = np.unique(keys, return_index=True, return_inverse=True)
        self._first, self._places = first.astype(np.uint32), places.astype(np.uint32)
        self._card = card
        self._known = np.zeros(len(self._keys), bool)

    @property
    def rows(self) -> int:
        """How many rows the tables have."""
        return len(self._places)

    def mark(self, rows: np.ndarray) -> None:
        """Note that texts have scores, by rows of the store; those of other texts are left out."""
        places, _ = self._mine(rows)
        self._known[places] = True

    def missing(self) -> np.ndarray:
        """Return the first row of each text without a score so far, in order."""
        return np.sort(self._first[~self._known])

    def fill(self, segments: Iterable[np.ndarray]) -> None:
        """Take the scores of all texts from rows of the store.

        Not as they are computed: when the model is gone, there is memory for them.

        Raises:
            UserError: the store lacks some.
        """
        self._scores = np.zeros((len(self._keys), len(self._card.checkpoint_labels)), np.float32)
        self._windows = np.zeros(len(self._keys), np.int32)
        self._known[:] = False
        for rows in segments:
            places, mine = self._mine(rows)
            self._known[places] = True
            self._windows[places], self._scores[places] = rows["windows"][mine], rows["scores"][mine]
        if lost := int((~self._known).sum()):
            raise UserError(
                f"of the scores of {self._card.name} that were in work/scores, {lost:,} are no longer there",
                remedy="run the same command again: only what is missing is computed; if it happens again, look for "
                "what deletes files there",
            )

    def _mine(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the places of the texts of rows of the store, `[found]`, and which of the rows are of texts here."""
        keys = keys_of(rows)
        places = np.searchsorted(self._keys, keys)
        mine = np.zeros(len(keys), bool)
        inside = places < len(self._keys)
        mine[inside] = self._keys[places[inside]] == keys[inside]
        return places[mine], mine

    def keys(self, rows: np.ndarray) -> np.ndarray:
        """Return the keys of the texts of these rows."""
        found: np.ndarray = self._keys[self._places[rows]]
        return found

    def frames(self, ids: Iterable[str], seen: set[str], abstain_below: float) -> Iterator[pd.DataFrame]:
        """Make frames of `records.classifiers.SCORES` of the scores, once filled in; all but the last of BATCH_ROWS.

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
                "windows": windows,
                "seen_in_training": [one in seen for one in some],
            }
            yield pd.DataFrame(columns, columns=SCORES.names)
