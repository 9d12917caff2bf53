"""Texts that are there several times: which one is kept, and the labels that it gets from the others."""

from dataclasses import dataclass

import numpy as np

from samizdat.base.language import message
from samizdat.corpus.gathered import Gathered
from samizdat.measures.arrays import Counts

# A reason is a message, which the report says in its language.
IN_TWO_SPLITS = message("also in an earlier split")


@dataclass
class Different:
    """The different texts of a corpus, in the order in which they were first read."""

    rows: Counts  # of each, the row in `Gathered` that is kept, `[different]`
    labels: dict[str, Counts]  # label column → the label of each as a number, -1 where it has none, `[different]`
    conflicting: dict[str, np.ndarray]  # label column → whether its duplicates have another label, `[different]`
    lent: dict[str, dict[int, int]]  # label column → kept row → the row of the duplicate whose raters' labels it gets

    def keep(self, chosen: np.ndarray) -> None:
        """Keep some of the texts: whether to keep each, or their places."""
        self.rows = self.rows[chosen]
        for columns in (self.labels, self.conflicting):
            columns |= {label: column[chosen] for label, column in columns.items()}

    def undecided(self, label: str, gathered: Gathered) -> int:
        """Count the texts without a label, since the people who gave them one don't agree."""
        rated = np.frombuffer(gathered.rated[label], np.bool_)[self.rows]
        rated = rated | np.isin(self.rows, list(self.lent[label]))
        return int((rated & (self.labels[label] < 0)).sum())


def different_texts(gathered: Gathered) -> Different:
    """Keep each text once, of one in several of the corpus's own splits that in the first of them; count the others.

    A text gets the labels that it lacks and its duplicates have, and the first one counts where they differ. Raters who
    agree on no label are an answer, too.
    """
    order, of_text = _equal(gathered.keys())
    splits = gathered.split_numbers()
    # Of equal texts, the one to keep comes first: that of the first split, and in it the first one that was read.
    order = order[np.lexsort([order, np.maximum(splits[order], 0), of_text])]
    begins = np.flatnonzero(np.diff(of_text, prepend=np.int32(-1)))
    firsts = np.minimum.reduceat(order, begins)
    kept = order[begins]
    others = np.delete(order, begins)
    elsewhere = splits[others] != splits[kept[np.delete(of_text, begins)]]
    gathered.drop(message("duplicate of an earlier text"), np.sort(others[~elsewhere]))
    gathered.drop(IN_TWO_SPLITS, np.sort(others[elsewhere]))
    found = Different(kept, {}, {}, {})
    for label, column in gathered.labels.items():
        codes = column.column()[order]
        rated = np.frombuffer(gathered.rated[label], np.bool_)[order]
        answers = np.where((codes >= 0) | rated, np.arange(len(order), dtype=np.int32), np.int32(len(order) - 1))
        source = np.minimum.reduceat(answers, begins)
        source = np.where((codes[source] >= 0) | rated[source], source, begins)
        source = np.where(of_text[source] == of_text[begins], source, begins)
        label_of = codes[source]
        other = (codes >= 0) & (label_of[of_text] >= 0) & (codes != label_of[of_text])
        found.labels[label] = label_of
        found.conflicting[label] = np.logical_or.reduceat(other, begins)
        lends = (source != begins) & rated[source]
        found.lent[label] = dict(zip(kept[lends].tolist(), order[source[lends]].tolist(), strict=True))
    found.keep(np.argsort(firsts))
    return found


def _equal(keys: np.ndarray) -> tuple[Counts, Counts]:
    """Order texts so that equal ones are together; return their rows, and the number of each one's different text."""
    columns = np.ascontiguousarray(keys).view(np.uint64).T
    # Four bytes a number: of ten million texts a dozen such arrays are in memory at once.
    order: Counts = np.lexsort(columns).astype(np.int32)
    new = np.zeros(len(order), bool)
    for column in columns:
        ordered = column[order]
        new[1:] |= ordered[1:] != ordered[:-1]
    return order, np.cumsum(new, dtype=np.int32)
