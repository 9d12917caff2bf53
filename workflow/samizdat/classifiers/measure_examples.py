"""Measure how often a few-shot classifier is right after none, one, two, four … of its examples."""

from pathlib import Path

import numpy as np
import pandas as pd

from samizdat.base import stage
from samizdat.base.device import Device, prepare
from samizdat.base.seeds import derive_seed
from samizdat.classifiers.few_shot import EXAMPLES_FILE, score_by_examples
from samizdat.classifiers.outputs import decisions, number_format
from samizdat.classifiers.text_scores import ClassificationSettings, Reading
from samizdat.measures.bootstrap import Bootstrap, sum_by_document
from samizdat.records.classifiers import ACCURACY_BY_EXAMPLES, ClassifierCard, ShownExamples
from samizdat.records.corpus import LABEL_PREFIX, TEXTS
from samizdat.records.io import read_document, read_table, write_table

# Each number of examples costs a reading of these texts. So many independent ones give an interval of ±4 points.
MOST_TEXTS = 500


def measure_examples(
    settings: ClassificationSettings,
    confidence: float,
    bootstrap_resamples: int,
    classifier: Path,
    texts: Path,
    accuracy: Path,
    device: str,
    threads: int,
    seed: int,
) -> str:
    """Score held-out texts that have a human label after the first examples alone, and write how often that is right.

    Args:
        settings: windows, batches and number format.
        confidence: of the intervals.
        bootstrap_resamples: of documents.
        classifier: the folder of a few-shot classifier.
        texts: the corpus.
        accuracy: the file to write, `records.classifiers.ACCURACY_BY_EXAMPLES`.
        device: `auto`, `cpu`, `cuda` or `mps`.
        threads: batches that a CPU computes at once; their number changes no score.
        seed: draws the texts and resamples documents.

    Raises:
        UserError: the device is not available or has too little memory, or a file is missing or damaged.
    """
    chosen = prepare(device, threads=threads, seed=seed)
    card = read_document(ClassifierCard, classifier / "card.json")
    shown = read_document(ShownExamples, classifier / EXAMPLES_FILE)
    held_out = _held_out(read_table(texts, TEXTS), LABEL_PREFIX + str(card.label_column), seed)
    counts = _counts(len(shown.texts))
    reading = Reading.of(settings, chosen, threads)
    right = {}
    bar = stage.progress(f"examples {card.name}", len(counts) * len(held_out), "texts")
    with reading.enough_memory(chosen, few_shot=True):
        for number in counts:
            first = ShownExamples(shown.texts[:number], shown.words[:number])
            right[number] = _right(held_out, first, classifier, card, chosen, settings, reading)
            bar.update(len(held_out))
    bar.close()
    bootstrap = Bootstrap(confidence, bootstrap_resamples, seed)
    rows = [
        {"examples": number, "texts": len(held_out)} | _share(held_out, right[number], bootstrap) for number in counts
    ]
    write_table(pd.DataFrame(rows, columns=ACCURACY_BY_EXAMPLES.names), ACCURACY_BY_EXAMPLES, accuracy)
    return f"{len(held_out):,} held-out texts after {', '.join(map(str, counts))} examples"


def _counts(most: int) -> list[int]:
    """List 0, the powers of two below `most`, and `most`."""
    return sorted({0, *(2**power for power in range(most.bit_length()) if 2**power < most), most})


def _held_out(corpus: pd.DataFrame, column: str, seed: int) -> pd.DataFrame:
    """Draw texts of the test split with a human label; adding a text hardly changes which."""
    test = corpus[(corpus["split"] == "test") & corpus[column].notna()]
    order = np.argsort([derive_seed(seed, "measure", key) for key in test["id"]], kind="stable")
    return test.iloc[order[:MOST_TEXTS]].assign(label=test[column])


def _right(
    held_out: pd.DataFrame,
    first: ShownExamples,
    folder: Path,
    card: ClassifierCard,
    device: Device,
    settings: ClassificationSettings,
    reading: Reading,
) -> np.ndarray:
    """Say of each text whether the label after these examples is the one that people gave, 0 or 1."""
    scores = np.zeros((len(held_out), len(card.labels)), np.float32)
    readable = np.zeros(len(held_out), bool)
    dtype = number_format(card, device, settings.precision)
    for batch in score_by_examples(held_out["text"].tolist(), folder, card, device, dtype, reading, first):
        for text, _, values in batch:
            scores[text], readable[text] = values, True
    given = decisions(card, scores, readable, abstain_below=0.0)["label"]
    right: np.ndarray = np.asarray(given, object) == held_out["label"].to_numpy()
    return right.astype(np.int64)


def _share(held_out: pd.DataFrame, right: np.ndarray, bootstrap: Bootstrap) -> dict[str, float]:
    """Compute the share of right labels, and its interval; the documents drawn are those of the other rows."""
    texts = len(right)
    if not texts:
        return {"value": np.nan, "low": np.nan, "high": np.nan}
    cells, ones = np.zeros(texts, np.int64), np.ones(texts, np.int64)
    tables = {
        "right": sum_by_document(held_out, cells, right, (1,)),
        "all": sum_by_document(held_out, cells, ones, (1,)),
    }
    drawn = bootstrap.together(tables, "examples")
    documents = tables["all"].shape[0]
    values = drawn["right"][:, 0] / drawn["all"][:, 0]
    low, high = bootstrap.share_interval(right.mean(), values, documents, texts, documents)
    return {"value": float(right.mean()), "low": float(low), "high": float(high)}


if __name__ == "__main__":
    stage.run(measure_examples)
