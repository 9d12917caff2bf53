"""What a classifier is compared with: the most frequent label, a word list, and single people."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from samizdat.base.seeds import derive_seed
from samizdat.measures.ratings import sentiment

# Compound scores of at least this are positive, of at most its negative negative, as in the paper on VADER.
COMPOUND = 0.05


def baselines(
    corpus: pd.DataFrame, held_out: pd.DataFrame, column: str, seed: int
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Label the held-out texts by each method.

    `majority` gives every text the label that is most frequent in the train split. The other two exist where every
    label is made from the mean rating of its text. `lexicon` is VADER (Hutto and Gilbert, ICWSM 2014), by the same
    authors as the ratings. `human` compares one rater of each text, drawn at random, with the mean of the others,
    which then is the label in `column`: what one person reaches is a ceiling for a classifier.

    Args:
        corpus: all texts.
        held_out: texts that people labelled and that the classifier was not trained on.
        column: the human label.
        seed: draws the raters.

    Yields:
        The method's name, and the held-out texts with its label as `predicted`.
    """
    yield "majority", held_out.assign(predicted=_majority(corpus, column))
    if not _are_mean_ratings(held_out, column):
        return
    analyzer = SentimentIntensityAnalyzer()
    compound = [analyzer.polarity_scores(text)["compound"] for text in held_out["text"]]
    yield "lexicon", held_out.assign(predicted=[_polarity(value) for value in compound])
    rated = zip(held_out["id"], held_out["ratings"], strict=True)
    others, one = zip(*(_one_against_others(key, ratings, seed) for key, ratings in rated), strict=True)
    yield "human", held_out.assign(**{column: others, "predicted": one})


def _majority(corpus: pd.DataFrame, column: str) -> str:
    """Find the most frequent label of the train split, else of all texts; of several the first by name."""
    labels = corpus[column].dropna()
    train = labels[corpus["split"] == "train"]
    return min((train if len(train) else labels).mode(), default="")


def _are_mean_ratings(held_out: pd.DataFrame, column: str) -> bool:
    """Check that every text has several ratings, and that its label is made from their mean."""
    if held_out["ratings"].isna().any():
        return False
    return all(
        len(ratings) > 1 and sentiment(float(np.mean(ratings))) == label
        for ratings, label in zip(held_out["ratings"], held_out[column], strict=True)
    )


def _polarity(compound: float) -> str:
    return "positive" if compound >= COMPOUND else "negative" if compound <= -COMPOUND else "neutral"


def _one_against_others(key: str, ratings: np.ndarray, seed: int) -> tuple[str, str]:
    """Draw one rater of a text; return the label by the mean of the other raters, and the label by this one."""
    place = derive_seed(seed, "rater", key) % len(ratings)
    return sentiment(float(np.delete(ratings, place).mean())), sentiment(float(ratings[place]))
