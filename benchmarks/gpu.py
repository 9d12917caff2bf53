"""Check and time every stage on a GPU: first that it is correct, then how fast it is compared with its peers.

    PYTHONPATH=workflow python benchmarks/gpu.py                         every row, about ten minutes
    PYTHONPATH=workflow python benchmarks/gpu.py --rows checks           only rows whose names begin so, or several
    PYTHONPATH=workflow python benchmarks/gpu.py --quick --device cpu    every row with tiny models; records nothing

All rows make a new record in benchmarks/results/; some of them are added to the record that is there. On a machine
that lends only its GPU, `--out FILE` writes the record to a file; bring it back and add it: `python
benchmarks/record.py gpu FILE`. Either way it is written after each row: a run that is cut off keeps its rows so far.

Needs this repository, torch, transformers, and of the packages in envs/lock.txt those that `workflow/samizdat` imports
for these stages: accelerate, filelock, icu4py, jsonschema, numpy, pandas, protobuf, pyarrow, pyyaml, safetensors,
scikit-learn, tokenizers and tqdm. Texts are made up, and full-size checkpoints have random weights, of which one is
adjusted (`gpu_data.write_classifier`).
"""

import argparse
import json
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import gpu_checks as checks
import gpu_speeds as speeds
import gpu_steps as steps
import gpu_training as training
import transformers
from gpu_data import GPT2_VOCABULARY, write_classifier, write_corpus, write_encoder, write_gpt2, write_tokenizer
from record import Figure, add, record_of, show, write

from samizdat.base.device import prepare


def main() -> None:
    """Run the rows that the options name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="*", default=[""], help="beginnings of the names of rows, in their order")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--out", type=Path, help="write the record to this file instead")
    options = parser.parse_args()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    print(prepare(options.device, threads=2, seed=1), flush=True)
    figures: dict[str, Figure] = {}
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="samizdat-gpu-") as name:
        rows = rows_of(Path(name), options.device, figures, quick=options.quick)
        wanted = dict.fromkeys(row for beginning in options.rows for row in rows if row.startswith(beginning))
        if unknown := [each for each in options.rows if not any(row.startswith(each) for row in rows)]:
            parser.error(f"no row begins with {unknown[0]!r}; the rows are: {', '.join(rows)}")
        if "speeds trainer" in wanted and "speeds training" not in wanted:
            parser.error("the row 'speeds trainer' is compared with 'speeds training': name both")
        for row in wanted:
            started = time.perf_counter()
            try:
                found = rows[row]()
            except Exception:
                failed[row] = traceback.format_exc()
                print(f"✗ {row} failed:\n{failed[row]}", flush=True)
                continue
            print(f"— {row}, {time.perf_counter() - started:.1f} s", flush=True)
            show(found)
            figures |= found
            if options.out:
                options.out.write_text(json.dumps(record_of(figures, {"failed": failed}), indent=1), encoding="utf-8")
            elif not options.quick and list(wanted) == list(rows):
                write("gpu", figures, {"failed": failed})
            elif not options.quick:
                add("gpu", record_of(found, {"failed": failed}))
    sys.exit(bool(failed))


def rows_of(
    folder: Path, device: str, figures: dict[str, Figure], *, quick: bool
) -> dict[str, Callable[[], dict[str, Figure]]]:
    """Return all rows in their order; data and checkpoints are made when a row first needs them.

    Args:
        folder: for data and checkpoints.
        device: `cuda`, or `cpu` to see that it runs.
        figures: of the rows that ran before.
        quick: use tiny models.
    """
    sizes = training.QUICK if quick else training.FULL
    small = checks.TOY if quick else checks.SMALL
    gpt2 = {"n_layer": 1, "n_head": 2, "n_embd": 32} if quick else {}
    xlmr = {"num_hidden_layers": 1, "hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64, "vocab_size":
            1024} if quick else {}  # fmt: skip
    minilm = {"num_hidden_layers": 1, "hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64}

    def once(name: str, make: Callable[[Path], Path]) -> Callable[[], Path]:
        def path() -> Path:
            return folder / name if (folder / name).exists() else make(folder / name)

        return path

    few = once("few.parquet", lambda path: write_corpus(path, 120 if quick else 3000))
    large = once("large.parquet", lambda path: write_corpus(path, 200 if quick else 20_000))
    short = once("short", lambda path: write_tokenizer(path, few(), 512))
    full = once("full", lambda path: write_tokenizer(path, large(), 512 if quick else GPT2_VOCABULARY))
    tiny_gpt2 = once("tiny-gpt2", lambda path: write_gpt2(path, short(), n_layer=2, n_head=2, n_embd=64))
    gpt2_124m = once("gpt2-124m", lambda path: write_gpt2(path, full(), **gpt2))
    encoder = once("minilm", lambda path: write_encoder(path, full(), **(minilm if quick else {})))
    classifier = once("xlm-r", lambda path: write_classifier(path, full(), large(), **xlmr))
    formats = ("float32", "bfloat16", "float16")
    return {
        "checks training": lambda: checks.training(small, short(), folder / "training", device, formats),
        "checks generation": lambda: checks.generation(tiny_gpt2(), folder, device),
        "checks classification": lambda: checks.classification(few(), short(), folder / "c", device, **minilm),
        "checks kinds": lambda: checks.kinds(few(), short(), folder / "k", device, 1 if quick else None),
        "checks resuming": lambda: checks.resuming(small, short(), folder / "resuming", device),
        "checks waiting": lambda: steps.waiting(small, short(), folder / "waiting", device),
        "checks processes": lambda: checks.processes(small, short(), folder / "processes", device),
        "speeds step": lambda: steps.profiled(full(), folder / "p", device, sizes),
        "speeds memory": lambda: steps.memory(full(), folder / "m", device, sizes),
        "speeds training": lambda: training.speeds(full(), folder / "t", device, sizes),
        "speeds trainer": lambda: training.against_trainer(
            figures["tokens_per_second"], full(), large(), folder / "t", device, sizes
        ),
        "speeds generation": lambda: speeds.generation(gpt2_124m(), device, sizes),
        "speeds classification": lambda: speeds.classification(classifier(), large(), folder / "s", device, sizes),
        "speeds finetuning": lambda: speeds.finetuning(encoder(), large(), folder / "f", device, sizes),
    }


if __name__ == "__main__":
    main()
