"""The table of scores: scores are collected by text as they are found or computed, then written row by row."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from samizdat.classifiers.score_store import StoredScore

UNREADABLE = "the classifier's tokenizer finds no token in the text"
UNCERTAIN = "the probability of the most probable label is below abstain_below"
_MISSING = -1


class ScoreTable:
    """The scores of different texts, each named by the SHA-256 of the text."""

    def __init__(self, keys: Iterable[bytes], labels: Sequence[str]):
        """Make an empty table for these texts and labels."""
        self._places = {key: place for place, key in enumerate(keys)}
        self._labels = np.array(labels, object)
        self._probabilities = np.zeros((len(self._places), len(labels)), np.float32)
        self._windows = np.full(len(self._places), _MISSING, np.int32)

    def add(self, scores: Iterable[StoredScore]) -> None:
        """Add the scores of some of the texts."""
        for key, windows, probabilities in scores:
            place = self._places[key]
            self._windows[place], self._probabilities[place] = windows, probabilities

    def missing(self) -> list[bytes]:
        """List the texts without a score so far."""
        return [key for key, place in self._places.items() if self._windows[place] == _MISSING]

    def to_frame(self, ids: pd.Series, keys: Sequence[bytes], seen: set[str], abstain_below: float) -> pd.DataFrame:
        """Make the frame of `records.classifiers.SCORES`.

        Args:
            ids: of the rows; several may have one text.
            keys: the text of each row.
            seen: ids of the texts that the classifier was trained or selected on.
            abstain_below: a text whose most probable label is less probable than this gets no label.
        """
        rows = [self._places[key] for key in keys]
        windows, probabilities = self._windows[rows], self._probabilities[rows]
        readable = windows > 0
        labelled = readable & (probabilities.max(axis=1) >= abstain_below)
        best = self._labels[probabilities.argmax(axis=1)]
        reasons = np.full(len(rows), None, object)
        reasons[~labelled] = UNCERTAIN
        reasons[~readable] = UNREADABLE
        return pd.DataFrame(
            {
                "id": ids.to_numpy(),
                "label": np.where(labelled, best, None),
                "probabilities": [
                    values if there else None for values, there in zip(probabilities, readable, strict=True)
                ],
                "windows": windows.clip(min=0),
                "seen_in_training": ids.isin(seen).to_numpy(),
                "reason": reasons,
            }
        )
