"""Compare classification with transformers' pipelines and ONNX Runtime, on one machine in one run.

    make bench-classification                        the demo's corpus and classifier first, then all rows
    python benchmarks/classification.py --quick      the same code on a few texts, in a minute or two; records nothing

Needs `results/demo/corpus` and `results/demo/classifiers/sentiment`. The row of ONNX Runtime needs the extra
`bench` (`pip install -e '.[bench]'`) and is left out without it. Ours and each peer run in processes of their own.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml
from classification_onnx import onnx
from random_heads import counted, logits_of, spread
from record import ROOT, Figure, middle, show, write
from transformers import AutoTokenizer, XLMRobertaConfig, XLMRobertaForSequenceClassification
from transformers.utils import logging

from samizdat.base.files import sha256_of, write_text
from samizdat.base.hardware import LIBRARY_SETTINGS
from samizdat.classifiers import text_scores, zero_shot
from samizdat.classifiers.score_texts import score_texts
from samizdat.classifiers.text_scores import ClassificationSettings
from samizdat.measures.bootstrap import Bootstrap
from samizdat.records.classifiers import SCORES, ClassifierCard
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_document, read_table, write_document, write_table
from samizdat.statistics.agreement import agreement

DEMO = ROOT / "results" / "demo"
LABELS = ("negative", "neutral", "positive")
ROWS = 32  # texts in a batch of the batched peers


@dataclass(frozen=True)
class Plan:
    """How much of everything is run: FULL for the record, QUICK to see that the code works."""

    rounds: int
    texts: int  # that each peer scores in a round
    corpus: int | None  # texts that ours scores in a round; None: all
    large_texts: int
    large_layers: int


FULL = Plan(rounds=3, texts=1400, corpus=None, large_texts=500, large_layers=12)
QUICK = Plan(rounds=1, texts=60, corpus=400, large_texts=12, large_layers=1)


# Each of these runs in a process of its own and prints what it returns as JSON.


def ours(classifier: str, table: str, folder: str, precision: str, threads: int) -> dict[str, Any]:
    """Score a table with our stage; return its seconds, with loading and the score store, and the close calls."""
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    keys = config["classification"] | {"precision": precision}
    settings = ClassificationSettings(**{key: value for key, value in keys.items() if key != "threshold"})
    scores, store = Path(folder, "scores.parquet"), Path(folder, "store")
    again: list[int] = []
    with (
        counted(text_scores, "close_calls", again),
        counted(zero_shot, "entailment_close_calls", again),
    ):
        started = time.perf_counter()
        said = score_texts(settings, Path(classifier), (Path(table),), scores, store, "cpu", threads, seed=1)
        seconds = time.perf_counter() - started
    return {"seconds": seconds, "said": said, "again": sum(again)}


def pipeline(classifier: str, table: str, batch_size: int, threads: int) -> dict[str, Any]:
    """Score a table with transformers' pipeline in float32; return seconds without loading, and labels."""
    from transformers import pipeline as make

    torch.set_num_threads(threads)
    judge = make("text-classification", model=classifier, tokenizer=classifier, device="cpu", dtype=torch.float32)
    texts = pd.read_parquet(table)["text"].tolist()
    longest = {"truncation": True, "max_length": 128}
    judge(texts[:ROWS], batch_size=batch_size, **longest)
    started = time.perf_counter()
    if batch_size == 1:
        labels = [judge(text, **longest)[0]["label"] for text in texts]
    else:
        labels = [answer["label"] for answer in judge(texts, batch_size=batch_size, **longest)]
    return {"seconds": time.perf_counter() - started, "labels": labels}


SIDES = {"ours": ours, "pipeline": pipeline, "onnx": onnx}


