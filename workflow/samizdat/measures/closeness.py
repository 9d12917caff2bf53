"""How close two sets of texts are as points in the space of a sentence encoder."""

import numpy as np
from sklearn.cluster import KMeans

TEXTS_PER_CLUSTER = 20
# With fewer, real texts that were cut in half come out as close as whole ones (see docs/methods.md).
FEWEST_TEXTS = 200
SCALE = 5.0
MIXTURES = np.linspace(0, 1, 101)[1:-1]


def closeness(counts: np.ndarray) -> np.ndarray:
    """The area under the divergence curve of two histograms: 1 where they are equal, towards 0 where nothing is shared.

    MAUVE (Pillutla et al., NeurIPS 2021, equations 1 to 3, with the scale 5), of histograms smoothed by half a
    text a cluster (Krichevsky and Trofimov; Pillutla et al., JMLR 2023, section 5).

    Args:
        counts: how many texts of each set stand in each cluster, `[…, 2, clusters]`.
    """
    shares = counts + 0.5
    shares = shares / shares.sum(axis=-1, keepdims=True)
    left, right = shares[..., 0, :], shares[..., 1, :]
    # From (0, 1), where the mixture is all of the left, to (1, 0).
    across, up = [np.zeros(left.shape[:-1])], [np.ones(left.shape[:-1])]
    for mixture in MIXTURES:
        mixed = mixture * left + (1 - mixture) * right
        across.append(np.exp(-SCALE * _kullback_leibler(right, mixed)))
        up.append(np.exp(-SCALE * _kullback_leibler(left, mixed)))
    across.append(np.ones(left.shape[:-1]))
    up.append(np.zeros(left.shape[:-1]))
    order = np.argsort(across, axis=0)
    heights, places = (np.take_along_axis(np.array(values), order, axis=0) for values in (up, across))
    return np.trapezoid(heights, places, axis=0)


def _kullback_leibler(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return (left * np.log(left / right)).sum(axis=-1)


def cluster(points: np.ndarray, texts_in_a_set: int, seed: int) -> np.ndarray:
    """The cluster of each point, `[points]`: k-means with one cluster for every TEXTS_PER_CLUSTER texts of a set."""
    clusters = max(2, texts_in_a_set // TEXTS_PER_CLUSTER)
    return KMeans(clusters, n_init=5, random_state=seed & 0xFFFFFFFF).fit_predict(points)
