"""Ask about long documents: whether a label becomes more or less frequent from their beginnings to their ends."""

import numpy as np
from inference_world import MIXED, World, run_of

from samizdat.records.classifiers import SINGLE_LABEL
from samizdat.reporting import verdicts
from samizdat.statistics.positions import positions

ALIKE = 0.5  # of the texts have the label of the one before them, if nothing changes


def changing(world: World) -> bool:
    """Texts often have the label of the one before; or towards the end ever more have the label in the middle."""
    labels = world.drawn()
    place = (np.arange(world.texts) % world.of_one) / max(world.of_one - 1, 1)
    if world.effect:
        labels = np.where(world.random.random(world.texts) < MIXED * place, world.labels // 2, labels)
    else:
        repeated = (world.random.random(world.texts) < ALIKE) & (place > 0)
        kept = np.maximum.accumulate(np.where(repeated, 0, np.arange(world.texts)))
        labels = labels[kept]
    texts, card = world.frame(predicted=labels), world.card("a")
    card.kind = SINGLE_LABEL
    parts, changes = positions({"a": card}, texts, {"a": texts}, world.bootstrap)
    for row in parts:
        truth = world.source[int(row["label"])]
        if not world.effect and row.get("low") is not None:
            expected = row["texts"] * min(truth, 1 - truth)
            world.seen("share in a fifth of documents", row["value"], row["low"], row["high"], truth, expected)
    for row in changes:
        share = world.source[int(row["label"])]
        truth = MIXED * ((row["label"] == str(world.labels // 2)) - share) * world.effect
        if row.get("low") is not None:
            expected = row["texts"] * min(share, 1 - share)
            world.seen("change through documents", row["value"], row["low"], row["high"], truth, expected)
    return bool(verdicts.changing_through_documents(run_of(position_changes=changes)))
