"""How much samples resemble held-out texts: for a simple model that separates them, and in an encoder's space."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from samizdat.base.device import Device, enough_memory
from samizdat.base.seeds import derive_seed
from samizdat.checkpoints.embedding import embed, unread_share
from samizdat.checkpoints.encoding import MOST_UNKNOWN
from samizdat.measures import closeness, two_sample_test
from samizdat.measures.bootstrap import Bootstrap, sum_by_document
from samizdat.statistics.tables import Row


def told_apart_area(passages: pd.DataFrame, real: pd.DataFrame, names: Row, seed: int) -> Iterator[Row]:
    """Measure how well a simple model tells samples from as many held-out texts; too few give no row.

    Of each document one held-out passage is taken, the first, since passages of one document are alike: so the test
    permutes documents.

    Args:
        passages: what a model wrote: `own` and `document`; each is a document.
        real: held-out passages, in random order.
        names: the columns that name the set of samples.
        seed: of all sets; each has its own folds and permutations.
    """
    single = real.drop_duplicates("document")
    number = min(len(passages), len(single), two_sample_test.MOST_TEXTS)
    if number < two_sample_test.FEWEST_TEXTS:
        return
    own_seed = derive_seed(seed, "told apart", *names.values())
    verdict = two_sample_test.tell_apart(single["own"].tolist()[:number], passages["own"].tolist()[:number], own_seed)
    yield {
        **names, "metric": "told_apart_area", "units": number, "value": verdict.area, "p_value": verdict.p_value,
    }  # fmt: skip


def closeness_to_real(
    sets: Sequence[tuple[Row, pd.DataFrame]],
    real: pd.DataFrame,
    training: pd.DataFrame,
    encoder: str,
    revision: str | None,
    bootstrap: Bootstrap,
    device: Device,
) -> Iterator[Row]:
    """Measure how close each set of samples is to as many held-out texts, and how close as many training texts are.

    Where the encoder doesn't know more than MOST_UNKNOWN of the held-out texts' tokens, all that it sees is how many
    there are; then texts are compared by their runs of characters, as the metric `character_closeness`.

    Args:
        sets: the columns that name each set of samples, and its passages: `own` and `document`. Too few passages give
            no row.
        real: held-out passages.
        training: passages of the train split.
        encoder: what embeds the passages; the folder or Hub id of a checkpoint.
        revision: its commit on the Hub.
        bootstrap: how intervals are made.
        device: where to compute.

    Raises:
        UserError: the encoder can't be loaded, or the device has too little memory.
    """
    sized = [(names, part, min(len(part), len(real), len(training))) for names, part in sets]
    enough = [(names, part, number) for names, part, number in sized if number >= closeness.FEWEST_TEXTS]
    if not enough:
        return
    most = max(number for _, _, number in enough)
    frames = [real[:most], training[:most], *(part[:number] for _, part, number in enough)]
    texts = [text for frame in frames for text in frame["own"]]
    unread = unread_share(frames[0]["own"].tolist(), encoder, revision)
    yield {"subset": "held_out", "metric": "unread_token_share", "units": most, "value": unread}
    if unread > MOST_UNKNOWN:
        metric, points = "character_closeness", closeness.embed_characters(texts, bootstrap.seed)
    else:
        with enough_memory(device, "the encoder of sample_quality", remedy="set `device: cpu` in the config"):
            metric, points = "closeness", embed(texts, encoder, revision, device.kind)
    of_real, of_training, *of_samples = np.split(points, np.cumsum([len(frame) for frame in frames])[:-1])
    for (names, part, number), own in zip(enough, of_samples, strict=True):
        seed = derive_seed(bootstrap.seed, "closeness", *names.values())
        counts = _clustered(own, part[:number], of_real[:number], real[:number], seed)
        value = closeness.closeness(np.stack([one.sum(axis=0) for one in counts]))
        resampled = [bootstrap.totals(one, "closeness", side, *names.values()) for side, one in enumerate(counts)]
        units = min(one.shape[0] for one in counts)
        drawn = closeness.closeness(np.stack(resampled, axis=1))
        low, high = bootstrap.share_interval(value, drawn, units, number, units)
        counts = _clustered(of_training[:number], training[:number], of_real[:number], real[:number], seed)
        ceiling = closeness.closeness(np.stack([one.sum(axis=0) for one in counts]))
        yield {
            **names, "metric": metric, "units": number, "value": float(value), "low": low, "high": high,
            "real_value": float(ceiling),
        }  # fmt: skip


def _clustered(
    left: np.ndarray, left_texts: pd.DataFrame, right: np.ndarray, right_texts: pd.DataFrame, seed: int
) -> list[sparse.csr_array]:
    """Cluster two sets of points together; count the texts of each document in each cluster, for both sets.

    Returns:
        `[documents, clusters]` of the left set and of the right one.
    """
    places = closeness.cluster(np.concatenate([left, right]), len(left), seed)
    tables = []
    for some, frame in zip(np.split(places, [len(left)]), (left_texts, right_texts), strict=True):
        shape = (int(places.max()) + 1,)
        tables.append(sum_by_document(frame, some, np.ones(len(frame), np.int64), shape))
    return tables