def apart(side: str, *, program: str = __file__, **arguments: Any) -> dict[str, Any]:
    """Run a side of a program in a process of its own; ours has the environment that the workflow gives a step."""
    call = [sys.executable, program, "--side", side, "--arguments", json.dumps(arguments)]
    environment = os.environ | {"OMP_NUM_THREADS": str(arguments["threads"]), "TOKENIZERS_PARALLELISM": "true"}
    if side == "ours":
        environment |= LIBRARY_SETTINGS
    done = subprocess.run(call, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def table_of(frame: pd.DataFrame, path: Path) -> str:
    """Write some rows of the corpus as a table; return its path."""
    write_table(frame.reset_index(drop=True), TEXTS, path)
    return str(path)


def large_classifier(folder: Path, layers: int, texts: list[str]) -> str:
    """Make an XLM-R-base with random weights and the demo's tokenizer; the vocabulary's size costs no time.

    Its head is scaled by the logits of the texts (`random_heads.py`).
    """
    tokenizer = AutoTokenizer.from_pretrained(DEMO / "classifiers" / "sentiment")
    config = XLMRobertaConfig(
        vocab_size=len(tokenizer), num_hidden_layers=layers, max_position_embeddings=514, type_vocab_size=1,
        pad_token_id=tokenizer.pad_token_id, id2label=dict(enumerate(LABELS)),
        label2id={label: number for number, label in enumerate(LABELS)},
    )  # fmt: skip
    torch.manual_seed(1)
    model = XLMRobertaForSequenceClassification(config)
    spread(model.classifier.out_proj, logits_of(model, tokenizer, texts))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    write_text(folder / "seen_texts.txt", "")
    described = read_document(ClassifierCard, DEMO / "classifiers" / "sentiment" / "card.json").__dict__
    card = described | {"weights_sha256": sha256_of(folder / "model.safetensors"), "labels": list(LABELS)}
    card["checkpoint_labels"] = card["labels"]
    write_document(ClassifierCard(**card), folder / "card.json")
    return str(folder)


def differing(folder: Path, keys: pd.Series, labels: list[str]) -> float:
    """Return the share of texts whose label in `folder/scores.parquet` is not the one given."""
    said = read_table(folder / "scores.parquet", SCORES).set_index("id")["label"]
    return float(np.mean(said[keys].to_numpy() != np.array(labels, object)))


def speeds(
    classifier: str, corpus: pd.DataFrame, part: int, rounds: int, work: Path, threads: int, own: pd.DataFrame
) -> tuple[dict[str, list[float]], dict[str, Any]]:
    """Measure texts per second of ours and each peer, round by round, and how many labels differ."""
    rates: dict[str, list[float]] = {}
    different: dict[str, list[float]] = {"bfloat16": [], "float32": []}
    left_out, again = None, 0
    for number in range(rounds):
        folder = work / f"round-{number}"
        some = corpus.sample(part, random_state=number)
        table, everything = table_of(some, folder / "some.parquet"), table_of(own, folder / "own.parquet")
        common = {"classifier": classifier, "threads": threads}
        found = {
            "one by one": apart("pipeline", table=table, batch_size=1, **common),
            "batched": apart("pipeline", table=table, batch_size=ROWS, **common),
            "ours": apart("ours", table=everything, folder=str(folder), precision="auto", **common),
            "onnx": apart("onnx", table=table, batch_size=ROWS, **common),
        }
        single = table_of(own.head(1), folder / "single.parquet")
        for name in ("single", "exact"):
            (folder / name).mkdir()
        # The time of one text is the loading time, which the peers' times leave out.
        loading = apart("ours", table=single, folder=str(folder / "single"), precision="auto", **common)["seconds"]
        exact = apart("ours", table=table, folder=str(folder / "exact"), precision="float32", **common)
        left_out, again = found["onnx"].get("left_out"), found["ours"]["again"]
        for side, result in found.items():
            if side == "ours":
                rates.setdefault(side, []).append((len(own) - 1) / (result["seconds"] - loading))
                rates.setdefault("ours with loading", []).append(len(own) / result["seconds"])
            elif "seconds" in result:
                rates.setdefault(side, []).append(part / result["seconds"])
        rates.setdefault("ours in float32 with loading", []).append(part / exact["seconds"])
        labels = found["one by one"]["labels"]
        different["float32"].append(differing(folder / "exact", some["id"], labels))
        if set(some["id"]) <= set(own["id"]):
            different["bfloat16"].append(differing(folder, some["id"], labels))
    return rates, {"different": different, "left_out": left_out, "again": 100 * again / len(own)}


def growth(classifier: str, corpus: pd.DataFrame, work: Path, threads: int) -> float:
    """Measure the time of adding 1 % of the texts, without loading the model, as a share of classifying all."""
    more = max(2, len(corpus) // 100)
    shuffled = corpus.sample(frac=1, random_state=9)
    common = {"classifier": classifier, "folder": str(work), "precision": "auto", "threads": threads}
    work.mkdir()
    # First all but 1 % and one text; then one text more, which only loads the model; then the rest.
    sizes = [len(corpus) - more - 1, len(corpus) - more, len(corpus)]
    seconds = [
        apart("ours", table=table_of(shuffled.iloc[:size], work / "texts.parquet"), **common)["seconds"]
        for size in sizes
    ]
    return (seconds[2] - seconds[1]) / seconds[0]


def f1_share(corpus: pd.DataFrame, folder: Path) -> tuple[float, float]:
    """Compute the demo classifier's held-out macro-F1, and that of one rater against the others."""
    card = read_document(ClassifierCard, DEMO / "classifiers" / "sentiment" / "card.json")
    scores = read_table(folder / "scores.parquet", SCORES)
    scores = scores[scores["label"].notna() & ~scores["seen_in_training"]]
    said = scores.assign(predicted=scores["label"], confidence=[max(values) for values in scores["probabilities"]])
    judged = corpus.merge(said[["id", "predicted", "confidence"]], on="id")
    rows = agreement(card, corpus, judged, "label_sentiment", Bootstrap(0.95, 200, 1))["quality"]
    found = {row["method"]: row["value"] for row in rows if row["metric"] == "macro_f1"}
    return found["classifier"], found["human"]


def ratios(rates: dict[str, list[float]], peer: str) -> list[float]:
    """Divide our speed by a peer's, round by round."""
    return [one / other for one, other in zip(rates["ours"], rates[peer], strict=True)]


def main() -> None:
    """Run all rows and record them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few texts; records nothing")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of every side")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--arguments", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    if options.side:
        print(json.dumps(SIDES[options.side](**options.arguments)))
        return
    plan = QUICK if options.quick else FULL
    corpus = read_table(DEMO / "corpus" / "texts.parquet", TEXTS)
    small = str(DEMO / "classifiers" / "sentiment")
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        own = corpus if plan.corpus is None else corpus.head(plan.corpus)
        rates, more = speeds(small, own, plan.texts, plan.rounds, work / "small", options.threads, own)
        classifier, human = f1_share(corpus, work / "small" / "round-0")
        added = growth(small, own, work / "growth", options.threads)
        large = large_classifier(work / "large-classifier", plan.large_layers, corpus["text"].tolist()[:64])
        some = corpus.sample(plan.large_texts, random_state=5)
        large_rates, large_more = speeds(large, some, plan.large_texts, 1, work / "large", options.threads, some)
    figures = {
        "times_one_by_one": middle("MiniLM, times the pipeline text by text", ratios(rates, "one by one"), 8),
        "times_batched": middle("MiniLM, times the pipeline in unsorted batches of 32", ratios(rates, "batched"), 5),
        "large_times_one_by_one": middle("XLM-R-base, the same", ratios(large_rates, "one by one"), 6),
        "large_times_batched": middle("XLM-R-base, the same in batches", ratios(large_rates, "batched"), 5),
        "again_percent": Figure("MiniLM, windows that are close calls, %", more["again"]),
        "large_again_percent": Figure("XLM-R-base, the same (random weights, scaled head)", large_more["again"]),
        "different_float32_percent": Figure(
            "labels that differ from the pipeline's, float32, %", 100 * max(more["different"]["float32"]), 0,
            less_is_better=True,
        ),
        "different_bfloat16_percent": Figure(
            "labels that differ from the pipeline's, as configured, %",
            100 * float(np.mean(more["different"]["bfloat16"])), 0.2, less_is_better=True,
        ),
        "adding_percent": Figure(
            "adding 1 % of texts, % of the time of classifying all, without loading", 100 * added, 3,
            less_is_better=True,
        ),
        "share_of_human_ceiling": Figure("held-out macro-F1, share of one rater's", classifier / human, 0.9),
        "macro_f1": Figure("held-out macro-F1 of the demo's sentiment classifier", classifier),
        "human_macro_f1": Figure("macro-F1 of one rater against the others", human),
        **{
            f"rate_{side.replace(' ', '_')}": middle(f"{side}, MiniLM, texts a second", values)
            for side, values in rates.items()
        },
    }  # fmt: skip
    if "onnx" in rates:
        figures["times_onnx"] = middle("MiniLM, times ONNX Runtime in float32, sorted", ratios(rates, "onnx"), 1)
    else:
        print(f"The row of ONNX Runtime is left out: {more['left_out']}", flush=True)
    show(figures)
    if not options.quick:
        write("classification", figures, {"threads": options.threads, "onnx_left_out": more["left_out"]})


if __name__ == "__main__":
    main()
