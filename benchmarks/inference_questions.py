"""Make corpora with a known truth, and let the report answer its questions about them.

Each question is a function of a `World`: it makes what the stages read, runs the stages' own functions, and asks
`samizdat.reporting.verdicts`, which every sentence asks. Without an effect there is nothing to be found.
"""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pandas as pd
from inference_world import MIXED, PASSAGES, SAMPLES, SHIFT, TIMES, World, run_of

from samizdat.records.labels import MODEL, ORIGIN, PERSON
from samizdat.reporting import verdicts
from samizdat.reporting.run import Run
from samizdat.statistics.agreement import agreement
from samizdat.statistics.association import associations, group_tests
from samizdat.statistics.calibration import calibration
from samizdat.statistics.held_out_comparison import told_apart_area
from samizdat.statistics.label_shares import divergences, label_shares
from samizdat.statistics.model_losses import model_losses
from samizdat.statistics.rater_quality import of_origin, wide
from samizdat.statistics.ratios import ratio_measures


def off_baseline(world: World) -> bool:
    """A classifier that is right as often as the most frequent label, or SHIFT more often."""
    accuracy = float(world.source[0]) + SHIFT * world.effect
    human = world.drawn()
    wrong = (human + world.random.integers(1, world.labels, world.texts)) % world.labels
    frame = world.frame(label_h=human, predicted=np.where(world.lucky(np.full(world.texts, accuracy)), human, wrong))
    learned = pd.DataFrame({"split": ["train"], "label_h": ["0"]})
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


def different_groups(world: World) -> bool:
    """Groups of documents with the same label shares, or with a MIXED part of the labels changed in one."""
    grouped = world.owners % 2 == 0
    predicted = np.where(grouped, world.drawn(), world.drawn(world.mixed()))
    frame = world.frame(predicted=predicted).assign(group=np.where(grouped, "a", "b"))
    card = world.card("c")
    if not world.effect:
        none = frame.iloc[:0].assign(percent=0, temperature=0.0, model="", prompt_kind="")
        for row in label_shares(card, frame[grouped], none, world.bootstrap):
            if row["group_kind"] == "all":
                share = float(world.source[int(row["label"])])
                expected = grouped.sum() * min(share, 1 - share)
                world.seen("label_shares", row["share"], row["low"], row["high"], share, expected)
    rows = group_tests({"c": card}, {"c": frame}, world.bootstrap)
    return bool(verdicts.different_groups(run_of(group_tests=rows)))


def associated(world: World) -> bool:
    """Two classifiers of which one repeats the other's label on none of the texts, or on a MIXED part."""
    one, other = world.drawn(), world.drawn()
    repeated = (world.random.random(world.texts) < MIXED) & world.effect
    frame = world.frame(predicted=one)
    both = {"c": frame, "d": frame.assign(predicted=np.array(world.names, object)[np.where(repeated, one, other)])}
    found = []
    for measure, twin in (("kappa", world.card("d")), ("Cramér’s V", world.card("d", "-"))):
        rows = associations({"c": world.card("c"), "d": twin}, both, world.bootstrap)
        for row in rows:
            # Labels that go together because documents have shares of their own have no simple truth.
            if world.of_one == 1 and row.get("low") is not None:
                expected = world.texts * float(world.source[-1]) ** 2
                truth = MIXED * world.effect
                world.seen(measure, row["value"], row["low"], row["high"], truth, expected)
        found.append(bool(verdicts.associated(run_of(associations=rows))))
    return found[1]


def unlike_texts(world: World) -> bool:
    """Samples from the texts' own source, or from another one."""
    shares = world.mixed()
    rows = _divergences(world, {100: world.of_samples(shares)}, "unprompted")
    middle = (shares + world.source) / 2
    truth = sum(float((one * np.log2(one / middle)).sum()) for one in (shares, world.source)) / 2
    for row in rows[:1]:
        if row.get("low") is not None:
            expected = min(SAMPLES, world.texts) * float(world.source[-1])
            world.seen("divergences", row["jensen_shannon_bits"], row["low"], row["high"], truth, expected)
    return bool(verdicts.unlike_texts(run_of(divergences=rows)))


def moved(world: World) -> bool:
    """Samples of two checkpoints from one source, far from the texts', or of which the last is nearer."""
    return bool(verdicts.moved(run_of(divergences=_divergences(world, _checkpoints(world), "config"))))


