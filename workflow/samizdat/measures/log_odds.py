"""Which terms are over-represented in a set of documents: log-odds with an informative prior, tested all together."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from samizdat.measures.arrays import Counts, Floats

# What the prior of a term is worth, in occurrences; its mean is the term's share in all documents.
PRIOR_OCCURRENCES = 2.0
# A finding at the level is one that at most so many draws, and what was observed, reach.
REACHING = 10
# So many numbers of terms in sets are in memory at once, but for two of each term in each set that is asked for.
CELLS_AT_ONCE = 500_000


@dataclass(frozen=True)
class TermDifferences:
    """How much more often each set has each term than all other documents have it, each `[terms, sets]`."""

    log_odds: Floats  # of a word of the set to be the term, less that of a word of the other documents
    errors: Floats  # their standard errors
    largest: Floats  # the largest scores of permuted documents, in order, `[draws]`

    @property
    def scores(self) -> Floats:
        """Return each log-odds ratio over its standard error."""
        scores: Floats = self.log_odds / self.errors
        return scores

    @property
    def p_values(self) -> Floats:
        """Return p of no difference, corrected for the number of terms and sets."""
        draws = len(self.largest)
        reached = draws - np.searchsorted(self.largest, np.abs(self.scores) * (1 - 1e-9))
        p_values: Floats = (reached + 1) / (draws + 1)
        return p_values

    @property
    def low(self) -> Floats:
        """Return the lower bounds of intervals that all have the truth in them at the confidence."""
        bounds: Floats = self.log_odds - self.largest[-REACHING] * self.errors
        return bounds

    @property
    def high(self) -> Floats:
        """Return their upper bounds."""
        bounds: Floats = self.log_odds + self.largest[-REACHING] * self.errors
        return bounds

    def of_set(self, place: int) -> "TermDifferences":
        """Return those of one of the sets, each `[terms]`."""
        return TermDifferences(self.log_odds[:, place], self.errors[:, place], self.largest)


@dataclass(frozen=True)
class _Sums:
    """Sums over the documents of each set: of a term's occurrences `[terms, sets]`, and of words `[sets]`."""

    terms: Floats
    squares: Floats  # of a document's occurrences squared
    products: Floats  # of its occurrences times its words
    words: Floats
    squared_words: Floats
    documents: Floats

    def of(self, sets: Counts) -> "_Sums":
        return _Sums(*(getattr(self, name)[..., sets] for name in _FIELDS))

    def without(self, other: "_Sums") -> "_Sums":
        return _Sums(*(getattr(self, name) - getattr(other, name) for name in _FIELDS))


_FIELDS = tuple(_Sums.__dataclass_fields__)


def compare_terms(
    counts: sparse.csr_array, words: Counts, sets: Counts, asked: Counts, confidence: float, random: np.random.Generator
) -> TermDifferences:
    """Compare how often sets of documents have each term with how often all other documents have it.

    The log-odds ratio of Monroe, Colaresi and Quinn, Fightin' Words, Political Analysis 16, 2008, with a prior whose
    mean is the share of the term in all documents. They take words for independent; here the variance is that over
    documents, since the words of one document are alike. With independent words it is theirs. The documents are
    permuted over the sets, and the largest score of all terms and sets is kept of each draw: the chance that any of
    them is called different where nothing differs is 1 less the confidence (Westfall and Young, Resampling-Based
    Multiple Testing, 1993).

    Args:
        counts: occurrences of each term in each document, `[documents, terms]`; no term has none, or all words.
        words: of each document, terms or not.
        sets: the number of each document's set, from 0.
        asked: the sets to compare; each has 2 documents or more, and so have all others together.
        confidence: that no term is called different where no set differs; also of all intervals together.
        random: draws the permutations.
    """
    # All sets that aren't asked for are one: there may be thousands of a few documents.
    place = np.full(int(sets.max()) + 1, len(asked))
    place[asked] = np.arange(len(asked))
    sets, asked = place[sets], np.arange(len(asked))
    columns, at_once = counts.tocsc(), max(1, CELLS_AT_ONCE // (len(asked) + 1))
    parts = [
        (slice(start, start + at_once), _Summing(columns[:, start : start + at_once], words, len(asked) + 1))
        for start in range(0, counts.shape[1], at_once)
    ]
    log_odds, errors = (np.empty((counts.shape[1], len(asked))) for _ in range(2))
    for terms, sums in parts:
        log_odds[terms], errors[terms] = _differences(sums, sets, asked)
    largest = np.zeros(draws_for(confidence))
    for draw in range(len(largest)):
        permuted = random.permutation(sets)
        for _, sums in parts:
            value, error = _differences(sums, permuted, asked)
            largest[draw] = max(largest[draw], np.abs(value / error).max(initial=0))
    largest.sort()
    return TermDifferences(log_odds, errors, largest)


def draws_for(confidence: float) -> int:
    """Say how many permutations are drawn: so many that a finding is reached by nine of them at most."""
    return round(REACHING / (1 - confidence)) - 1


class _Summing:
    """Occurrences of terms in documents, to be summed for one division into sets after another."""

    def __init__(self, counts: sparse.csc_array, words: Counts, sets: int):
        entries = counts.tocoo()
        self._document, self._place = entries.row, entries.col.astype(np.int64) * sets
        count = entries.data.astype(float)
        self._values = count, count**2, count * words[self._document]
        self._words, self._shape = words.astype(float), (counts.shape[1], sets)
        self.all = self.of_sets(np.zeros(len(words), np.int64)).of(np.array([0]))

    def of_sets(self, sets: Counts) -> _Sums:
        """Sum over the documents of each set."""
        cells, (terms, number) = self._place + sets[self._document], self._shape
        documents = (self._words, self._words**2, np.ones(len(sets)))
        return _Sums(
            *(_summed(cells, values, terms * number).reshape(terms, number) for values in self._values),
            *(_summed(sets, values, number) for values in documents),
        )


def _summed(cells: Counts, values: Floats, size: int) -> Floats:
    return np.bincount(cells, values, size).astype(float, copy=False)


def _differences(summing: _Summing, sets: Counts, asked: Counts) -> tuple[Floats, Floats]:
    """Compute the log-odds ratio of each term in the sets asked for, and its standard error, `[terms, asked]`."""
    own = summing.of_sets(sets).of(asked)
    share = summing.all.terms / summing.all.words
    (of_own, own_variance), (of_rest, rest_variance) = (
        _log_odds(part, share) for part in (own, summing.all.without(own))
    )
    return of_own - of_rest, np.sqrt(own_variance + rest_variance)


def _log_odds(sums: _Sums, share: Floats) -> tuple[Floats, Floats]:
    """Compute the log-odds of each term in each set, and their variance over documents (the delta method).

    The prior is so many words, of which PRIOR_OCCURRENCES are the term; its words are independent.
    """
    total = sums.words + PRIOR_OCCURRENCES / share
    smoothed = (sums.terms + PRIOR_OCCURRENCES) / total
    spread = sums.squares - 2 * smoothed * sums.products + smoothed**2 * sums.squared_words
    spread = np.maximum(spread, 0) * sums.documents / (sums.documents - 1) + PRIOR_OCCURRENCES * (1 - share)
    return np.log(smoothed / (1 - smoothed)), spread / (total * smoothed * (1 - smoothed)) ** 2
