"""Compare training with the Trainer notebook and with nanoGPT's settings, on one machine in one run.

    make bench-training                          the demo's corpus and vocabularies first, then all rows: under an hour
    python benchmarks/training.py --quick        the same code with tiny models, in a minute or two; records nothing

Needs `results/demo/corpus` and `results/demo/tokenizers`, and `accelerate` for the Trainer. On a GPU:
benchmarks/gpu.py.
"""

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
import torch
import yaml
from rates import matrix_rate, operations_per_token
from record import ROOT, Figure, middle, show, write
from stage import Run, environment, settings_of, train

from samizdat.records.io import read_document
from samizdat.records.models import TokenizerSummary

PEERS = Path(__file__).parent / "peers"


@dataclass(frozen=True)
class Plan:
    """How much of everything is run: FULL for the record, QUICK to see that the code works."""

    changes: dict[str, Any]  # of the demo's settings
    short_epochs: tuple[float, ...]  # our runs that are scheduled to be short, the shortest first
    repeats: int
    trainer_steps: int  # of a speed run
    trainer_warm_up_steps: int  # of these, at least one: they don't count, since it comes up to speed slowly
    notebook_seconds: float  # at which the notebook recipe is scheduled to end
    nanogpt_seconds: float
    notebook: dict[str, int]  # its context in tokens and its batch in sequences
    notebook_evaluations: int
    nanogpt_rows: int  # of its batch
    threads: int | None = None  # None: the demo's
    sizes: tuple[int, ...] = (2048, 3072, 4096)  # of the products that the CPU's rate is measured by


FULL = Plan(
    changes={}, short_epochs=(1.0, 1.5), repeats=3, trainer_steps=12, trainer_warm_up_steps=6, notebook_seconds=1800.0,
    nanogpt_seconds=300.0, notebook={"context": 512, "batch": 16}, notebook_evaluations=8, nanogpt_rows=64,
)  # fmt: skip
QUICK = Plan(
    changes={"layers": 1, "width": 64, "heads": 2, "context_tokens": 32, "batch_tokens": 1024,
             "micro_batch_sequences": 32, "epochs": 0.04, "evaluations": 4},
    short_epochs=(0.04, 0.05), repeats=2, trainer_steps=4, trainer_warm_up_steps=2, notebook_seconds=8.0,
    nanogpt_seconds=8.0, notebook={"context": 32, "batch": 8}, notebook_evaluations=2, nanogpt_rows=32,
    threads=1, sizes=(512,),
)  # fmt: skip


@dataclass(frozen=True)
class Data:
    """The corpus, tokenized with both vocabularies."""

    texts: Path
    own: Path
    gpt2: Path
    characters: int  # of the train split

    @classmethod
    def below(cls, run: Path) -> "Data":
        """Return the data of a finished run, the demo's."""
        texts = pd.read_parquet(run / "corpus" / "texts.parquet")
        characters = int(texts.loc[texts["split"] == "train", "text"].str.len().sum())
        tokenizers = run / "tokenizers"
        return cls(run / "corpus" / "texts.parquet", tokenizers / "own", tokenizers / "gpt2", characters)

    def characters_per_token(self, tokenizer: Path) -> float:
        """Return characters per token of the train split, boundary tokens included."""
        return self.characters / read_document(TokenizerSummary, tokenizer / "summary.json").tokens["train"]


