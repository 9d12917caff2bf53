"""Compare generation with transformers, and time the search for copies in a large corpus, on one machine in one run.

    make bench-generation                      the demo's model first, then all rows: some minutes
    python benchmarks/generation.py --quick    the same code with a tiny model, in a minute; records nothing

Needs `results/demo/models/gpt2-tiny`. On a GPU: benchmarks/gpu.py.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
import transformers
from generation_speeds import BEGINNINGS, DRAWING, NEVER, as_loaded, speeds
from record import ROOT, Figure, show, write
from tokenizers import ByteLevelBPETokenizer
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from samizdat.base.device import prepare
from samizdat.base.hardware import LIBRARY_SETTINGS
from samizdat.checkpoints.encoding import BOUNDARY, encode, load_tokenizer
from samizdat.measures.copies import Copies, known_words
from samizdat.samples.engine import Request, write_texts
from samizdat.samples.token_choice import Recipe

DEMO = ROOT / "results" / "demo"
PASSAGE_CHARACTERS = 80


@dataclass(frozen=True)
class Plan:
    """How much of everything is run: FULL for the record, QUICK to see that the code works."""

    samples: int
    piped: int  # of them, prompt by prompt
    tokens: int
    batch: int  # of `model.generate`
    slots: int  # of ours, as many as the demo has
    repeats: int
    greedy: int
    corpus_megabytes: int
    searched: int


# The demo's model reads 64 tokens, prompts included.
FULL = Plan(256, 256, 40, 64, 128, 3, 64, 100, 1000)
QUICK = Plan(16, 2, 20, 8, 8, 2, 4, 2, 50)


def main() -> None:
    """Run the benchmark that the options name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--search", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.search:
        search(options.search)
        return
    # As a step of the workflow is started; libraries read them when a process begins.
    if not LIBRARY_SETTINGS.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | LIBRARY_SETTINGS)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    plan = QUICK if options.quick else FULL
    prepare("cpu", threads=torch.get_num_threads(), seed=1)
    model, tokenizer = toy() if options.quick else demo()
    model.eval()
    speed = speeds(
        model, tokenizer, samples=plan.samples, piped=plan.piped, tokens=plan.tokens, batch=plan.batch,
        slots=plan.slots, repeats=plan.repeats, reaches=(45, 5),
    )  # fmt: skip
    figures = speed | {"greedy_equal_share": greedy(model, tokenizer, plan)}
    if plan.corpus_megabytes:
        figures |= copy_search(plan)
    show(figures)
    if not options.quick:
        write("generation", figures, {"plan": vars(plan), "drawing": DRAWING, "threads": torch.get_num_threads()})


def demo() -> tuple[GPT2LMHeadModel, PreTrainedTokenizerFast]:
    """Load the demo's model: 4 layers of width 256, a vocabulary of 6,144."""
    folder = DEMO / "models" / "gpt2-tiny"
    return GPT2LMHeadModel.from_pretrained(folder, dtype=torch.float32, local_files_only=True), load_tokenizer(folder)


def toy() -> tuple[GPT2LMHeadModel, PreTrainedTokenizerFast]:
    """Make a tiny model with random weights and a vocabulary made from this project's own pages."""
    learned = ByteLevelBPETokenizer()
    pages = [str(page) for page in sorted((ROOT / "docs").glob("*.md"))]
    learned.train(pages, vocab_size=512, special_tokens=[BOUNDARY], show_progress=False)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=learned._tokenizer, eos_token=BOUNDARY, bos_token=BOUNDARY, pad_token=BOUNDARY
    )
    shape = {"vocab_size": 512, "n_positions": 64, "n_embd": 64, "n_layer": 2, "n_head": 2}
    return GPT2LMHeadModel(GPT2Config(**shape, bos_token_id=0, eos_token_id=0)), tokenizer


