"""Run the whole workflow on corpora that grow tenfold, and read each step's time and peak memory.

    make bench-scale                                  100,000 and 1,000,000 texts: a quarter of an hour
    python benchmarks/scale.py --texts 100000 1000000 10000000        with a third size: two hours more
    python benchmarks/scale.py --texts 10000          without the two sizes of the record, nothing is recorded

The texts are made up: sentences of 60 to 150 characters with a label of nine, and one text in a hundred is of about
20,000 characters; a file has 100,000. The classifier is a BERT of two layers of 48 with random weights, and training
takes a few steps, so what grows is what every corpus costs: reading, tokens, windows, scores, the search for copies,
statistics, the report. Then one text in a thousand is added, and the same command does again what depends on it.
"""

import argparse
import itertools
import json
import random
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
import yaml
from record import ROOT, Figure, show, write
from stage import environment
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

SIZES = (100_000, 1_000_000)
FILE_TEXTS = 100_000  # of a file of the corpus
LABELS = ("art", "food", "law", "music", "news", "people", "places", "sport", "weather")
LONG_EVERY, LONG_CHARACTERS = 100, 20_000
ADDED_SHARE, MOST_TO_ADD_TO = 0.001, 1_000_000
STEPS_OF_TRAINING, BATCH_TOKENS = 20, 2048
# Reaches: peak memory of every step; time a text against the smallest size; memory at the third size over the second.
MOST_GIB, GROWTH, GIB_GROWTH = 3.0, 1.2, 1.3
SCORED_AGAIN_PERCENT = 5.0  # time of scoring after texts were added, of its time before
SCORING = "scores topic/texts"
SEED = 2014
# Shorter steps are mostly the start of their process, and their time a text says nothing.
LEAST_SECONDS = 10.0


def main() -> None:
    """Run all sizes and record the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, nargs="+", default=list(SIZES))
    options = parser.parse_args()
    runs = {}
    for texts in options.texts:
        with tempfile.TemporaryDirectory(prefix="samizdat-scale-") as folder:
            runs[texts] = measured(texts, Path(folder))
    figures = figures_of(runs)
    show(figures)
    if set(SIZES) <= set(options.texts):
        write("scale", figures, {"runs": {str(texts): run for texts, run in runs.items()}})


def measured(texts: int, place: Path) -> dict[str, Any]:
    """Run the workflow in an empty folder; return its seconds and those and the peak memory of each step."""
    (place / "data").mkdir()
    added = round(texts * ADDED_SHARE)
    made = made_up(texts + added)
    for begin in range(0, texts, FILE_TEXTS):
        write_texts(itertools.islice(made, min(FILE_TEXTS, texts - begin)), place / "data" / f"texts-{begin:09}.jsonl")
    corpus = sorted((place / "data").iterdir())
    corpus_bytes = sum(path.stat().st_size for path in corpus)
    write_classifier(place / "classifier", corpus[0])
    (place / "config.yaml").write_text(yaml.safe_dump(config_of(corpus_bytes)), encoding="utf-8")
    seconds, again_seconds = run_seconds(place), run_seconds(place)
    steps = steps_of(place)
    page = place / "results" / "scale" / "report" / "report.html"
    found = {
        "corpus_megabytes": corpus_bytes / 1e6,
        "seconds": seconds,
        "again_seconds": again_seconds,
        "page_megabytes": page.stat().st_size / 1e6,
        "steps": steps,
    }
    if texts <= MOST_TO_ADD_TO:
        write_texts(made, place / "data" / "texts-added.jsonl")
        found["added_seconds"] = run_seconds(place)
        found["added_scoring_seconds"] = steps_of(place)[SCORING]["seconds"]
    return found


def write_texts(made: Iterable[tuple[str, str]], path: Path) -> None:
    """Write texts and their labels, one in a line."""
    with path.open("w", encoding="utf-8") as file:
        for text, label in made:
            file.write(json.dumps({"text": text, "topic": label}) + "\n")


def run_seconds(place: Path) -> float:
    """Run the workflow; return the seconds that it takes."""
    begun = time.monotonic()
    command: list[str | Path] = [
        "snakemake",
        "--snakefile",
        ROOT / "Snakefile",
        "--directory",
        place,
        "--cores",
        "2",
        "--workflow-profile",
        ROOT / "profiles" / "default",
        "--configfile",
        place / "config.yaml",
    ]
    subprocess.run(command, check=True, env=environment(place / "compiled"))
    return time.monotonic() - begun


def steps_of(place: Path) -> dict[str, dict[str, float]]:
    """Return time and peak memory of each step, when it last ran."""
    steps = [json.loads(path.read_text(encoding="utf-8")) for path in place.glob("work/scale/**/usage.json")]
    return {
        step["title"]: {"seconds": step["elapsed_seconds"], "gib": step["peak_memory_bytes"] / 2**30}
        for step in sorted(steps, key=lambda step: step["title"])
    }


def made_up(texts: int) -> Iterator[tuple[str, str]]:
    """Make up texts and a label for each; no two are alike, and words are as unequally frequent as in a language."""
    draw = random.Random(SEED)
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    words = ["".join(draw.choices(letters, k=draw.randint(2, 9))) for _ in range(30_000)]
    totals = list(itertools.accumulate(1 / (rank + 2) for rank in range(len(words))))
    for number in range(texts):
        wanted = LONG_CHARACTERS if number % LONG_EVERY == 0 else draw.randint(60, 150)
        found: list[str] = []
        length = 0
        while length < wanted:
            for word in draw.choices(words, cum_weights=totals, k=max(4, (wanted - length) // 7)):
                found.append(word)
                length += len(word) + 1
        text = " ".join(found)[:wanted].strip()
        yield text[:1].upper() + text[1:] + ".", draw.choice(LABELS)


def write_classifier(folder: Path, corpus: Path) -> None:
    """Write a BERT with random weights whose tokens are learned from the first texts of the corpus."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    with corpus.open(encoding="utf-8") as file:
        first = [json.loads(line)["text"] for line, _ in zip(file, range(2000), strict=False)]
    tokenizer.train_from_iterator(first, trainers.WordPieceTrainer(vocab_size=4000, special_tokens=special))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    whole = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        mask_token="[MASK]",
    )  # fmt: skip
    torch.manual_seed(SEED)
    model = BertForSequenceClassification(
        BertConfig(
            vocab_size=len(whole), hidden_size=48, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96,
            max_position_embeddings=128, pad_token_id=0, id2label=dict(enumerate(LABELS)),
            label2id={label: number for number, label in enumerate(LABELS)},
            initializer_range=0.5,  # so that labels differ, and one text in twenty is a close call
        )
    )  # fmt: skip
    model.save_pretrained(folder)
    whole.save_pretrained(folder)


