"""Ask about classifiers and people: agreement, calibration, and how far raters agree.

Each question makes what the stages read, runs the stages' own functions, and asks `samizdat.reporting.verdicts`.
"""

import numpy as np
from inference_world import SHIFT, World, run_of

from samizdat.measures.ratings import sentiment
from samizdat.reporting import verdicts
from samizdat.reporting.run import Run
from samizdat.statistics.agreement import agreement
from samizdat.statistics.calibration import calibration
from samizdat.statistics.raters import alphas

# Each label is drawn by this many raters; the true one with this probability, else any.
RATERS, SURE = 3, 0.8


def off_baseline(world: World) -> bool:
    """A classifier that is right as often as the most frequent label, or SHIFT more often."""
    accuracy = float(world.source[0]) + SHIFT * world.effect
    human = world.drawn()
    wrong = (human + world.random.integers(1, world.labels, world.texts)) % world.labels
    frame = world.frame(label_h=human, predicted=np.where(world.lucky(np.full(world.texts, accuracy)), human, wrong))
    learned = frame.head(1).assign(split="train", label_h="0")
    rows = agreement(world.card("c"), learned, frame.assign(confidence=0.9), "label_h", world.bootstrap)["quality"]
    given = world.source * accuracy + (1 - world.source) * (1 - accuracy) / (world.labels - 1)
    right = world.source * accuracy
    truths = {"precision": right / given, "recall": right / world.source, "f1": 2 * right / (given + world.source)}
    of = {"precision": given, "recall": world.source, "f1": given + world.source}
    overall = {"accuracy": accuracy, "macro_f1": truths["f1"].mean(), "accuracy_above_majority": SHIFT * world.effect}
    least = world.texts * min(float(right.min()), 1 - accuracy)
    for row in rows:
        metric, label, bounds = row["metric"], row["label"], (row["value"], row.get("low"), row.get("high"))
        if row["method"] != "classifier" or bounds[1] is None:
            continue
        if label is not None:
            place, truth = int(label), truths[metric][int(label)]
            often = world.texts * of[metric][place] * min(truth, 1 - truth)
            world.seen("precision, recall, F1 of a label", *bounds, truth, often)
        elif metric in overall:
            world.seen(metric, *bounds, overall[metric], least if metric == "macro_f1" else np.inf)
    return bool(verdicts.off_baseline(run_of(quality=rows)))


def miscalibrated(world: World) -> bool:
    """A classifier that is right as often as it says, or SHIFT less often."""
    confidence = world.random.uniform(0.5, 1, world.texts)
    return bool(verdicts.miscalibrated(_calibration(world, confidence, confidence - SHIFT * world.effect)))


def overconfident(world: World) -> bool:
    """A classifier that is too sure of some labels and too unsure of others, so that it is right on average; or not."""
    confidence = world.random.uniform(0.5, 1, world.texts)
    run = _calibration(world, confidence, 1.5 - confidence - SHIFT * world.effect)
    return any(verdicts.overconfident(run, row["classifier"]) for row in verdicts.miscalibrated(run))


def _calibration(world: World, confidence: np.ndarray, truth: np.ndarray) -> Run:
    """Compare probabilities with labels that are right with the probability `truth`."""
    predicted = world.drawn()
    human = np.where(world.lucky(truth), predicted, (predicted + 1) % world.labels)
    frame = world.frame(predicted=predicted, human=human).assign(confidence=confidence)
    bins, rows = calibration(frame, "human", world.bootstrap)
    slope = float(np.polyfit(confidence, truth, 1)[0])
    for row in bins:
        middle = (row["from"] + row["to"]) / 2
        right = 0.75 - SHIFT * world.effect + slope * (middle - 0.75)
        expected = world.texts / 5 * min(right, 1 - right)
        world.seen("right labels at a probability", row["accuracy"], row["low"], row["high"], right, expected)
    for row in rows:
        if row["metric"] == "confidence_gap":
            gap = SHIFT * world.effect
            world.seen("confidence_gap", row["value"], row["low"], row["high"], gap)
    return run_of(quality=[{"classifier": "c"} | row for row in rows])


def raters(world: World) -> bool:
    """Raters who know the true label with the probability SURE, and guess else; their alpha is the square of it."""
    truth = world.drawn()
    given = [
        np.where(world.random.random(world.texts) < SURE, truth, world.at_random()) for _ in range(RATERS)
    ]  # fmt: skip
    frame = world.frame(label_h=truth)
    frame["raters"] = [[("h", [world.names[one] for one in labels])] for labels in zip(*given, strict=True)]
    expected = world.texts * float(1 - (world.source**2).sum()) * (1 - SURE**2)
    for row in alphas(frame, "label_h", world.bootstrap):
        world.seen("Krippendorff’s alpha", row["value"], row["low"], row["high"], SURE**2, expected)
    if world.labels == 2:  # ratings have nothing to do with the labels
        _ratings(world, world.random.normal(0, 1, world.documents)[world.owners] * (world.of_one > 1))
    return False


def _ratings(world: World, of_documents: np.ndarray) -> None:
    """Ratings of the same raters: the text's own part and the rater's have the same variance, so alpha is a half."""
    rest = world.random.normal(0, 1, world.texts)
    own = (of_documents + rest) / np.sqrt(2) if world.of_one > 1 else rest
    ratings = [np.rint(10 * (own + world.random.normal(0, 1, world.texts))).astype(int) for _ in range(RATERS)]
    frame = world.frame().assign(ratings=list(map(list, zip(*ratings, strict=True))))
    frame["label_h"] = [sentiment(float(np.mean(one))) for one in frame["ratings"]]
    for row in alphas(frame, "label_h", world.bootstrap):
        if row["metric"] == "krippendorff_alpha_ratings":
            # Rounding to whole numbers adds a twelfth to the variance of 100 of each part.
            world.seen("alpha of ratings", row["value"], row["low"], row["high"], 100 / (200 + 1 / 12))
