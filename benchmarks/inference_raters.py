"""Ask about the intervals of what people say of a classifier, estimated for all texts from those that were drawn.

The truth is what the same estimate says where people have looked at every text.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from inference_world import World

from samizdat.labels.drawn_rows import drawn_rows
from samizdat.records.classifiers import MULTI_LABEL, NUMBER, SINGLE_LABEL, Kind
from samizdat.statistics.rater_quality import of_classifier, of_numbers, of_several_labels
from samizdat.statistics.strata import strata_of
from samizdat.statistics.tables import Row

# So many rows are drawn, as the how-to page advises.
ROWS = 200
# How often the classifier gives people's label, or each of them, for sure; how far its numbers are off beside theirs.
SURE, OFF = 0.7, 0.5


def judged_by_people(world: World) -> bool:
    """Classifiers that give one label, up to two, or a number, each of which people confirm for some texts."""
    words = np.array(world.names, object)
    human = [world.drawn(), world.drawn()]
    said = [np.where(world.random.random(world.texts) < SURE, own, world.at_random()) for own in human]
    _ask(world, SINGLE_LABEL, "one label", words[human[0]], words[said[0]],
         lambda drawn: of_classifier(drawn, world.names, world.bootstrap))  # fmt: skip
    of_people, own = (
        [sorted({world.names[one], world.names[other]}) for one, other in zip(*both, strict=True)]
        for both in (human, said)
    )
    _ask(world, MULTI_LABEL, "several labels", of_people, own,
         lambda drawn: of_several_labels(drawn, world.names, world.bootstrap))  # fmt: skip
    if world.labels == 2:
        numbers = world.random.normal(0, 1, world.texts)
        near = numbers + OFF * world.random.normal(0.2, 1, world.texts)
        _ask(world, NUMBER, "numbers", numbers, near, lambda drawn: of_numbers(drawn, world.bootstrap))
    return False


def _ask(
    world: World, kind: Kind, name: str, human: object, predicted: object, estimate: Callable[[pd.DataFrame], list[Row]]
) -> None:
    frame = pd.DataFrame({"human": human, "predicted": predicted, "subset": "texts"})
    frame["stratum"] = strata_of(frame["predicted"], kind)
    sizes = frame["stratum"].value_counts().sort_index()
    frame["stratum_size"] = frame["stratum"].map(sizes)
    truths = {(row["metric"], row["label"]): row["value"] for row in estimate(frame)}
    for row in estimate(drawn_rows(frame, sizes, ROWS, 1.0, world.seed)):
        truth = truths[row["metric"], row["label"]]
        expected = np.inf if kind == NUMBER else row["rows"] * min(truth, 1 - truth)
        metric = f"{row['metric']} of {name}, from drawn rows"
        world.seen(metric, row["value"], row["low"], row["high"], truth, expected)