def changed_labels(world: World) -> bool:
    """The labels of the same samples."""
    rows = [
        {"classifier": "c", "subset": "samples", "group_kind": "percent", "group": str(percent), "label": label,
         "count": count, "share": count / SAMPLES}
        for percent, labels in _checkpoints(world).items()
        for label, count in zip(world.names, np.bincount(labels, minlength=world.labels), strict=True)
    ]  # fmt: skip
    return bool(verdicts.changed_labels(run_of(shares=rows)))


def _checkpoints(world: World) -> dict[int, np.ndarray]:
    """Draw the labels of the samples of two checkpoints."""
    far = np.full(world.labels, 1 / world.labels) * 0.6 + 0.4 * np.eye(world.labels)[-1]
    return {10: world.of_samples(far), 100: world.of_samples(world.source if world.effect else far)}


def _divergences(world: World, checkpoints: dict[int, np.ndarray], kind: str) -> list[dict[str, Any]]:
    """Compare samples with the texts by the stage's function."""
    parts = [
        pd.DataFrame({"document": np.arange(SAMPLES), "predicted": np.array(world.names, object)[labels],
                      "model": "m", "percent": percent, "prompt_kind": kind, "temperature": 1.0})
        for percent, labels in checkpoints.items()
    ]  # fmt: skip
    frame = world.frame(predicted=world.drawn())
    return list(divergences(world.card("c"), frame, pd.concat(parts), world.bootstrap))


def off_held_out_ngrams(world: World) -> bool:
    """Samples that copy as many runs of words as held-out passages, or TIMES as many."""
    return "copied_ngram_share" in _copying(world)


def off_held_out_passages(world: World) -> bool:
    """Samples whose longest copies are as long as those of held-out passages, or TIMES as long."""
    return "copy_characters" in _copying(world)


def _copying(world: World) -> set[str]:
    """Measure how much samples and held-out passages copy; return the measures that differ."""
    times = TIMES if world.effect else 1.0
    known: dict[str, dict[str, Any]] = {}
    for subset, owners, factor in (
        ("held_out", world.owners[:PASSAGES], 1.0), ("samples", np.arange(SAMPLES), times)
    ):  # fmt: skip
        documents, runs = int(owners[-1]) + 1, world.random.poisson(15, len(owners)) + 1
        share = world.random.beta(0.4 * factor, 4.4 - 0.4 * factor, documents)[owners]
        scale = world.random.normal(0, 0.5, documents)[owners] + world.random.normal(0, 0.5, len(owners))
        characters = np.rint(factor * np.exp(3 + scale)).astype(np.int64)
        known[subset] = {
            "copied_ngram_share": (world.random.binomial(runs, share), runs, owners),
            "copy_characters": (characters, np.ones(len(owners), np.int64), owners),
        }
    truths = {"copied_ngram_share": 0.4 / 4.4 * times, "copy_characters": float(np.exp(3.25)) * times}
    names = {"subset": "samples", "model": "m", "percent": 100, "temperature": 1.0, "begun_with": "nothing"}
    rows = list(ratio_measures(known["samples"], names, world.bootstrap, known["held_out"]))
    real = list(ratio_measures(known["held_out"], {"subset": "held_out"}, world.bootstrap))
    for row in [*rows, *real]:
        truth = truths[row["metric"]] / (1 if row in rows else times)
        world.seen(row["metric"], row["value"], row["low"], row["high"], truth)
    run = run_of(sample_quality=rows)
    return {metric for metric in truths if verdicts.off_held_out(run, metric)}


def told_apart(world: World) -> bool:
    """Samples of the same made-up words as held-out texts; or a fifth of them have a word of their own."""
    words = np.array([f"{one}{other}{last}" for one in "bdfgk" for other in "aeo" for last in "lnrst"])
    owners = world.owners[:PASSAGES]

    def written(number: int) -> list[str]:
        return [" ".join(world.random.choice(words, 8, p=_falling(len(words)))) for _ in range(number)]

    real = pd.DataFrame({"own": written(len(owners)), "document": owners})
    real = real.iloc[world.random.permutation(len(real))]
    own = [f"{text} zuv" if world.effect and world.random.random() < MIXED else text for text in written(SAMPLES)]
    samples = pd.DataFrame({"own": own, "document": np.arange(SAMPLES)})
    names = {"subset": "samples", "model": "m", "percent": 100, "temperature": 1.0, "begun_with": "nothing"}
    rows = list(told_apart_area(samples, real, names, world.bootstrap))
    for row in rows:
        world.seen("told_apart_area", row["value"], row["low"], row["high"], row["value"])
    return bool(verdicts.off_held_out(run_of(sample_quality=rows), "told_apart_area"))


