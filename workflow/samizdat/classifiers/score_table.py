"""The table of scores: scores are collected by text as they are found or computed, then written row by row."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from samizdat.classifiers.outputs import decisions, joined_scores
from samizdat.classifiers.score_store import StoredScore
from samizdat.records.classifiers import SCORES, ClassifierCard

_MISSING = -1


class ScoreTable:
    """The scores of different texts, each named by the SHA-256 of the text.

    Scores are added as the checkpoint gives them. What they say of a text (`label_map`, `threshold`, `abstain_below`)
    is decided when the frame is made.
    """

    def __init__(self, keys: Iterable[bytes], card: ClassifierCard):
        """Make an empty table of these texts for a classifier."""
        self._places = {key: place for place, key in enumerate(keys)}
        self._card = card
        self._scores = np.zeros((len(self._places), len(card.checkpoint_labels)), np.float32)
        self._windows = np.full(len(self._places), _MISSING, np.int32)

    def add(self, scores: Iterable[StoredScore]) -> None:
        """Add the scores of some of the texts."""
        for key, windows, values in scores:
            place = self._places[key]
            self._windows[place], self._scores[place] = windows, values

    def missing(self) -> list[bytes]:
        """List the texts without a score so far."""
        return [key for key, place in self._places.items() if self._windows[place] == _MISSING]

    def to_frame(self, ids: pd.Series, keys: Sequence[bytes], seen: set[str], abstain_below: float) -> pd.DataFrame:
        """Make the frame of `records.classifiers.SCORES`.

        Args:
            ids: of the rows; several may have one text.
            keys: the text of each row.
            seen: ids of the texts that the classifier was trained or selected on.
            abstain_below: a text whose most probable single label is less probable than this gets no label.
        """
        rows = [self._places[key] for key in keys]
        windows, scores = self._windows[rows], joined_scores(self._card, self._scores)[rows]
        columns = decisions(self._card, scores, windows > 0, abstain_below) | {
            "id": ids.to_numpy(),
            "windows": windows.clip(min=0),
            "seen_in_training": ids.isin(seen).to_numpy(),
        }
        return pd.DataFrame(columns, columns=SCORES.names)
