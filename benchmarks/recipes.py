"""Compare the recipe for the corpus at hand (`training.recipe: auto`) with a small grid around it, size by size.

    make bench-recipes                                         all sizes that the texts at hand allow: hours
    python benchmarks/recipes.py --sizes 20000 --minutes 30    one size; no training begins that would end later

A size is a number of GPT-2's tokens, taken as a number of bytes of the train split. Up to 500,000 the texts are the
demo's (`results/demo/corpus/texts.parquet`); larger sizes are of a dictionary, which apt fetches. Validation and test
splits are whole, so that the sizes of one corpus can be compared. The recipe's settings are computed as a run computes
them; then one thing is changed at a time. Only sizes from 500,000 on are compiled: that changes the time of a step, and
the number format where a machine has eight-bit integers, alike for all settings of a size. Each result is recorded when
it is there, and is computed again only with other code.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dictionary
import pandas as pd
from record import RESULTS, ROOT, Figure, show, write
from stage import settings_of

from samizdat.base.configuration import RECIPE_KEYS
from samizdat.base.digest import result_digest
from samizdat.models.make_tokenizer import TokenizerSettings, make_tokenizer
from samizdat.models.recipe_table import vocabulary_size
from samizdat.models.settings import TrainingSettings
from samizdat.models.train_model import train_model
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_document, read_table, write_table
from samizdat.records.models import ModelSummary, TokenizerSummary

SIZES = (20_000, 100_000, 500_000, 2_000_000, 9_000_000)
MOST_OF_DEMO = 500_000
DEMO = ROOT / "results" / "demo" / "corpus" / "texts.parquet"
DEMO_BYTES_PER_TOKEN = 4  # of GPT-2's own
COMPILED_FROM = 500_000  # compiling takes as long as a training of the smaller sizes
SEED = 2014
REACH_PERCENT = 3.0
RECIPE = "recipe"
# What is changed of the recipe's settings: key → factor, or a value in quotes.
CHANGES: dict[str, dict[str, float | str]] = {
    RECIPE: {},
    "batch × 2": {"batch_tokens": 2},
    "batch / 2": {"batch_tokens": 0.5},
    "epochs × 2": {"epochs": 2},
    "epochs / 2": {"epochs": 0.5},
    "width × 2": {"width": 2},
    "layers × 2": {"layers": 2},
    "vocabulary × 2": {"vocabulary_size": 2},
    "vocabulary / 2": {"vocabulary_size": 0.5},
    "rates × 2": {"matrix_learning_rate": 2, "learning_rate": 2},
    "rates / 2": {"matrix_learning_rate": 0.5, "learning_rate": 0.5},
    "weight decay × 2": {"weight_decay": 2},
    "weight decay / 2": {"weight_decay": 0.5},
    "dropout 0.1": {"dropout": "0.1"},
}
SMALLEST_VOCABULARY = 260  # the bytes, the boundary, and a few


def main() -> None:
    """Train what is missing, and record each result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, default=DEMO, help="the demo's table of texts")
    parser.add_argument("--sizes", type=int, nargs="+", choices=SIZES, default=SIZES)
    parser.add_argument("--changes", nargs="+", choices=list(CHANGES), default=list(CHANGES))
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    end = time.monotonic() + 60 * options.minutes
    code = result_digest("models.train_model") + result_digest("models.make_tokenizer")
    path = RESULTS / "recipes.json"
    kept = json.loads(path.read_text(encoding="utf-8"))["notes"]["rows"] if path.is_file() else []
    rows = [row for row in kept if row["code"] == code]
    for size in options.sizes:
        texts = read_table(options.texts if size <= MOST_OF_DEMO else dictionary.imported(), TEXTS)
        longest = 0.0
        for change in dict.fromkeys((RECIPE, *options.changes)):
            if any((row["size"], row["change"]) == (size, change) for row in rows):
                continue
            begun = time.monotonic()
            if begun + longest > end:
                break
            base = next((row["settings"] for row in rows if (row["size"], row["change"]) == (size, RECIPE)), None)
            row = {"size": size, "change": change, "code": code}
            rows.append(row | measured(texts, size, changed(base, change), options.threads))
            longest = max(longest, 1.5 * (time.monotonic() - begun))
            print(
                size, change, f"{rows[-1]['test_bits_per_byte']:.3f}", f"{time.monotonic() - begun:.0f} s", flush=True
            )
            rows.sort(key=lambda one: (one["size"], list(CHANGES).index(one["change"])))
            write("recipes", figures_of(rows), {"changes": CHANGES, "rows": rows})
    show(figures_of(rows))


