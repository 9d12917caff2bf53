"""How close two sets of texts are, as embeddings of a sentence encoder or by their runs of characters: MAUVE."""

from collections.abc import Sequence
from typing import cast

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from samizdat.measures.arrays import Counts, Floats

TEXTS_PER_CLUSTER = 20
# With fewer texts, real texts that are cut in half get the same closeness as whole ones (see docs/methods.md).
FEWEST_TEXTS = 200
SCALE = 5.0
MIXTURES = np.linspace(0, 1, 101)[1:-1]
# Runs of characters that `embed_characters` counts: their lengths, and how many different ones at most.
RUN_CHARACTERS = (1, 3)
MOST_RUNS = 50_000
CHARACTER_DIMENSIONS = 50


def closeness(counts: Counts) -> Floats:
    """Compute the area under the divergence curve of two histograms: 1 if they are equal, near 0 if they share nothing.

    MAUVE (Pillutla et al., NeurIPS 2021, equations 1 to 3, with scale 5). Half a text is added to each cluster, to
    smooth the histograms (Krichevsky and Trofimov; Pillutla et al., JMLR 2023, section 5).

    Args:
        counts: texts of each set in each cluster, `[…, 2, clusters]`.
    """
    smoothed = counts + 0.5
    shares: Floats = smoothed / smoothed.sum(axis=-1, keepdims=True)
    left, right = shares[..., 0, :], shares[..., 1, :]
    # From (0, 1), where the mixture is only the left histogram, to (1, 0).
    across, up = [np.zeros(left.shape[:-1])], [np.ones(left.shape[:-1])]
    for mixture in MIXTURES:
        mixed = mixture * left + (1 - mixture) * right
        across.append(np.exp(-SCALE * _kullback_leibler(right, mixed)))
        up.append(np.exp(-SCALE * _kullback_leibler(left, mixed)))
    across.append(np.ones(left.shape[:-1]))
    up.append(np.zeros(left.shape[:-1]))
    order = np.argsort(across, axis=0)
    heights, places = (np.take_along_axis(np.array(values), order, axis=0) for values in (up, across))
    # A cast, because NumPy's stub takes every integral for a single number.
    return cast(Floats, np.trapezoid(heights, places, axis=0))


def _kullback_leibler(left: Floats, right: Floats) -> Floats:
    divergence: Floats = (left * np.log(left / right)).sum(axis=-1)
    return divergence


def cluster(points: np.ndarray, texts_in_a_set: int, seed: int) -> Counts:
    """Assign each embedding to a cluster, by k-means with one cluster for every TEXTS_PER_CLUSTER texts of a set.

    Args:
        points: embeddings of the texts of both sets, `[texts, width]`.
        texts_in_a_set: number of texts in one set.
        seed: random seed of k-means.

    Returns:
        The number of each text's cluster, `[texts]`.
    """
    clusters = max(2, texts_in_a_set // TEXTS_PER_CLUSTER)
    numbers: Counts = KMeans(clusters, n_init=5, random_state=seed & 0xFFFFFFFF).fit_predict(points)
    return numbers


def embed_characters(texts: Sequence[str], seed: int) -> Floats:
    """Embed texts by the runs of characters in them: latent semantic analysis, which needs no model of a language.

    Deerwester et al., Journal of the American Society for Information Science 41, 1990; of the logarithms of counts,
    weighted by inverse document frequency.

    Args:
        texts: all texts that are compared.
        seed: random seed of the singular value decomposition.

    Returns:
        Points of unit length, `[texts, at most CHARACTER_DIMENSIONS]`.
    """
    counts = TfidfVectorizer(
        analyzer="char", ngram_range=RUN_CHARACTERS, min_df=2, max_features=MOST_RUNS, sublinear_tf=True
    ).fit_transform(texts)
    dimensions = min(CHARACTER_DIMENSIONS, counts.shape[1])
    points = TruncatedSVD(dimensions, random_state=seed & 0xFFFFFFFF).fit_transform(counts)
    return cast(Floats, normalize(points))