def greedy(model: GPT2LMHeadModel, tokenizer: PreTrainedTokenizerFast, plan: Plan) -> Figure:
    """Return the share of greedy tokens that are the same as those of `generate`, in float32."""
    words = [f"{BEGINNINGS[number % len(BEGINNINGS)]} {BEGINNINGS[number // 8 % 8]}" for number in range(plan.greedy)]
    prompts = [(tokenizer.eos_token_id, *tokens) for tokens in encode(tokenizer, words)]
    recipe = Recipe(
        top_k=0, top_p=1.0, repetition_penalty=1.0, no_repeat_ngram=0, max_new_tokens=plan.tokens, slots=plan.slots
    )
    written = write_texts(as_loaded(model), [Request(prompt, 0.0, 0) for prompt in prompts], recipe, boundary=NEVER)
    equal = 0
    for prompt, text in zip(prompts, written, strict=True):
        inputs = torch.tensor([prompt], device=model.device)
        expected = model.generate(
            inputs, attention_mask=torch.ones_like(inputs), do_sample=False, max_new_tokens=plan.tokens,
            eos_token_id=None, pad_token_id=tokenizer.eos_token_id,
        )[0, len(prompt) :].tolist()  # fmt: skip
        equal += sum(own == theirs for own, theirs in zip(text.tokens, expected, strict=True))
    total = plan.greedy * plan.tokens
    return Figure(f"greedy tokens equal to `generate(do_sample=False)`, of {total:,}", equal / total, 1.0)


def copy_search(plan: Plan) -> dict[str, Figure]:
    """Measure seconds and memory of the search for the samples' longest copies, in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        planted = write_corpus(folder, plan)
        command = [sys.executable, __file__, "--search", str(folder)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    if any(length < PASSAGE_CHARACTERS for length in found["longest"][:planted]):
        raise AssertionError("a planted passage was not found")
    what = f"{plan.searched:,} samples in {plan.corpus_megabytes} MB"
    return {
        "search_seconds": Figure(f"search of {what}, seconds", found["seconds"], 120, less_is_better=True),
        "search_gigabytes": Figure(f"search of {what}, GB at most", found["gigabytes"], 2, less_is_better=True),
    }


def write_corpus(folder: Path, plan: Plan) -> int:
    """Write texts with word frequencies like a language's, and samples, half of them with a copied passage."""
    random = np.random.default_rng(1)
    letters = np.array(list("etaoinshrdlucmfwypvbgkjqxz"))
    words = ["".join(random.choice(letters, random.integers(2, 10))) for _ in range(50_000)]
    texts, size = [], 0
    while size < plan.corpus_megabytes * 1_000_000:
        chosen = random.zipf(1.1, 20_000) % len(words)
        texts += [" ".join(words[word] for word in chosen[start : start + 20]) for start in range(0, len(chosen), 20)]
        size = sum(map(len, texts[-1000:])) * len(texts) // 1000
    planted = plan.searched // 2
    sources = [text for text in texts[:: max(1, len(texts) // (3 * planted))] if len(text) >= PASSAGE_CHARACTERS]
    samples = [f"QQ {text[:PASSAGE_CHARACTERS]} QQ {' '.join(random.choice(words, 40))}" for text in sources[:planted]]
    samples += [" ".join(random.choice(words, 55)) for _ in range(plan.searched - len(samples))]
    pq.write_table(pa.table({"text": texts}), folder / "texts.parquet")
    pq.write_table(pa.table({"text": samples}), folder / "samples.parquet")
    return planted


def search(folder: Path) -> None:
    """Search as the step does, and print its seconds and its memory."""
    started = time.perf_counter()
    texts = pq.read_table(folder / "texts.parquet")["text"].to_pylist()
    samples = pq.read_table(folder / "samples.parquet")["text"].to_pylist()
    known_words([sample.split() for sample in samples], texts)
    index = Copies(texts)
    longest = [match.letters if (match := index.longest(sample)) else 0 for sample in samples]
    # ru_maxrss is in KiB on Linux and in bytes on macOS.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print(json.dumps({"seconds": time.perf_counter() - started, "gigabytes": peak / 1e9, "longest": longest}))


if __name__ == "__main__":
    main()