def main() -> None:
    """Run all rows and record them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=ROOT / "results" / "demo", help="where corpus and vocabularies are")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    data = Data.below(options.run)
    with tempfile.TemporaryDirectory(prefix="samizdat-training-") as folder:
        figures, notes = on_cpu(data, QUICK if options.quick else FULL, Path(folder))
    show(figures)
    if not options.quick:
        write("training", figures, notes)


def on_cpu(data: Data, plan: Plan, folder: Path) -> tuple[dict[str, Figure], dict[str, Any]]:
    """Measure every row on the CPU."""
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    threads, seed = plan.threads or config["threads"], config["seed"]
    demo = settings_of(**plan.changes)
    shape = {key: demo[key] for key in ("layers", "heads", "width")}

    def ours(name: str, **changes: Any) -> Run:
        said(f"our stage, {name}")
        return train(demo | changes, data.own, folder / name, device="cpu", threads=threads, seed=seed)

    said("matrix products")
    rate = matrix_rate("cpu", threads, plan.sizes)
    integer_rate = matrix_rate("cpu", threads, plan.sizes, torch.int8)
    speeds, short = [], []  # of `short` each item has a run for each of `short_epochs`
    for number in range(plan.repeats):  # in turns, since the speed of a machine changes with time
        speeds.append(trainer(data, plan.trainer_steps, 0, folder, shape | plan.notebook, "cpu", threads))
        short.append(
            [
                ours(f"short-{number}-{epochs}", epochs=epochs, evaluations=12, keep_percents=[100])
                for epochs in plan.short_epochs
            ]
        )
    full = ours("demo")
    nanogpt = peer(
        "nanogpt_settings.py",
        {"tokenizer": data.own, **shape, "context": demo["context_tokens"], "seconds": plan.nanogpt_seconds,
         "rows": plan.nanogpt_rows, "evaluations": 10, "threads": threads,
         "precision": "float32" if full.summary["compute_dtype"] == "float32" else "bfloat16"},
        folder,
    )  # fmt: skip
    skipped = plan.trainer_warm_up_steps
    step_seconds = median(seconds for each in speeds for seconds in step_durations(each, skipped))
    steps = max(2, round(plan.notebook_seconds / step_seconds))
    notebook = trainer(data, steps, plan.notebook_evaluations, folder, shape | plan.notebook, "cpu", threads)

    our_characters, their_characters = data.characters_per_token(data.own), data.characters_per_token(data.gpt2)
    our_speeds = [run.warm_tokens_per_second * our_characters for run in [*itertools.chain(*short), full]]
    their_speeds = [speed_of(each, skipped) * their_characters for each in speeds]
    whole = full.summary["steps_done"] * demo["batch_tokens"] * our_characters / full.seconds
    their_whole = steps * notebook["tokens_per_step"] * their_characters / notebook["seconds"]
    operations = operations_per_token(
        layers=demo["layers"], width=demo["width"], context=demo["context_tokens"],
        vocabulary=read_document(TokenizerSummary, data.own / "summary.json").vocabulary_size,
    )  # fmt: skip
    notebook_best = min(bits for _, _, bits in notebook["curve"])
    nanogpt_best_at, _, nanogpt_best = min(nanogpt["curve"], key=lambda point: point[2])
    to_notebook = [passing([*runs, full], notebook_best) for runs in short]
    to_nanogpt = [passing([*runs, full], nanogpt_best) for runs in short]
    minutes = f"{plan.notebook_seconds / 60:.3g} minutes"
    figures = {
        "characters_per_second_ratio": middle(
            "characters a second, times those of the Trainer notebook, warm-up excluded",
            [speed / median(their_speeds) for speed in our_speeds], 18,
        ),
        "characters_per_second_ratio_with_start": Figure(
            "the same for whole programs (start, compilation, evaluations included)", whole / their_whole, 15
        ),
        "characters_per_second": middle("our characters a second, warm-up excluded", our_speeds),
        "trainer_characters_per_second": middle("the Trainer notebook's", their_speeds),
        "notebook_bits_per_byte": Figure(
            f"best validation bits per byte of the Trainer notebook scheduled to end at {minutes}", notebook_best
        ),
        "time_to_notebook_ratio": middle(
            f"our time to that value, start and evaluations included, as a share of {minutes}",
            [seconds / plan.notebook_seconds for seconds, _ in to_notebook], 1 / 40, less_is_better=True,
        ),
        "time_to_notebook_ratio_warm": middle(
            "the same, start and compilation excluded",
            [(seconds - warm_up) / plan.notebook_seconds for seconds, warm_up in to_notebook], less_is_better=True,
        ),
        "nanogpt_bits_per_byte": Figure("validation bits per byte of the peer with nanoGPT's settings", nanogpt_best),
        "nanogpt_seconds": Figure("its seconds to that value, start and evaluations included", nanogpt_best_at),
        "time_to_nanogpt_ratio": middle(
            "our time to that value as a share of its time",
            [seconds / nanogpt_best_at for seconds, _ in to_nanogpt], 1 / 5, less_is_better=True,
        ),
        "time_to_nanogpt_ratio_warm": middle(
            "the same, start and compilation excluded on both sides",
            [
                (seconds - warm_up) / (nanogpt_best_at - nanogpt["warm_up_seconds"])
                for seconds, warm_up in to_nanogpt
            ],
            1 / 5, less_is_better=True,
        ),
        "demo_bits_per_byte": Figure(
            "validation bits per byte of the demo's model", full.summary["validation_bits_per_byte"], 1.89,
            less_is_better=True,
        ),
        "demo_minutes": Figure("minutes that its training takes", full.seconds / 60, 5, less_is_better=True),
        "matrix_rate": middle("the CPU's rate in large bfloat16 products, in billion operations a second",
                              [each / 1e9 for each in rate]),
        "matrix_rate_share": middle(
            "share of it that a training step reaches",
            [run.warm_tokens_per_second * operations / max(rate) for run in [*itertools.chain(*short), full]], 0.6,
        ),
        "integer_rate": middle("its rate in large products of eight-bit integers, in billion operations a second",
                               [each / 1e9 for each in integer_rate]),
        "integer_rate_share": middle(
            "share of that one that the step reaches",
            [run.warm_tokens_per_second * operations / max(integer_rate) for run in [*itertools.chain(*short), full]],
            0.6,
        ),
    }  # fmt: skip
    notes = {
        "demo": full.curve,
        "short": [[run.curve for run in runs] for runs in short],
        "notebook": notebook["curve"],
        "notebook_steps": steps,
        "notebook_scoring_seconds": notebook["scoring_seconds"],
        "nanogpt": nanogpt["curve"],
        "operations_per_token": operations,
    }
    return figures, notes


def passing(runs: list[Run], bits_per_byte: float) -> tuple[float, float]:
    """Return when the first of our runs that is so good, or else the last one, was, and that run's warm-up seconds."""
    good = [run for run in runs if min(bits for _, _, bits in run.curve) <= bits_per_byte]
    run = good[0] if good else runs[-1]
    return run.seconds_to(bits_per_byte), run.warm_up_seconds


