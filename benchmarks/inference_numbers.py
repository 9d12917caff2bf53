"""Ask about the intervals of classifiers that give numbers, or several labels at once."""

import numpy as np
import pandas as pd
from inference_labels import both, several_card
from inference_world import SAMPLES, World
from scipy.stats import norm

from samizdat.statistics import numbers, several_labels

# How alike the numbers of a text are that the classifier and people give, both from normal distributions.
ALIKE = 0.6
# How often the classifier gives a label that people give, drawn for each label; and, as a part of the label's share,
# how often one that they don't.
RECALL, FALSE = (0.5, 0.95), 0.2


def spread_of_numbers(world: World) -> bool:
    """Numbers from a standard normal distribution, of which documents share a half, and those of people."""
    own, of_people = _numbers(world), _numbers(world)
    frame = world.frame().assign(number=own, label_h=ALIKE * own + np.sqrt(1 - ALIKE**2) * of_people)
    samples = pd.DataFrame({"document": np.arange(SAMPLES), "number": world.random.normal(0, 1, SAMPLES),
                            "model": "m", "percent": 100, "prompt_kind": "unprompted", "temperature": 1.0})  # fmt: skip
    card = several_card(world)
    for row in numbers.distributions(card, frame.assign(group=None), samples, world.bootstrap):
        if row["group_kind"] == "all" and row.get("low") is not None:
            kind, _, share = row["metric"].partition("_")
            truth = float(norm.ppf(float(share))) if kind == "quantile" else 0.0
            share = float(share) if kind == "quantile" else 0.5
            expected = row["texts"] * min(share, 1 - share)
            world.seen(f"{row['metric']} of numbers", row["value"], row["low"], row["high"], truth, expected)
    # Of two normal distributions (Pearson, On Further Methods of Determining Correlation, 1907).
    truth = 6 / np.pi * np.arcsin(ALIKE / 2)
    for row in numbers.rank_correlation(card, frame, "label_h", world.bootstrap):
        world.seen("rank correlation", row["value"], row["low"], row["high"], truth)
    return False


def _numbers(world: World) -> np.ndarray:
    rest = world.random.normal(0, 1, world.texts)
    if world.of_one == 1:
        return rest
    return np.asarray((world.random.normal(0, 1, world.documents)[world.owners] + rest) / np.sqrt(2))


def right_of_several(world: World) -> bool:
    """Texts to which people give up to two labels, and a classifier each of them, or another one, by chance."""
    human = [world.drawn(), world.drawn()]
    there = np.zeros((world.texts, world.labels), bool)
    for labels in human:
        there[np.arange(world.texts), labels] = True
    recall = world.random.uniform(*RECALL, world.labels)
    given = world.random.random(there.shape) < np.where(there, recall, FALSE * world.source)
    frame = world.frame().assign(
        labels=[[world.names[place] for place in np.flatnonzero(row)] for row in given],
        label_h=["|".join(labels) for labels in both(world, *human)],
    )
    if world.of_one > 1:  # two labels of a document with shares of its own have no simple truth
        return False
    people = 1 - (1 - world.source) ** 2
    right, said = recall * people, recall * people + FALSE * world.source * (1 - people)
    truths = {"precision": right / said, "recall": recall, "f1": 2 * right / (said + people)}
    of = {"precision": said, "recall": people, "f1": said + people}
    overall = {"micro_f1": 2 * right.sum() / (said + people).sum(), "macro_f1": truths["f1"].mean()}
    for row in several_labels.quality(several_card(world), frame, "label_h", world.bootstrap):
        metric, bounds = row["metric"], (row["value"], row["low"], row["high"])
        if row.get("label") is None:
            world.seen(f"{metric} of several labels", *bounds, overall[metric])
        else:
            place = int(row["label"])
            truth = truths[metric][place]
            often = world.texts * of[metric][place] * min(truth, 1 - truth)
            world.seen("precision, recall, F1 of one of several labels", *bounds, truth, often)
    return False
