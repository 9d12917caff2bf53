"""Score texts with a small classifier, as the stage does."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from samizdat.classifiers.score_texts import score_texts
from samizdat.classifiers.text_scores import ClassificationSettings
from samizdat.records.classifiers import SCORES
from samizdat.records.io import read_table
from support.small_classifier import WORDS
from support.small_corpus import write_texts

SETTINGS = ClassificationSettings(
    max_length_tokens=24, window_overlap_tokens=6, batch_tokens=96, precision="float32", abstain_below=0.0
)  # fmt: skip


def sentences(number: int, seed: int = 3, longest: int = 20) -> list[str]:
    random = np.random.default_rng(seed)
    return [f"{' '.join(random.choice(WORDS, random.integers(1, longest)))} {index}" for index in range(number)]


def run(classifier, texts, folder, threads=1, **changes):
    """Score texts with a new score store in `folder`; return the stage's line and the file of scores."""
    table = write_texts(texts, folder / "texts.parquet")
    said = score_texts(
        replace(SETTINGS, **changes), classifier, (table,), folder / "scores.parquet",
        folder / "store", "cpu", threads=threads, seed=1,
    )  # fmt: skip
    return said, folder / "scores.parquet"


def rows(path: Path) -> list[dict]:
    read_table(path, SCORES)
    return pq.read_table(path).to_pylist()


def probabilities(path: Path) -> dict[str, bytes]:
    """Return for each text's id the bytes of its probabilities."""
    return {row["id"]: np.asarray(row["probabilities"], "<f4").tobytes() for row in rows(path)}
