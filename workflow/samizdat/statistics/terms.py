"""Which terms are over-represented in a group of texts, and in samples compared with texts."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from samizdat.base import stage
from samizdat.measures.arrays import Counts
from samizdat.measures.bootstrap import FEWEST_DOCUMENTS, Bootstrap
from samizdat.measures.log_odds import compare_terms
from samizdat.measures.words import split_words
from samizdat.records.samples import begun_with_nothing
from samizdat.statistics.tables import Row

# A term that fewer documents have is not looked at: it may be a name, and says little.
FEWEST_WITH_TERM = 5
# So many terms of a set are reported that it has more often than others, and as many that it has less often.
REPORTED = 20


@dataclass(frozen=True)
class _Words:
    """The words of texts, one after the other."""

    terms: Counts  # the number of each word
    texts: Counts  # of the text that it is in
    places: Counts  # in that text, from 0

    def counted(self, documents: Counts, number: int) -> sparse.csr_array:
        """Count each term in each document, `[documents, number]`, given the document of each text."""
        rows = documents[self.texts]
        shape = (int(documents.max(initial=-1)) + 1, number)
        return sparse.coo_array((np.ones(len(rows), np.int64), (rows, self.terms)), shape=shape).tocsr()

    def begins(self, longest: int) -> "_Words":
        """Cut each text after so many words."""
        kept = self.places < longest
        return _Words(self.terms[kept], self.texts[kept], self.places[kept])


def telling_terms(corpus: pd.DataFrame, samples: pd.DataFrame, bootstrap: Bootstrap) -> Iterator[Row]:
    """Find the terms that tell groups of texts, and samples and texts, apart: rows of `records.statistics.TERMS`.

    Args:
        corpus: `document`, `group` and `text` of all texts.
        samples: of the published models.
        bootstrap: how confident the intervals are, and the random stream.
    """
    numbers: dict[str, int] = {}
    written = begun_with_nothing(samples)
    of_texts, of_samples = (_words(frame["text"], numbers) for frame in (corpus, written))
    names = np.array(list(numbers), object)
    yield from _of_groups(of_texts, corpus, names, bootstrap)
    documents = pd.factorize(corpus["document"])[0]
    models = list(dict.fromkeys(written["model"]))
    for model in models:
        own = np.flatnonzero((written["model"] == model).to_numpy())
        chosen = np.isin(of_samples.texts, own)
        part = _Words(of_samples.terms[chosen], of_samples.texts[chosen], of_samples.places[chosen])
        # A sample is short, and texts may begin in other words than they go on in.
        begins = of_texts.begins(int(part.places.max(initial=-1)) + 1)
        places = np.full(len(written), -1)
        places[own] = np.arange(len(own))
        counts = [begins.counted(documents, len(names)), part.counted(places, len(names))]
        sets = np.repeat([0, 1], [one.shape[0] for one in counts])
        with_term = sum(one.astype(bool).sum(axis=0) for one in counts)
        yield from _compared(
            sparse.vstack(counts, format="csr"), sets, with_term, names, {1: model}, "samples", len(models), bootstrap
        )


def _of_groups(words: _Words, corpus: pd.DataFrame, names: np.ndarray, bootstrap: Bootstrap) -> Iterator[Row]:
    """Compare each group of texts with all others; a document of several groups counts as one document in each."""
    grouped = corpus["group"].notna().to_numpy()
    groups = sorted(set(corpus.loc[grouped, "group"]))
    if len(groups) < 2:
        return
    used = grouped[words.texts]
    words = _Words(words.terms[used], words.texts[used], words.places[used])
    documents = pd.factorize(corpus["document"])[0]
    group = pd.Index(groups).get_indexer(pd.Index(corpus["group"]))
    parts, own = np.full(len(corpus), -1), documents * len(groups) + group
    found, parts[grouped] = np.unique(own[grouped], return_inverse=True)
    with_term = words.counted(documents, len(names)).astype(bool).sum(axis=0)
    counts = words.counted(parts, len(names))
    called = dict(enumerate(groups))
    yield from _compared(counts, found % len(groups), with_term, names, called, "groups", 1, bootstrap)


def _compared(
    counts: sparse.csr_array, sets: Counts, with_term: Counts, names: np.ndarray, called: dict[int, str],
    between: str, comparisons: int, bootstrap: Bootstrap,
) -> Iterator[Row]:  # fmt: skip
    """Compare sets that have names with all other documents; those with too few documents are not compared.

    Args:
        counts: occurrences of each term in each document.
        sets: of each document.
        with_term: how many documents have each term.
        names: of the terms.
        called: number of a set → its name.
        between: what is compared, for the table.
        comparisons: how many such comparisons answer one question; for their number all are corrected.
        bootstrap: how confident the intervals are, and the random stream.
    """
    sizes, words = np.bincount(sets), counts.sum(axis=1)
    asked = [one for one in called if FEWEST_DOCUMENTS <= sizes[one] <= len(sets) - FEWEST_DOCUMENTS]
    # A term that is the only word has no odds.
    often = np.flatnonzero((with_term >= FEWEST_WITH_TERM) & (counts.sum(axis=0) < words.sum()))
    if not asked or not len(often):
        return
    counts, names = counts[:, often], names[often]
    confidence = 1 - (1 - bootstrap.confidence) / comparisons
    random = bootstrap.random("terms", between, *called.values())
    found = compare_terms(counts, words, sets, np.array(asked), confidence, random)
    total, alphabetical = counts.sum(axis=0), np.argsort(np.argsort(names))
    for place, one in enumerate(asked):
        own, differences = counts[sets == one], found.of_set(place)
        inside, documents = own.sum(axis=0), own.astype(bool).sum(axis=0)
        low, high, p_values = differences.low, differences.high, differences.p_values
        order = np.lexsort((alphabetical, -np.abs(differences.scores)))
        more = differences.log_odds[order] > 0
        for term in (*order[more][:REPORTED], *order[~more][:REPORTED]):
            yield {
                "between": between,
                "set": called[one],
                "term": names[term],
                "documents": documents[term],
                "occurrences": inside[term],
                "words": words[sets == one].sum(),
                "others_occurrences": total[term] - inside[term],
                "others_words": words[sets != one].sum(),
                "log_odds": differences.log_odds[term],
                "low": low[term],
                "high": high[term],
                "p_value": min(1.0, p_values[term] * comparisons),
                "terms": len(often),
            }


def _words(texts: pd.Series, numbers: dict[str, int]) -> _Words:
    """Split texts into words; a word that has no number yet gets the next one."""
    flat, lengths = array("i"), array("i")
    for text in stage.progress("words", len(texts), "texts", items=texts):
        words = split_words(text)
        lengths.append(len(words))
        flat.extend([numbers.setdefault(word, len(numbers)) for word in words])
    sizes = np.array(lengths, np.int64)
    owners = np.repeat(np.arange(len(sizes)), sizes)
    return _Words(np.array(flat), owners, np.arange(len(flat)) - (np.cumsum(sizes) - sizes)[owners])
