"""Simulate the report's verdicts where nothing is to be found: how often they are given, and how long the largest take.

Documents of several texts have label shares, and a share of right labels, of their own.
"""

import argparse
import math
import resource
import time
from collections.abc import Callable, Iterator
from itertools import product
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
from record import Figure, show, write

from samizdat.measures.bootstrap import FEWEST_DOCUMENTS, Bootstrap
from samizdat.records.classifiers import ClassifierCard
from samizdat.statistics.agreement import agreement
from samizdat.statistics.association import associations, group_tests
from samizdat.statistics.label_shares import divergences

TEXTS, DOCUMENT_TEXTS, LABELS = (30, 100, 300, 1000), (1, 20), (2, 9, 28, 100)
LEVEL, SAMPLES, RESAMPLES = 0.05, 100, 200
SENTENCES = ("right less or more often than it says", "more or less than the most frequent label", "groups differ",
             "labels go together", "samples and texts differ")  # fmt: skip


def main() -> None:
    """Simulate the grid, time the largest corpus, show and record the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few corpora of each kind; record nothing")
    parser.add_argument("--corpora", type=int, default=200, help="of each kind")
    options = parser.parse_args()
    rows = list(rates(5 if options.quick else options.corpora))
    figures = {}
    for sentence in SENTENCES:
        found = [row["rate"] for row in rows if row["sentence"] == sentence]
        figures[sentence] = Figure(f"“{sentence}”, false alarms, the worst kind of corpus", max(found), 0.07, True)
    seconds = largest(*((9, 2000, 200) if options.quick else (100, 50_000, 2000)))
    figures["seconds"] = Figure("100 labels, 50,000 texts, 2,000 resamples: seconds", seconds, 60, True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    figures["memory"] = Figure("the same, with the simulations: GiB", memory, 2, True)
    show(figures)
    if not options.quick:
        write("inference", figures, {"rates": rows, "fewest_documents": FEWEST_DOCUMENTS, "level": LEVEL})


def rates(corpora: int) -> Iterator[dict[str, Any]]:
    """Count for each kind of corpus how often each verdict is given, with a 95 % interval (Wilson)."""
    for texts, of_one, labels in product(TEXTS, DOCUMENT_TEXTS, LABELS):
        if texts // of_one < FEWEST_DOCUMENTS:
            continue
        random = np.random.default_rng([texts, of_one, labels])
        given = [verdicts(random, texts, of_one, labels, seed) for seed in range(corpora)]
        for sentence in SENTENCES:
            rate = sum(one[sentence] for one in given) / corpora
            middle, width = rate + 1.92 / corpora, 1.96 * math.sqrt(rate * (1 - rate) / corpora + 0.96 / corpora**2)
            bounds = [round((middle + side * width) / (1 + 3.84 / corpora), 4) for side in (-1, 1)]
            row = {"sentence": sentence, "texts": texts, "texts_of_a_document": of_one, "labels": labels}
            yield row | {"corpora": corpora, "rate": rate, "interval": bounds}


def corpus(random: np.random.Generator, texts: int, of_one: int, labels: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Make labelled texts, and the shares of labels in their source."""
    documents = texts // of_one
    source = 1 / np.arange(1, labels + 1)
    source /= source.sum()

    def drawn() -> np.ndarray:
        shares = random.dirichlet(source * 10 + 0.01, documents) if of_one > 1 else np.tile(source, (documents, 1))
        owned = shares.cumsum(axis=1)[np.repeat(np.arange(documents), of_one)]
        return np.minimum((random.random((len(owned), 1)) > owned).sum(axis=1), labels - 1)

    owners = np.repeat(np.arange(documents), of_one)
    confidence = random.uniform(0.5, 1, len(owners))
    alike = (random.random(len(owners)) < 0.5) & (of_one > 1)
    right = np.where(alike, random.random(documents)[owners], random.random(len(owners))) < confidence
    predicted, other = drawn(), drawn()
    frame = pd.DataFrame(
        {"id": np.arange(len(owners)).astype(str), "document": owners, "split": "test", "text": "x",
         "ratings": None, "raters": None, "group": np.where(owners % 2, "a", "b"), "predicted": predicted.astype(str),
         "other": other.astype(str), "confidence": confidence,
         "label_h": np.where(right, predicted, (predicted + 1) % labels).astype(str)}
    )  # fmt: skip
    return frame, source


