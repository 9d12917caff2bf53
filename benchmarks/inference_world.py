"""Make corpora with a known truth: labels, documents that are alike, and what was seen of intervals."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd

from samizdat.measures.bootstrap import Bootstrap
from samizdat.records.classifiers import ClassifierCard
from samizdat.records.corpus import SPLITS
from samizdat.records.labels import RATER_QUALITY
from samizdat.records.sample_quality import SAMPLE_QUALITY
from samizdat.records.statistics import STATISTICS
from samizdat.reporting.run import Run

# The split that is reported on, which is the last.
HELD_OUT = SPLITS[-1]
CONFIDENCE, SAMPLES, RESAMPLES, PASSAGES = 0.95, 200, 199, 1000
# A share is often enough for its interval to be counted where so many texts with it, and without it, are expected.
COMMON = 5
UNKNOWN = ", truth not known"
# An interval of a value that can't be below 0, where the truth is 0, can miss it on one side only.
AT_BOUND = ", where the truth is 0"
# How alike documents are: their label shares are from a Dirichlet distribution with weights of this sum.
ALIKE = 20.0
# What an effect is: so much of the labels, or of the accuracy, is replaced.
MIXED, SHIFT, TIMES = 0.2, 0.1, 1.5


@dataclass
class World:
    """A kind of corpus, and what was seen of its intervals."""

    seed: int
    texts: int
    of_one: int  # texts of each document
    labels: int
    effect: bool
    intervals: list[tuple[str, bool, bool]] = field(default_factory=list)  # kind, covers the truth, has its estimate

    def __post_init__(self) -> None:
        """Number the texts' documents, and begin the random stream."""
        self.random = np.random.default_rng([self.seed, self.texts, self.of_one, self.labels, self.effect])
        self.owners = np.arange(self.texts) // self.of_one
        self.documents = int(self.owners[-1]) + 1
        self.bootstrap = Bootstrap(CONFIDENCE, RESAMPLES, self.seed)
        self.names = [str(number) for number in range(self.labels)]
        weights = 1 / np.arange(1, self.labels + 1)
        self.source = weights / weights.sum()

    def drawn(self, shares: np.ndarray | None = None) -> np.ndarray:
        """Draw a label for each text; documents of several texts have shares of their own."""
        shares = self.source if shares is None else shares
        luck = self.random.random(self.texts)
        if self.of_one == 1:
            return np.minimum(np.searchsorted(shares.cumsum(), luck), self.labels - 1)
        own = self.random.dirichlet(np.maximum(shares * ALIKE, 1e-3), self.documents).cumsum(axis=1)
        places = np.searchsorted((own + np.arange(self.documents)[:, None]).ravel(), luck + self.owners)
        return np.clip(places - self.owners * self.labels, 0, self.labels - 1)

    def at_random(self) -> np.ndarray:
        """Draw a label for each text, whatever its document is."""
        return np.minimum(np.searchsorted(self.source.cumsum(), self.random.random(self.texts)), self.labels - 1)

    def lucky(self, probabilities: np.ndarray) -> np.ndarray:
        """Draw which texts are right; the texts of a document are lucky together in half of the cases."""
        alike = (self.random.random(self.texts) < 0.5) & (self.of_one > 1)
        luck = np.where(alike, self.random.random(self.documents)[self.owners], self.random.random(self.texts))
        return luck < probabilities

    def of_samples(self, shares: np.ndarray) -> np.ndarray:
        """Draw labels of samples; each sample is its own document."""
        return np.minimum(np.searchsorted(shares.cumsum(), self.random.random(SAMPLES)), self.labels - 1)

    def mixed(self) -> np.ndarray:
        """Return shares of which MIXED has gone to the label in the middle, where there is an effect."""
        return self.source * (1 - MIXED * self.effect) + MIXED * self.effect * np.eye(self.labels)[self.labels // 2]

    def card(self, name: str, *more: str) -> ClassifierCard:
        """Describe a classifier of these labels, as far as the stages ask."""
        return cast(
            ClassifierCard,
            SimpleNamespace(name=name, labels=[*self.names, *more], label_map={}, label_column="h"),
        )

    def frame(self, **columns: np.ndarray) -> pd.DataFrame:
        """Make a table of the texts; labels are written as the report has them."""
        frame = pd.DataFrame({"id": np.arange(self.texts).astype(str), "document": self.owners, "split": HELD_OUT,
                              "text": "x", "ratings": None, "raters": None, "group": "a"})  # fmt: skip
        words = np.array(self.names, object)
        return frame.assign(**{name: words[column] for name, column in columns.items()})

    def seen(
        self,
        kind: str,
        value: float,
        low: float,
        high: float,
        truth: float,
        expected: float = np.inf,
        bounded: bool = False,
    ) -> None:
        """Count an interval, where there is one; of rare things apart, and of truths at a bound or not known."""
        if not np.isnan(low):
            rare = "" if expected >= COMMON else ", of fewer than 5 expected texts"
            rare = UNKNOWN if np.isnan(truth) else AT_BOUND if bounded and abs(truth) < 1e-12 else rare
            slack = 1e-9
            there = [bool(low - slack <= one <= high + slack) for one in (truth, value)]
            self.intervals.append((kind + rare, there[0], there[1]))


def run_of(**tables: list[dict[str, Any]]) -> Run:
    """Make a run of rows of its statistics."""
    schemas = STATISTICS | {
        "rater_quality": RATER_QUALITY,
        "sample_quality": SAMPLE_QUALITY,
        "shares": STATISTICS["label_shares"],
    }
    frames = {name: pd.DataFrame(rows, columns=schemas[name].names) for name, rows in tables.items()}
    return cast(Run, SimpleNamespace(confidence=CONFIDENCE, **frames))
