"""What a classifier is compared with: the most frequent label, a word list, and single people."""

from collections.abc import Iterator

import pandas as pd
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from samizdat.statistics.raters import are_mean_ratings, by_people, one_against_others

# Compound scores of at least this are positive, of at most its negative negative, as in the paper on VADER.
COMPOUND = 0.05


def baselines(
    corpus: pd.DataFrame, held_out: pd.DataFrame, column: str, seed: int
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Label held-out texts by each method.

    `majority` gives every text the label that is most frequent in the train split. `human` exists where several people
    labelled a text, also one that the classifier gave no label, and compares one of them, drawn at random, with the
    others, whose label is then the one in `column`: what one person reaches is a ceiling for a classifier. `lexicon` is
    VADER (Hutto and Gilbert, ICWSM 2014), by the same authors as the ratings, and exists where every label is made from
    the mean rating of its text.

    Args:
        corpus: all texts.
        held_out: texts that people labelled and that the classifier was not trained on.
        column: the human label.
        seed: draws the raters.

    Yields:
        The method's name, and its texts with its label as `predicted`.
    """
    yield "majority", held_out.assign(predicted=_majority(corpus, column))
    human = one_against_others(by_people(corpus, column), column, seed)
    if len(human):
        yield "human", human
    if not are_mean_ratings(held_out, column):
        return
    analyzer = SentimentIntensityAnalyzer()
    compound = [analyzer.polarity_scores(text)["compound"] for text in held_out["text"]]
    yield "lexicon", held_out.assign(predicted=[_polarity(value) for value in compound])


def _majority(corpus: pd.DataFrame, column: str) -> str:
    """Find the most frequent label of the train split, else of all texts; of several the first by name."""
    labels = corpus[column].dropna()
    train = labels[corpus["split"] == "train"]
    return min((train if len(train) else labels).mode(), default="")


def _polarity(compound: float) -> str:
    return "positive" if compound >= COMPOUND else "negative" if compound <= -COMPOUND else "neutral"