def changed(settings: dict[str, Any] | None, change: str) -> dict[str, Any] | None:
    """Return the recipe's settings with a change; None where the recipe is to decide them."""
    if settings is None:
        return None
    found = dict(settings)
    for key, factor in CHANGES[change].items():
        value = float(factor) if isinstance(factor, str) else found[key] * factor
        found[key] = type(found[key])(value)
    found["vocabulary_size"] = max(found["vocabulary_size"], SMALLEST_VOCABULARY)
    rows = max(1, found["batch_tokens"] // found["context_tokens"])
    return found | {"batch_tokens": rows * found["context_tokens"]}


def measured(texts: pd.DataFrame, size: int, settings: dict[str, Any] | None, threads: int) -> dict[str, Any]:
    """Train with these settings, or those of the recipe, on so many tokens; return them and what came of it."""
    with tempfile.TemporaryDirectory(prefix="samizdat-recipes-") as name:
        folder = Path(name)
        bytes_per_token = DEMO_BYTES_PER_TOKEN if size <= MOST_OF_DEMO else dictionary.BYTES_PER_TOKEN
        drawn = pd.concat(parts(texts, round(size * bytes_per_token)))
        write_table(drawn, TEXTS, folder / "texts.parquet")
        train_bytes = int(drawn.loc[drawn["split"] == "train", "text"].str.encode("utf-8").str.len().sum())
        tokens = settings["vocabulary_size"] if settings else vocabulary_size(train_bytes)
        make_tokenizer(
            TokenizerSettings("own", "train", tokens, None, None), folder / "texts.parquet", None, folder / "own"
        )
        given = {key: value for key, value in (settings or {}).items() if key != "vocabulary_size"}
        left = {} if settings else recipe_decides()
        chosen = settings_of(
            **(given | left),
            micro_batch_sequences="auto",
            compile=size >= COMPILED_FROM,
            evaluations=6,
            keep_percents=(100,),
        )
        started = time.process_time()
        train_model(
            TrainingSettings(**chosen), "recipe", (), folder / "own", folder / "model", folder / "work", "cpu", threads,
            SEED,
        )  # fmt: skip
        summary = read_document(ModelSummary, folder / "model" / "summary.json")
        counted = read_document(TokenizerSummary, folder / "own" / "summary.json")
        return {
            "settings": settings or {**summary.recipe, "vocabulary_size": tokens},
            "train_bytes": train_bytes,
            "tokens": counted.tokens["train"],
            "parameters": summary.parameters,
            "steps": summary.steps_done,
            "best_step": summary.best_step,
            "validation_bits_per_byte": summary.validation_bits_per_byte,
            "test_bits_per_byte": summary.test_bits_per_byte,
            "cpu_seconds": time.process_time() - started,
        }


def recipe_decides() -> dict[str, Any]:
    """Return the settings with which a recipe decides all that it can."""
    least = settings_of()["context_tokens"]
    return {key: least if key == "context_tokens" else 0 for key in RECIPE_KEYS} | {"recipe": RECIPE_KEYS}


def parts(texts: pd.DataFrame, most_bytes: int) -> Iterator[pd.DataFrame]:
    """Yield so much of the train split, drawn by document, and the other splits whole."""
    train = texts[texts["split"] == "train"]
    order = train["document"].drop_duplicates().sample(frac=1, random_state=SEED)
    by_document = train["text"].str.encode("utf-8").str.len().groupby(train["document"]).sum()
    kept = order[by_document.loc[order].cumsum().to_numpy() <= most_bytes]
    yield train[train["document"].isin(kept)]
    yield texts[texts["split"] != "train"]


def figures_of(rows: list[dict[str, Any]]) -> dict[str, Figure]:
    """Compare at each size the recipe with the best of the other settings, chosen on the validation split."""
    figures = {}
    for size in sorted({row["size"] for row in rows}):
        by_change = {row["change"]: row for row in rows if row["size"] == size}
        others = [row for change, row in by_change.items() if change != RECIPE]
        if RECIPE not in by_change or not others:
            continue
        own, best = by_change[RECIPE], min(others, key=lambda row: row["validation_bits_per_byte"])
        above = 100 * (own["test_bits_per_byte"] / best["test_bits_per_byte"] - 1)
        figures[str(size)] = Figure(
            f"{own['train_bytes'] / 1000:.0f} kB, {own['tokens']:,} tokens: bits per byte of the recipe "
            f"({own['test_bits_per_byte']:.3f}) above the best of {len(others)} of {len(CHANGES) - 1} changes "
            f"({best['change']}: {best['test_bits_per_byte']:.3f}), %",
            above, REACH_PERCENT, less_is_better=True,
        )  # fmt: skip
    return figures


if __name__ == "__main__":
    main()
