"""Compare other kinds of classifiers with their peers: few-shot, zero-shot, DeBERTa, and integers in ONNX Runtime.

    python benchmarks/classification_kinds.py            all rows; `make bench-classification` runs it, too
    python benchmarks/classification_kinds.py --quick    the same code on a few texts and one layer; records nothing

Needs `results/demo/corpus` and `results/demo/classifiers/sentiment`. The models have random weights, heads that are
scaled (`random_heads.py`), and the demo's tokenizer. The row of ONNX Runtime needs the extra `bench` and is left out
without it. Ours and each peer run in processes of their own; the time of one text, which is that of loading, is taken
off ours, and the peers' leave it out.
"""

import argparse
import json
import os
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from classification import DEMO, LABELS, ROWS, apart, differing, ours, pipeline, table_of
from classification_onnx import onnx
from random_kinds import ASKED, STATEMENT, TEMPLATE, random_kinds
from record import Figure, middle, show, write
from transformers import AutoTokenizer, GPT2LMHeadModel
from transformers.utils import logging

from samizdat.records.classifiers import ClassifierCard, ShownExamples
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_document, read_table

SENTIMENT = DEMO / "classifiers" / "sentiment"


def generating(classifier: str, table: str, threads: int) -> dict[str, Any]:
    """Let the language model go on after all examples and one text at a time, for as many tokens as a label has."""
    torch.set_num_threads(threads)
    card, shown = (
        read_document(ClassifierCard, Path(classifier, "card.json")),
        read_document(ShownExamples, Path(classifier, "examples.json")),
    )
    tokenizer, model = AutoTokenizer.from_pretrained(classifier), GPT2LMHeadModel.from_pretrained(classifier).eval()
    pairs = zip(shown.texts, shown.words, strict=True)
    before = "".join(TEMPLATE.format(text, word) + "\n\n" for text, word in pairs)
    most = max(len(tokenizer.tokenize(word)) for word in card.words)
    asked = [before + TEMPLATE.format(text, "").rstrip() for text in pd.read_parquet(table)["text"]]
    options = {"max_new_tokens": most, "min_new_tokens": most, "do_sample": False, "pad_token_id": 0}
    with torch.inference_mode():
        for number, one in enumerate([asked[0], *asked]):  # the first is not timed
            if number == 1:
                started = time.perf_counter()
            tokens = tokenizer(one, add_special_tokens=False, return_tensors="pt")
            model.generate(tokens["input_ids"], attention_mask=tokens["attention_mask"], **options)
    return {"seconds": time.perf_counter() - started}


def asking(checkpoint: str, table: str, threads: int) -> dict[str, Any]:
    """Ask the zero-shot pipeline of transformers about six labels, in batches of 16."""
    from transformers import pipeline as make

    torch.set_num_threads(threads)
    ask = make("zero-shot-classification", model=checkpoint, tokenizer=checkpoint, device="cpu", dtype=torch.float32)
    texts = pd.read_parquet(table)["text"].tolist()
    options = {"hypothesis_template": STATEMENT, "batch_size": 16}
    ask(texts[:2], list(ASKED), **options)
    started = time.perf_counter()
    ask(texts, list(ASKED), **options)
    return {"seconds": time.perf_counter() - started}


SIDES = {
    "ours": ours,
    "pipeline": pipeline,
    "generating": generating,
    "asking": asking,
    "integers": partial(onnx, int8=True),
}


def rate(
    classifier: str, frame: pd.DataFrame, work: Path, threads: int, precision: str = "auto"
) -> tuple[float, float]:
    """Return our texts a second, without loading, and how many windows of 100 texts are read again."""
    seconds = []
    for name, part in (("single", frame.head(1)), ("all", frame)):
        folder = work / name
        folder.mkdir(parents=True)
        table = table_of(part, folder / "texts.parquet")
        found = apart("ours", program=__file__, classifier=classifier, table=table, folder=str(folder),
                      precision=precision, threads=threads)  # fmt: skip
        seconds.append(found["seconds"])
    return (len(frame) - 1) / (seconds[1] - seconds[0]), 100 * found["again"] / len(frame)


