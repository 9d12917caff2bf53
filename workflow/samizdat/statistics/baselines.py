"""What a classifier has to beat, and what nobody can expect it to: majority, a word list, and people themselves."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from samizdat.base.seeds import derive_seed
from samizdat.measures.ratings import sentiment

# Compound scores from here up are positive and from its negative down negative, as VADER's authors use it.
COMPOUND = 0.05


def baselines(
    corpus: pd.DataFrame, held_out: pd.DataFrame, column: str, seed: int
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each method's name, and the held-out texts with its label as `predicted`.

    `majority` gives every text the label that is most frequent in the train split. Where the labels are cut
    mean ratings, `lexicon` is VADER (Hutto and Gilbert, ICWSM 2014), made by those who gathered the ratings,
    and `human` is one of each text's raters, drawn by the seed, against the cut mean of the others, which
    stands in `column`: what one person reaches is a ceiling for a classifier.

    Args:
        corpus: all texts.
        held_out: those that people labelled and that the classifier was not trained on.
        column: the human label.
        seed: draws the raters.
    """
    yield "majority", held_out.assign(predicted=_majority(corpus, column))
    if not _is_cut_mean(held_out, column):
        return
    analyzer = SentimentIntensityAnalyzer()
    compound = [analyzer.polarity_scores(text)["compound"] for text in held_out["text"]]
    yield "lexicon", held_out.assign(predicted=[_polarity(value) for value in compound])
    rated = zip(held_out["id"], held_out["ratings"], strict=True)
    others, one = zip(*(_one_against_others(key, ratings, seed) for key, ratings in rated), strict=True)
    yield "human", held_out.assign(**{column: others, "predicted": one})


def _majority(corpus: pd.DataFrame, column: str) -> str:
    """The most frequent label of the train split, or of all texts where that has none; of equals the first by name."""
    labels = corpus[column].dropna()
    train = labels[corpus["split"] == "train"]
    return min((train if len(train) else labels).mode(), default="")


def _is_cut_mean(held_out: pd.DataFrame, column: str) -> bool:
    """Whether every label is the cut mean of the text's ratings, of which there are several."""
    if held_out["ratings"].isna().any():
        return False
    return all(
        len(ratings) > 1 and sentiment(float(np.mean(ratings))) == label
        for ratings, label in zip(held_out["ratings"], held_out[column], strict=True)
    )


def _polarity(compound: float) -> str:
    return "positive" if compound >= COMPOUND else "negative" if compound <= -COMPOUND else "neutral"


def _one_against_others(key: str, ratings: np.ndarray, seed: int) -> tuple[str, str]:
    """The cut mean of all raters of a text but one, and the cut rating of that one."""
    place = derive_seed(seed, "rater", key) % len(ratings)
    return sentiment(float(np.delete(ratings, place).mean())), sentiment(float(ratings[place]))
