"""The table of scores: scores are collected by text as they are found or computed, then written row by row."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from samizdat.classifiers.score_store import StoredScore
from samizdat.records.classifiers import ClassifierCard

UNREADABLE = "the classifier's tokenizer finds no token in the text"
UNCERTAIN = "the probability of the most probable label is below abstain_below"
_MISSING = -1


class ScoreTable:
    """The scores of different texts, each named by the SHA-256 of the text.

    Scores are added as the checkpoint gives them. This is the one place where `label_map` is applied: the probabilities
    of labels that get one name are summed before the most probable label is chosen.
    """

    def __init__(self, keys: Iterable[bytes], card: ClassifierCard):
        """Make an empty table of these texts for a classifier."""
        self._places = {key: place for place, key in enumerate(keys)}
        self._labels = np.array(card.labels, object)
        # Column of a checkpoint's label → column of the label that it is mapped to.
        self._columns = [card.labels.index(card.mapped(own)) for own in card.checkpoint_labels]
        self._probabilities = np.zeros((len(self._places), len(self._columns)), np.float32)
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
        windows, probabilities = self._windows[rows], self._mapped()[rows]
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

    def _mapped(self) -> np.ndarray:
        """Sum the probabilities of the checkpoint's labels that are mapped to one label, `[texts, labels]`."""
        # Column by column: a product of matrices has other last bits for another number of texts.
        mapped = np.zeros((len(self._places), len(self._labels)), np.float32)
        for own, column in enumerate(self._columns):
            mapped[:, column] += self._probabilities[:, own]
        return mapped.clip(max=1)  # Rounding may lift a sum above 1.