def told_by_people(world: World) -> bool:
    """Three raters who call as many texts a person's as samples, or MIXED more; a text's ease is the same for all."""
    parts = []
    for subset, number, shift in (("texts", world.documents, MIXED * world.effect), ("samples", SAMPLES, 0.0)):
        ease = world.random.beta(2, 2, number)
        for rater in ("a", "b", "c"):
            person = world.random.random(number) < np.where(world.random.random(number) < shift, 1.0, ease)
            parts.append(
                pd.DataFrame({"subset": subset, "id": [f"{subset}{one}" for one in range(number)], "sha256": "",
                              "stratum": subset, "stratum_size": number, "rater": rater,
                              "label": np.where(person, PERSON, MODEL)})
            )  # fmt: skip
    rows = of_origin(wide(pd.concat(parts)), world.bootstrap)
    truth = 0.5 + MIXED * world.effect * 0.5 / 2
    for row in rows:
        if row["metric"] == "accuracy":
            kind = "answers of raters that are right" if row["rater"] is None else "answers of one rater that are right"
            world.seen(kind, row["value"], row["low"], row["high"], truth)
    return bool(verdicts.told_by_people(run_of(rater_quality=[{"question": ORIGIN} | row for row in rows])))


def better_models(world: World) -> bool:
    """Two models of three seeds each that need as many bits per byte, or of which one needs four hundredths more."""
    sizes = world.random.integers(20, 200, world.texts)
    of_documents = world.random.normal(0, 0.2, world.documents)[world.owners]
    shared = 1.5 + of_documents + world.random.normal(0, 0.3, world.texts)
    losses = {}
    for model, more in (("one", 0.0), ("other", 0.04 * world.effect)):
        liked = world.random.normal(0, 0.05, world.documents)[world.owners]
        for seed in ("", ".seed2", ".seed3"):
            noise = world.random.normal(0, 0.1, world.texts) + world.random.normal(0, 0.01)
            nats = np.maximum(shared + more + liked + noise, 0) * sizes * np.log(2)
            losses[f"{model}{seed}"] = pd.DataFrame({"nats": nats})
    held_out = pd.DataFrame({"text": ["x" * size for size in sizes], "document": world.owners})
    _, pairs = model_losses(losses, held_out, world.bootstrap)
    for row in pairs:
        if row.get("low") is not None:
            world.seen("model_differences", row["value"], row["low"], row["high"], -0.04 * world.effect)
    return bool(verdicts.better_models(run_of(model_differences=pairs)))


def _falling(number: int) -> np.ndarray:
    weights = 1 / np.arange(1, number + 1)
    return cast(np.ndarray, weights / weights.sum())


# What the report says → what asks for it, and what the effect is that its power is measured for.
QUESTIONS: dict[str, tuple[Callable[[World], bool], str]] = {
    "agrees with people more (less) than the most frequent label": (off_baseline, "10 points more"),
    "is not right as often as it says": (miscalibrated, "right 10 points less often"),
    "is right less (more) often than it says": (overconfident, "right 10 points less often"),
    "label shares differ between groups": (different_groups, "a fifth of the labels changed in one of two groups"),
    "labels of two classifiers go together": (associated, "a fifth of the labels repeated"),
    "samples and texts differ": (unlike_texts, "a fifth of the samples’ labels changed"),
    "training moves the samples nearer (away)": (moved, "from two fifths of one rare label to the texts’ shares"),
    "a label’s share changes in training": (changed_labels, "the same"),
    "more (fewer) runs of four words are copied": (off_held_out_ngrams, "half as many again"),
    "samples share longer passages": (off_held_out_passages, "half as long again"),
    "is better than another model": (better_models, "0.04 bits per byte of 1.5, three seeds"),
    "people tell samples from texts": (told_by_people, "a fifth more texts called a person’s"),
    "a simple model distinguishes samples": (told_apart, "a fifth of the samples has a word of their own"),
}