def trainer(
    data: Data, steps: int, evaluations: int, folder: Path, shape: dict[str, int], device: str, threads: int
) -> dict[str, Any]:
    """Run the Trainer notebook; return its measurements."""
    options = {"texts": data.texts, "tokenizer": data.gpt2, **shape, "steps": steps, "evaluations": evaluations,
               "device": device, "threads": threads}  # fmt: skip
    return peer("trainer_notebook.py", options, folder)


def peer(script: str, options: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run a peer as a program of its own; return its measurements."""
    said(f"{script}: {', '.join(f'{key} {value}' for key, value in options.items() if key != 'texts')}")
    out = folder / f"{script}.json"
    words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    subprocess.run([sys.executable, PEERS / script, *words, "--out", out], check=True, env=environment(folder / "peer"))
    return json.loads(out.read_text(encoding="utf-8"))


def step_durations(run: dict[str, Any], skipped: int) -> list[float]:
    """Return the seconds of each of the Trainer's steps after the warm-up."""
    ends = run["step_ends"][skipped - 1 :]
    return [end - begin for begin, end in itertools.pairwise(ends)]


def speed_of(run: dict[str, Any], skipped: int) -> float:
    """Return the Trainer's tokens per second, by the median step."""
    return run["tokens_per_step"] / median(step_durations(run, skipped))


def said(what: str) -> None:
    """Print what runs now."""
    print(f"— {what}", flush=True)


if __name__ == "__main__":
    main()
