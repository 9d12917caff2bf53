"""Compare the recipe for the corpus at hand (`training.recipe: auto`) with a small grid around it, size by size.

    make bench-recipes                          all sizes that the texts at hand allow: hours
    python benchmarks/recipes.py --sizes 20000  one size

Needs `results/demo/corpus/texts.parquet`. A size is a number of tokens, taken as BYTES_PER_TOKEN bytes of the train
split's first texts; validation and test splits are the whole demo's, so that sizes can be compared. One thing is
changed at a time. Nothing is compiled: that changes the time of a step, not what is learned. Each result is appended to
`--out` when it is there, and what the file has is not computed again.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from record import ROOT
from stage import settings_of

from samizdat.models.make_tokenizer import TokenizerSettings, make_tokenizer
from samizdat.models.settings import TrainingSettings
from samizdat.models.train_model import train_model
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_document, read_table, write_table
from samizdat.records.models import ModelSummary, TokenizerSummary

BYTES_PER_TOKEN = 4
SEED = 2014
RATES = {"matrix_learning_rate": 0.004, "learning_rate": 0.01, "weight_decay": 1.3, "dropout": 0.0}
# Size → the settings that the others are compared with, and what is changed, one row at a time.
GUESSES: dict[int, dict[str, Any]] = {
    4_000: {"vocabulary_size": 512, "layers": 2, "heads": 4, "width": 128, "batch_tokens": 256, "epochs": 20.0} | RATES,
    20_000: {"vocabulary_size": 1024, "layers": 2, "heads": 4, "width": 128, "batch_tokens": 512, "epochs": 12.0}
    | RATES,
    100_000: {"vocabulary_size": 2048, "layers": 3, "heads": 4, "width": 192, "batch_tokens": 2048, "epochs": 8.0}
    | RATES,
}
CHANGES: dict[int, tuple[dict[str, Any], ...]] = {
    4_000: ({}, {"epochs": 40.0}, {"batch_tokens": 128}, {"vocabulary_size": 384}, {"layers": 4, "width": 256},
            {"dropout": 0.1}, {"layers": 1, "width": 64}),
    20_000: ({}, {"batch_tokens": 1024}, {"epochs": 24.0}, {"layers": 4, "width": 256}, {"vocabulary_size": 2048},
             {"dropout": 0.1}, {"batch_tokens": 256}, {"vocabulary_size": 512}, {"weight_decay": 3.0},
             {"weight_decay": 0.5}, {"matrix_learning_rate": 0.008, "learning_rate": 0.02},
             {"matrix_learning_rate": 0.002, "learning_rate": 0.005}),
    100_000: ({}, {"batch_tokens": 1024}, {"layers": 4, "width": 256}, {"epochs": 12.0}, {"vocabulary_size": 4096},
              {"dropout": 0.1}, {"batch_tokens": 4096}),
}  # fmt: skip


def main() -> None:
    """Train what is missing, and append each result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, default=ROOT / "results" / "demo" / "corpus" / "texts.parquet")
    parser.add_argument("--sizes", type=int, nargs="+", choices=sorted(CHANGES), default=sorted(CHANGES))
    parser.add_argument("--out", type=Path, default=ROOT / "work" / "recipes.jsonl")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    texts = read_table(options.texts, TEXTS)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    done = [json.loads(line) for line in options.out.open(encoding="utf-8")] if options.out.is_file() else []
    for size in options.sizes:
        for change in CHANGES[size]:
            settings = GUESSES[size] | change
            if any(row["size"] == size and row["settings"] == settings for row in done):
                continue
            row = {"size": size, "change": change, "settings": settings} | measured(texts, size, settings, options)
            with options.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
            print(size, change, row["test_bits_per_byte"], f"{row['cpu_seconds']:.0f} s", flush=True)


def measured(texts: pd.DataFrame, size: int, settings: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Train with these settings on so many tokens, and return what came of it."""
    with tempfile.TemporaryDirectory(prefix="samizdat-recipes-") as name:
        folder = Path(name)
        write_table(pd.concat(parts(texts, size * BYTES_PER_TOKEN)), TEXTS, folder / "texts.parquet")
        vocabulary = TokenizerSettings("own", "train", settings["vocabulary_size"], None, None)
        make_tokenizer(vocabulary, folder / "texts.parquet", None, folder / "tokenizer")
        keys = {key: value for key, value in settings.items() if key != "vocabulary_size"}
        chosen = settings_of(**keys, micro_batch_sequences="auto", compile=False, evaluations=6, keep_percents=(100,))
        started = time.process_time()
        train_model(
            TrainingSettings(**chosen), "recipe", folder / "tokenizer", folder / "model", folder / "work", "cpu",
            options.threads, SEED,
        )  # fmt: skip
        summary = read_document(ModelSummary, folder / "model" / "summary.json")
        tokens = read_document(TokenizerSummary, folder / "tokenizer" / "summary.json").tokens["train"]
        return {
            "tokens": tokens,
            "parameters": summary.parameters,
            "steps": summary.steps_done,
            "best_step": summary.best_step,
            "validation_bits_per_byte": summary.validation_bits_per_byte,
            "test_bits_per_byte": summary.test_bits_per_byte,
            "cpu_seconds": time.process_time() - started,
        }


def parts(texts: pd.DataFrame, most_bytes: int) -> Iterator[pd.DataFrame]:
    """Yield so much of the train split, drawn by document, and the other splits whole."""
    train = texts[texts["split"] == "train"]
    order = train["document"].drop_duplicates().sample(frac=1, random_state=SEED)
    by_document = train["text"].str.encode("utf-8").str.len().groupby(train["document"]).sum()
    kept = order[by_document.loc[order].cumsum().to_numpy() <= most_bytes]
    yield train[train["document"].isin(kept)]
    yield texts[texts["split"] != "train"]


if __name__ == "__main__":
    main()
