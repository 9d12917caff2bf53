"""Ask about words: whether some tell groups of texts apart, or samples from texts, where documents repeat their words.

Words are drawn by Zipf's law. A document, or a sample, has a few words of its own that it repeats, so the words of a
document are alike.
"""

import numpy as np
import pandas as pd
from inference_world import MIXED, SAMPLES, World, run_of

from samizdat.reporting import verdicts
from samizdat.statistics.tables import Row
from samizdat.statistics.terms import telling_terms

# How many words there are; so many of a text are drawn, of the first group of texts twice as many; so many are a
# document's own, and one word in a text is one of these with this chance.
WORDS, LENGTH, OWN, REPEATED = 5000, 10, 3, 0.2
FIRST = 1 / 3  # of the documents are in the first group
ADDED = 40  # the word, by its rank, that an effect adds to MIXED of the texts of a set
SETS = ("first", "second")


def telling_of_groups(world: World) -> bool:
    """Two groups whose texts have the same words; or one word is in a fifth more of the first group's texts."""
    first = world.random.random(world.documents) < FIRST
    texts = _texts(world, world.owners, np.where(first[world.owners], 2, 1) * LENGTH, first[world.owners])
    group = np.where(first[world.owners], *SETS)
    corpus = pd.DataFrame({"document": world.owners, "group": group, "text": texts})
    return _told(world, "groups", corpus, _samples(world, 0), 2 * LENGTH)


def telling_of_samples(world: World) -> bool:
    """Samples that have the same words as texts; or one word is in a fifth more of the samples."""
    texts = _texts(world, world.owners, np.full(world.texts, LENGTH), np.zeros(world.texts, bool))
    corpus = pd.DataFrame({"document": world.owners, "group": None, "text": texts})
    return _told(world, "samples", corpus, _samples(world, SAMPLES), LENGTH)


def _samples(world: World, number: int) -> pd.DataFrame:
    """Write samples of one model, each its own document."""
    texts = _texts(world, np.arange(number), np.full(number, LENGTH), np.ones(number, bool))
    return pd.DataFrame({"model": SETS[0], "percent": 100, "prompt_kind": "unprompted", "text": texts})


def _told(world: World, between: str, corpus: pd.DataFrame, samples: pd.DataFrame, length: int) -> bool:
    """Ask whether a word tells the sets apart, and count whether all reported intervals hold the truth together."""
    rows = list(telling_terms(corpus, samples, world.bootstrap))
    if rows:
        truths = [_truth(row, length) * world.effect for row in rows]
        misses = [
            abs(row["log_odds"] - truth) / (row["high"] - row["log_odds"])
            for row, truth in zip(rows, truths, strict=True)
        ]
        worst = int(np.argmax(misses))
        row = rows[worst]
        world.seen(f"terms of {between}, all together", row["log_odds"], row["low"], row["high"], truths[worst])
    return bool(verdicts.telling_terms(run_of(terms=rows), between))


def _truth(row: Row, length: int) -> float:
    """Compute the log-odds ratio of a term where one word was added to MIXED of a set's texts of this length."""
    share = _shares()[int(row["term"][1:])]
    added = MIXED * (row["term"] == f"w{ADDED}")
    more = (length * share + added) / (length + MIXED)
    log_odds = float(np.log(more / (1 - more)) - np.log(share / (1 - share)))
    return log_odds if row["set"] == SETS[0] else -log_odds


def _shares() -> np.ndarray:
    weights: np.ndarray = 1 / np.arange(1, WORDS + 1)
    return weights / weights.sum()


def _texts(world: World, owners: np.ndarray, lengths: np.ndarray, more: np.ndarray) -> list[str]:
    """Write texts of so many words; where there is an effect, a fifth of those with `more` has one word added."""
    if not len(owners):
        return []
    bounds, number = _shares().cumsum(), int(lengths.sum())
    drawn = np.searchsorted(bounds, world.random.random(number))
    own = np.searchsorted(bounds, world.random.random((int(owners.max()) + 1, OWN)))
    repeated = own[np.repeat(owners, lengths), world.random.integers(OWN, size=number)]
    drawn = np.minimum(np.where(world.random.random(number) < REPEATED, repeated, drawn), WORDS - 1)
    texts = [" ".join(f"w{place}" for place in text) for text in np.split(drawn, np.cumsum(lengths)[:-1])]
    added = more & (world.random.random(len(owners)) < MIXED) & world.effect
    return [f"{text} w{ADDED}" if one else text for text, one in zip(texts, added, strict=True)]
