"""Ask about models and their samples: copies, variety, whether they can be told apart, and which model is better."""

from functools import cache
from typing import Any, cast

import numpy as np
import pandas as pd
from inference_world import MIXED, PASSAGES, SAMPLES, TIMES, World, run_of

from samizdat.records.labels import MODEL, ORIGIN, PERSON
from samizdat.reporting import verdicts
from samizdat.statistics.held_out_comparison import told_apart_area
from samizdat.statistics.model_losses import model_losses
from samizdat.statistics.rater_agreement import wide
from samizdat.statistics.rater_quality import of_origin
from samizdat.statistics.ratios import ratio_measures, ratios_of

# Words of the made-up passages: so many that training texts have, and as many that they lack; the rest is a loop.
WORDS, KNOWN, LOOPING, LENGTH = 500, 0.8, 0.1, 2.5
# The truth of measures that have no formula is that of so many passages.
MANY = 20_000


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
    rows = list(told_apart_area(samples, real, names, world.seed))
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
    losses, truths = {}, dict[str, float]()
    for model, more in (("one", 0.0), ("other", 0.04 * world.effect)):
        liked = world.random.normal(0, 0.05, world.documents)[world.owners]
        for seed in ("", ".seed2", ".seed3"):
            of_seed = world.random.normal(0, 0.01)
            truths.setdefault(model, 1.5 + more + of_seed)  # that of the published training
            noise = world.random.normal(0, 0.1, world.texts) + of_seed
            nats = np.maximum(shared + more + liked + noise, 0) * sizes * np.log(2)
            losses[f"{model}{seed}"] = pd.DataFrame({"nats": nats})
    held_out = pd.DataFrame({"bytes": sizes, "document": world.owners})
    rows, pairs = model_losses(losses, held_out, world.bootstrap)
    for row in rows:
        world.seen("bits per byte", row["value"], row["low"], row["high"], truths[row["model"]])
    for row in pairs:
        if row.get("low") is not None:
            world.seen("model_differences", row["value"], row["low"], row["high"], -0.04 * world.effect)
    run = run_of(model_differences=pairs)
    return bool(verdicts.better_models(run.model_differences, run.confidence))


def measured(world: World) -> bool:
    """Passages of made-up words; of what they are the samples' measures are known, or measured on many more."""
    owners = world.owners[:PASSAGES]
    rows = ratio_measures(
        ratios_of(_passages(world.random, owners, world.of_one > 1), {"subset": "samples"}, world.seed),
        {"subset": "samples"}, world.bootstrap,
    )  # fmt: skip
    for row in rows:
        if (truth := _truths(world.of_one).get(row["metric"])) is not None:
            expected = len(owners) * truth if row["metric"] == "loop_share" else np.inf
            world.seen(row["metric"], row["value"], row["low"], row["high"], truth, expected)
    return False


@cache
def _truths(of_one: int) -> dict[str, float]:
    """Measure many passages."""
    owners = np.arange(MANY) // of_one
    passages = _passages(np.random.default_rng(0), owners, of_one > 1)
    ratios = ratios_of(passages, {"subset": "samples"}, 0)
    found = {metric: float(above.sum() / max(below.sum(), 1)) for metric, (above, below, _) in ratios.items()}
    unused = ("copy_characters", "copied_ngram_share")
    return {metric: value for metric, value in found.items() if metric not in unused}


def _passages(random: np.random.Generator, owners: np.ndarray, alike: bool) -> pd.DataFrame:
    """Write passages; those of a document are alike in length and in the words that training texts lack."""
    documents, own = int(owners[-1]) + 1, (lambda values: values[owners])
    scale = own(random.normal(0, 0.5, documents)) * alike + random.normal(0, 0.5, len(owners))
    lengths = np.rint(np.exp(LENGTH + scale)).astype(int) + 4
    shares = own(random.beta(10 * KNOWN, 10 * (1 - KNOWN), documents))
    words = []
    for length, share, loops in zip(lengths, shares, random.random(len(owners)) < LOOPING, strict=True):
        places = random.choice(WORDS, length, p=_falling(WORDS)) + WORDS * (random.random(length) > share)
        drawn = [f"w{place}" for place in places]
        words.append(drawn + 3 * drawn[:2] * bool(loops))
    known = [sum(int(word[1:]) < WORDS for word in text) for text in words]
    return pd.DataFrame({"words": words, "document": owners, "known_words": known}).assign(
        copy_characters=0, ngrams=0, copied_ngrams=0
    )


def _falling(number: int) -> np.ndarray:
    weights = 1 / np.arange(1, number + 1)
    return cast(np.ndarray, weights / weights.sum())