def integers(texts: pd.DataFrame, work: Path, threads: int) -> dict[str, Figure]:
    """Compare the demo's classifier with ONNX Runtime in eight bits, round by round.

    Without ONNX Runtime there are only the labels that differ from float32's.
    """
    common = {"program": __file__, "classifier": str(SENTIMENT), "threads": threads, "batch_size": ROWS}
    times, small, figures = [], {}, {}
    for number in range(3):
        table = table_of(texts, work / f"round-{number}" / "some.parquet")
        mine, _ = rate(str(SENTIMENT), texts, work / f"round-{number}", threads)
        small = apart("integers", table=table, **common)
        times.append(mine * small.get("seconds", 0) / len(texts))
    exact = apart("pipeline", table=table, **common)["labels"]
    if "seconds" in small:
        told = "MiniLM, times ONNX Runtime in dynamic eight-bit integers, sorted"
        figures["times_onnx_int8"] = middle(told, times, 1.2)
        off = 100 * float(np.mean(np.array(small["labels"]) != np.array(exact)))
        figures["different_onnx_int8_percent"] = Figure("labels of ONNX Runtime that differ from float32, %", off)
    else:
        print(f"The row of ONNX Runtime is left out: {small['left_out']}", flush=True)
    own = 100 * differing(work / "round-0" / "all", texts["id"], exact)
    told = "labels of ours, as configured, that differ, %"
    return figures | {"different_percent": Figure(told, own, 0.2, less_is_better=True)}


def main() -> None:
    """Run all rows and record them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few texts and one layer; records nothing")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="of every side")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--arguments", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    if options.side:
        print(json.dumps(SIDES[options.side](**options.arguments)))
        return
    corpus = read_table(DEMO / "corpus" / "texts.parquet", TEXTS)
    many, few, most = (60, 4, 60) if options.quick else (1400, 60, len(corpus))
    some = corpus.sample(many, random_state=0)
    figures = {}
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        made = random_kinds(
            work / "models", AutoTokenizer.from_pretrained(SENTIMENT), DEMO / "corpus" / "texts.parquet", "sentiment",
            LABELS, layers=1 if options.quick else None,
        )  # fmt: skip
        table, short = table_of(some, work / "some.parquet"), table_of(some.head(few), work / "few.parquet")

        def times(what: str, side: str, texts: int, reach: float, key: str, **arguments: Any) -> None:
            peer = apart(side, program=__file__, table=table if texts == many else short, threads=options.threads,
                         **arguments)  # fmt: skip
            mine, again = rate(made[key], some, work / key, options.threads)
            figures[f"times_{key}"] = Figure(what, mine * peer["seconds"] / texts, reach)
            figures[f"rate_{key}"] = Figure(f"{key}, texts a second", mine)
            figures[f"again_{key}"] = Figure(
                f"{key}, windows (zero-shot: with a statement) read again, of 100 texts", again
            )

        times("few-shot, 8 examples, GPT-2 124M, times `generate` text by text", "generating", few, 10, "few-shot",
              classifier=made["few-shot"])  # fmt: skip
        times("zero-shot, 6 labels, times the pipeline in batches of 16", "asking", many, 3, "zero-shot",
              checkpoint=made["inference"])  # fmt: skip
        times("DeBERTa-v3-small, times the pipeline text by text", "pipeline", many, 4, "deberta",
              classifier=made["deberta"], batch_size=1)  # fmt: skip
        figures |= integers(corpus.sample(most, random_state=0), work / "integers", options.threads)
    show(figures)
    if not options.quick:
        write("classification_kinds", figures, {"threads": options.threads})


if __name__ == "__main__":
    main()
