"""Numbers in place of the strings of a column that is read in batches: what is held of each row is a few bytes."""

from typing import Any

import numpy as np
import pandas as pd


class Codes:
    """Values that are given in batches, most of them often: a number for each."""

    def __init__(self) -> None:
        """Begin with no value."""
        self._numbers: dict[Any, int] = {}
        self._parts: list[np.ndarray] = []

    def add(self, values: pd.Series) -> None:
        """Add a batch; null is no value."""
        places, found = pd.factorize(values)
        numbers = [self._numbers.setdefault(value, len(self._numbers)) for value in found]
        self._parts.append(np.array([*numbers, -1], np.int32)[places])

    def categories(self) -> pd.Categorical:
        """Return all values that were added, their categories in order."""
        order = sorted(self._numbers)
        ranks = np.empty(len(order) + 1, np.int32)
        ranks[[self._numbers[value] for value in order]] = np.arange(len(order))
        ranks[-1] = -1
        return pd.Categorical.from_codes(ranks[np.concatenate(self._parts)], pd.Index(order, tupleize_cols=False))


class Owners:
    """Names that are given in batches, many of them once: a number for each, in the order in which they come."""

    def __init__(self) -> None:
        """Begin with no name."""
        self._hashes: list[np.ndarray] = []

    def add(self, names: pd.Series) -> None:
        """Add a batch."""
        self._hashes.append(pd.util.hash_pandas_object(names, index=False).to_numpy())

    def numbers(self) -> np.ndarray:
        """Return the number of each name that was added, `[names]`, int32.

        Of ten million names, two have the same hash with a probability of 3 in a million.
        """
        return pd.factorize(np.concatenate(self._hashes))[0].astype(np.int32)