def config_of(corpus_bytes: int) -> dict[str, Any]:
    """Return a config in which only what grows with the corpus takes long."""
    tokens = corpus_bytes / 3.5  # about; it decides nothing but the number of steps
    return {
        "name": "scale", "title": "A large corpus", "pdf": False, "threads": 1,
        "corpus": {"source": "files", "paths": ["data"], "label_columns": ["topic"]},
        "tokenizers": [{"name": "own", "source": "train", "vocabulary_size": 2048}],
        "training": {
            "layers": 1, "heads": 2, "width": 64, "context_tokens": 64, "batch_tokens": BATCH_TOKENS,
            "micro_batch_sequences": 32, "epochs": STEPS_OF_TRAINING * BATCH_TOKENS / tokens, "compile": False,
            "matrix_learning_rate": 0.004, "learning_rate": 0.01, "evaluations": 1, "keep_percents": [100],
        },
        "prompts": [""],
        "sampling": {"samples_per_prompt": 4, "held_out_prompts": 2, "unprompted_samples": 200, "max_new_tokens": 40},
        "classifiers": [
            {"name": "topic", "source": "checkpoint", "checkpoint": "classifier", "label_column": "topic",
             "labels": list(LABELS), "kind": "single_label", "predicts": "a topic", "made_for": "made-up sentences",
             "reference": "random weights"},
        ],
    }  # fmt: skip


def figures_of(runs: dict[int, dict[str, Any]]) -> dict[str, Figure]:
    """Show each size, and how time and memory grow between two sizes."""
    figures = {}
    for texts, run in runs.items():
        size = f"{texts:,} texts, {run['corpus_megabytes']:,.0f} MB"
        worst = max(run["steps"], key=lambda step: run["steps"][step]["gib"])
        figures[f"gib of {texts}"] = Figure(
            f"{size}: peak memory of the step that takes most ({worst}), GiB",
            run["steps"][worst]["gib"],
            MOST_GIB,
            True,
        )
        figures[f"seconds of {texts}"] = Figure(f"{size}: seconds of the whole run", run["seconds"])
        slowest = sorted(run["steps"], key=lambda step: -run["steps"][step]["seconds"])[:5]
        for step in slowest:
            figures[f"{step} of {texts}"] = Figure(f"of these, {step}", run["steps"][step]["seconds"])
        figures[f"again of {texts}"] = Figure(
            f"{size}: seconds of a run with nothing to do", run["again_seconds"], 8, True
        )
        if "added_seconds" in run:
            scoring = run["steps"][SCORING]["seconds"]
            figures[f"added to {texts}"] = Figure(
                f"{size} and {texts * ADDED_SHARE:,.0f} more: seconds of the run that does again what depends on them",
                run["added_seconds"],
            )
            figures[f"scoring of added to {texts}"] = Figure(
                f"of these, scoring, % of the {scoring:,.0f} s that it took at first",
                100 * run["added_scoring_seconds"] / scoring,
                SCORED_AGAIN_PERCENT,
                True,
            )
        figures[f"page of {texts}"] = Figure(f"{size}: size of the page, MB", run["page_megabytes"], 5, True)
    smaller, *larger_sizes = sorted(runs)
    for larger in larger_sizes:
        growth = {
            step: run["seconds"] / larger / (runs[smaller]["steps"][step]["seconds"] / smaller)
            for step, run in runs[larger]["steps"].items()
            if runs[smaller]["steps"].get(step, {"seconds": 0})["seconds"] >= LEAST_SECONDS
        }
        if growth:
            worst = max(growth, key=lambda step: growth[step])
            figures[f"growth to {larger}"] = Figure(
                f"seconds a text, {larger:,} texts against {smaller:,}: the step that grows most ({worst}), of "
                f"{len(growth)} that take {LEAST_SECONDS:.0f} s or more", growth[worst], GROWTH, True,
            )  # fmt: skip
    for before, after in itertools.pairwise(larger_sizes):
        peaks = [max(step["gib"] for step in runs[texts]["steps"].values()) for texts in (before, after)]
        figures[f"gib growth to {after}"] = Figure(
            f"peak memory of the step that takes most, {after:,} texts against {before:,}", peaks[1] / peaks[0],
            GIB_GROWTH, True,
        )  # fmt: skip
    return figures


if __name__ == "__main__":
    main()
