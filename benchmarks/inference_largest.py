"""Time the stage `compute_statistics` on made-up tables of a large corpus, in a process of its own."""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from samizdat.records.classifiers import SCORES, ClassifierCard
from samizdat.records.corpus import SPLITS, TEXTS
from samizdat.records.io import write_document, write_table
from samizdat.records.models import TEST_LOSSES
from samizdat.records.samples import SAMPLES
from samizdat.statistics.compute_statistics import StatisticsSettings, compute_statistics
from samizdat.statistics.detect_languages import detect_languages

RESAMPLES, OF_EACH = 2000, 200
WORDS = ("small", "model", "reads", "old", "letters", "writes", "new", "poems", "rain", "houses", "long", "winters")
NAMES = ("first", "second")


def largest(labels: int, texts: int) -> dict[str, float]:
    """Return the seconds and the greatest memory of the stage for a corpus of so many texts, each its own document."""
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), labels, texts)
        done = subprocess.run([sys.executable, __file__, folder], capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def make(folder: Path, labels: int, texts: int) -> None:
    """Write corpus, samples and two classifiers' scores; the second has a label more, so that V is computed."""
    random = np.random.default_rng(1)
    names = [f"label {number}" for number in range(labels)]
    keys = [f"{number:016x}" for number in range(texts)]
    human = random.integers(0, labels, texts)
    corpus = pd.DataFrame(
        {
            "id": keys,
            "text": [" ".join(words) for words in np.array(WORDS)[random.integers(0, len(WORDS), (texts, 6))]],
            "document": keys,
            "group": np.where(np.arange(texts) % 2, "a", "b"),
            "split": SPLITS[-1],
            "sha256": "0" * 64,
            "ratings": None,
            "raters": None,
            "label_h": np.array(names, object)[human],
        }
    )
    write_table(corpus, TEXTS, folder / "texts.parquet")
    losses = pd.DataFrame({"nats": random.uniform(20, 60, texts), "tokens": 10})
    losses["token_nats"] = [np.full(10, nats / 10, np.float32) for nats in losses["nats"]]
    write_table(losses, TEST_LOSSES, folder / "models" / "m" / "test_losses.parquet")
    kinds = [(percent, kind) for percent in (10, 100) for kind in ("config", *(["unprompted"] * (percent == 100)))]
    samples = pd.DataFrame(
        [
            {"id": f"m-{percent}-{kind}-{temperature}-{number}", "model": "m", "percent": percent, "step": percent,
             "prompt_kind": kind, "prompt": "", "prompt_text_id": None, "temperature": temperature, "top_k": 0,
             "top_p": 1.0, "repetition_penalty": 1.0, "no_repeat_ngram": 0, "seed": number, "text": "x",
             "new_tokens": 1, "finished": True}
            for percent, kind in kinds for temperature in (0.7, 1.0) for number in range(OF_EACH)
        ]
    )  # fmt: skip
    write_table(samples, SAMPLES, folder / "samples.parquet")
    for place, name in enumerate(NAMES):
        own = names + [f"label {labels}"] * place
        card = ClassifierCard(
            name=name, label_column=None if place else "h", label_map={}, predicts="", made_for="", reference="",
            kind="single_label", threshold=0.5, label_separator=None,
            languages=("en",), min_words=None, max_words=None, origin="", checkpoint_labels=own, labels=own,
            max_length_tokens=512, weights_sha256="0" * 64, training_texts=0, selection_texts=0, unlearned={},
            unselected={}, hypotheses=[], entailment=[],
        model_type="bert",
        )  # fmt: skip
        write_document(card, folder / "classifiers" / name / "card.json")
        for subset, ids in (("texts", keys), ("samples", samples["id"].tolist())):
            given = random.integers(0, len(own), len(ids))
            if subset == "texts":
                given = np.where(random.random(texts) < 0.7, human, given)
            scores = np.full((len(ids), len(own)), 0.3 / (len(own) - 1), np.float32)
            scores[np.arange(len(ids)), given] = 0.7
            frame = pd.DataFrame({"id": ids, "label": np.array(own, object)[given], "labels": None, "number": np.nan,
                                  "probabilities": list(scores), "windows": 1, "seen_in_training": False,
                                  "reason": None})  # fmt: skip
            write_table(frame, SCORES, folder / "scores" / name / f"{subset}.parquet")


def measure(folder: Path) -> None:
    """Run the stage, and print its seconds and this process's greatest memory."""
    started = time.perf_counter()
    detect_languages(folder / "texts.parquet", folder / "languages.parquet", folder / "work", threads=1, seed=1)
    compute_statistics(
        StatisticsSettings(confidence=0.95, bootstrap_resamples=RESAMPLES), folder / "texts.parquet",
        folder / "languages.parquet",
        (folder / "samples.parquet",), (folder / "models" / "m" / "test_losses.parquet",),
        tuple(folder / "classifiers" / name for name in NAMES), folder / "scores",
        folder / "statistics", seed=1,
    )  # fmt: skip
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    memory = memory / 2**10 if sys.platform == "darwin" else memory  # KiB on Linux
    seconds = {"seconds": time.perf_counter() - started, "CPU seconds": time.process_time()}
    print(json.dumps(seconds | {"GiB": memory / 2**20}))


if __name__ == "__main__":
    measure(Path(sys.argv[1]))