def verdicts(random: np.random.Generator, texts: int, of_one: int, labels: int, seed: int) -> dict[str, bool]:
    """Make a corpus where nothing is to be found; return sentence → whether it is said all the same."""
    frame, source = corpus(random, texts, of_one, labels)
    bootstrap = Bootstrap(1 - LEVEL, RESAMPLES, seed)
    names = [str(number) for number in range(labels)]
    card = cast(ClassifierCard, SimpleNamespace(name="c", labels=names, label_map={}, label_column="h"))
    twin = cast(ClassifierCard, SimpleNamespace(name="d", labels=[*names, "-"], label_map={}, label_column=None))
    quality = {row["metric"]: row for row in agreement(card, frame, frame, "label_h", bootstrap)["quality"]
               if row["method"] == "classifier" and row["label"] is None}  # fmt: skip
    # A coin that is right as often as the most frequent label, which is every second text's.
    halves = frame.assign(
        label_h=random.choice(["0", "1"], len(frame)), predicted=random.choice(["0", "1"], len(frame))
    )
    learned = halves.assign(split="train", label_h="0")
    coin = agreement(card, learned, halves, "label_h", bootstrap)["quality"]
    (gain,) = [row for row in coin if row["metric"] == "accuracy_above_majority"]
    both = {"c": frame, "d": frame.assign(predicted=frame["other"])}
    groups = group_tests({"c": card}, {"c": frame}, bootstrap)
    pairs = associations({"c": card, "d": twin}, both, bootstrap)
    samples = pd.DataFrame({"document": np.arange(SAMPLES), "predicted": random.choice(names, SAMPLES, p=source)})
    samples = samples.assign(model="m", percent=100, prompt_kind="unprompted", temperature=1.0)
    divergence = next(iter(divergences(card, frame, samples, bootstrap)))
    found: list[Callable[[], bool]] = [
        lambda: quality["calibration_error"]["p_value"] <= LEVEL,
        lambda: gain["low"] > 0 or gain["high"] < 0,
        lambda: any(row["p_value"] <= LEVEL for row in groups),
        lambda: any(row["p_value"] <= LEVEL for row in pairs),
        lambda: divergence["p_value"] <= LEVEL,
    ]
    return {sentence: bool(say()) for sentence, say in zip(SENTENCES, found, strict=True)}


def largest(labels: int, texts: int, resamples: int) -> float:
    """Return the seconds that all tests of two classifiers on one large corpus take."""
    frame, _ = corpus(np.random.default_rng(1), texts, 1, labels)
    names = [str(number) for number in range(labels)]
    card = cast(ClassifierCard, SimpleNamespace(name="c", labels=names, label_map={}, label_column="h"))
    twin = cast(ClassifierCard, SimpleNamespace(name="d", labels=[*names, "-"], label_map={}, label_column=None))
    samples = frame.iloc[:SAMPLES].assign(model="m", percent=100, prompt_kind="unprompted", temperature=1.0)
    bootstrap = Bootstrap(1 - LEVEL, resamples, 1)
    started = time.perf_counter()
    agreement(card, frame, frame, "label_h", bootstrap)
    associations({"c": card, "d": twin}, {"c": frame, "d": frame.assign(predicted=frame["other"])}, bootstrap)
    group_tests({"c": card}, {"c": frame}, bootstrap)
    list(divergences(card, frame, samples, bootstrap))
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
