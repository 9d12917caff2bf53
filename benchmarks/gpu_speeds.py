"""How fast is it on a GPU? Each stage beside what one would use instead, in turns where both are ours to start."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
import transformers
import yaml
from gpu_checks import LEARNING, SCORING, TONE
from gpu_data import LABELS
from rates import matrix_rate, operations_per_token
from record import ROOT, Figure, middle
from samizdat import finetuning as stage
from samizdat.classification import _Model, score
from samizdat.records import SCORES, TEXTS, TokenizerSummary, read_document, read_table, write_table
from samizdat.sampling import Recipe, Request, write_texts
from samizdat.training import train
from samizdat.training_settings import TrainingSettings
from samizdat.vocabulary import encode, load
from stage import environment, settings_of
from transformers import AutoModelForSequenceClassification, AutoTokenizer, GPT2LMHeadModel

PEERS = Path(__file__).parent / "peers"
NEVER = -1  # a boundary that no model writes: all texts get their full length
DRAWING = {"top_p": 0.95, "repetition_penalty": 1.1}


@dataclass(frozen=True)
class Sizes:
    """How much of everything is measured."""

    model: dict[str, Any]  # changes of the training settings that ship
    steps: int  # of our training
    peer: dict[str, int]  # the Trainer notebook's shape, context and batch
    peer_steps: int
    matrices: tuple[int, ...]
    samples: int
    piped: int  # of them, prompt by prompt
    new_tokens: int
    batch: int  # of `model.generate`
    slots: int
    scored: int  # texts to classify
    learned: int  # texts to fine-tune on
    repeats: int


FULL = Sizes(
    model={}, steps=40, peer={"layers": 12, "heads": 12, "width": 768, "context": 512, "batch": 16}, peer_steps=24,
    matrices=(8192, 16384), samples=512, piped=6, new_tokens=100, batch=64, slots=256, scored=5000, learned=3200,
    repeats=3,
)  # fmt: skip
QUICK = Sizes(
    model={"layers": 1, "heads": 2, "width": 32, "context_tokens": 32, "batch_tokens": 1024, "compile": False},
    steps=8, peer={"layers": 1, "heads": 2, "width": 32, "context": 32, "batch": 4}, peer_steps=8, matrices=(256,),
    samples=12, piped=2, new_tokens=8, batch=4, slots=4, scored=60, learned=96, repeats=2,
)  # fmt: skip


def settings_for(overlay: str, tokenizer: Path, sizes: Sizes, **changes: Any) -> TrainingSettings:
    """The training settings that ship in an overlay, for so many steps."""
    values = settings_of(overlay) | {"checkpoint": None, "revision": None} | sizes.model | changes
    values |= {"evaluations": 2, "keep_percents": (100,), "patience": None}
    tokens = read_document(TokenizerSummary, tokenizer / "summary.json").tokens["train"]
    values["epochs"] = sizes.steps * values["batch_tokens"] / tokens
    return TrainingSettings(**values)


def our_training(settings: TrainingSettings, tokenizer: Path, folder: Path, device: str) -> dict[str, Any]:
    """Train once; warm tokens a second, the summary, and the most memory that tensors took."""
    shutil.rmtree(folder, ignore_errors=True)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    train(settings, "m", tokenizer, folder / "out", folder / "work", device, threads=2, seed=1)
    speed = json.loads((folder / "work" / "speed.json").read_text(encoding="utf-8"))
    summary = json.loads((folder / "out" / "summary.json").read_text(encoding="utf-8"))
    peak = torch.cuda.max_memory_allocated() / 1e9 if device == "cuda" else 0.0
    shutil.rmtree(folder)
    return {"tokens_per_second": speed["warm_tokens_per_second"], "peak_gigabytes": peak, **summary}


def training(tokenizer: Path, folder: Path, device: str, sizes: Sizes) -> dict[str, Figure]:
    """GPT-2 124M with the settings of gpt2-small.yaml: against the card's rate and the Trainer notebook."""
    rate = matrix_rate(device, 2, sizes.matrices)
    settings = settings_for("gpt2-small.yaml", tokenizer, sizes, precision="bfloat16")
    ours = [our_training(settings, tokenizer, folder / "ours", device) for _ in range(sizes.repeats)]
    half = our_training(replace(settings, precision="float16"), tokenizer, folder / "ours", device)
    vocabulary = read_document(TokenizerSummary, tokenizer / "summary.json").vocabulary_size
    operations = operations_per_token(
        layers=settings.layers, width=settings.width, context=settings.context_tokens, vocabulary=vocabulary
    )
    speeds = [each["tokens_per_second"] for each in ours]
    figures = {
        "matrix_rate": middle("the card's rate in large bfloat16 products, in trillion operations a second",
                              [each / 1e12 for each in rate]),
        "tokens_per_second": middle("tokens a second of GPT-2 124M from scratch, warm", speeds),
        "rate_share": middle("share of the card's matrix rate in a training step",
                             [speed * operations / max(rate) for speed in speeds], 0.5),
        "peak_gigabytes": Figure("memory of that training, GB at most", ours[0]["peak_gigabytes"]),
        "sequences": Figure("sequences that it computes at once", ours[0]["micro_batch_sequences"]),
        "float16_speed": Figure("float16 with the scaler, times bfloat16's speed",
                                half["tokens_per_second"] / median(speeds), 0.9),
        "float16_percent": Figure("its validation loss against bfloat16's, difference in percent",
                                  100 * abs(half["validation_loss"] / ours[0]["validation_loss"] - 1), 1.0,
                                  less_is_better=True),
    }  # fmt: skip
    continued = our_training(settings_for("gpu.yaml", tokenizer, sizes), tokenizer, folder / "ours", device)
    figures["continued_tokens_per_second"] = Figure("tokens a second with the settings of gpu.yaml",
                                                    continued["tokens_per_second"])  # fmt: skip
    return figures


def against_trainer(
    ours: Figure, tokenizer: Path, corpus: Path, folder: Path, device: str, sizes: Sizes
) -> dict[str, Figure]:
    """The Trainer notebook at GPT-2 124M: float32, contexts of 512 tokens, batches of 16."""
    folder.mkdir(exist_ok=True)
    options = {"texts": corpus, "tokenizer": tokenizer, **sizes.peer, "steps": sizes.peer_steps, "evaluations": 0,
               "device": device, "threads": 2}  # fmt: skip
    theirs = peer("trainer_notebook.py", options, folder)
    ends = theirs["step_ends"][sizes.peer_steps // 3 :]
    trainer = theirs["tokens_per_step"] / median(float(step) for step in np.diff(ends))
    return {
        "trainer_tokens_per_second": Figure("tokens a second of the Trainer notebook", trainer),
        "against_trainer": middle(
            "characters a second, times those of the Trainer notebook",
            [speed / trainer for speed in (*(ours.spread or ()), ours.value)], 5,
        ),
    }  # fmt: skip


def peer(script: str, options: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run a peer as a program of its own and read what it measured."""
    out = folder / f"{script}.json"
    words = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    subprocess.run([sys.executable, PEERS / script, *words, "--out", out], check=True, env=environment(folder / "peer"))
    return json.loads(out.read_text(encoding="utf-8"))


def seconds_of(work: Callable[[], Any], device: str) -> float:
    """How long something takes, the card's share included."""
    if device == "cuda":
        torch.cuda.synchronize()
    started = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def generation(checkpoint: Path, device: str, sizes: Sizes) -> dict[str, Figure]:
    """New tokens a second, texts in and texts out, against transformers."""
    model = GPT2LMHeadModel.from_pretrained(checkpoint, dtype=torch.float32).eval().to(device)
    tokenizer = load(checkpoint)
    tokenizer.pad_token, tokenizer.padding_side = tokenizer.eos_token, "left"
    random = np.random.default_rng(1)
    prompts = [
        tokenizer.decode(random.integers(300, len(tokenizer), 1 + number % 8)) for number in range(sizes.samples)
    ]
    options = {
        "do_sample": True, "temperature": 1.0, "top_k": 0, **DRAWING, "max_new_tokens": sizes.new_tokens,
        "min_new_tokens": sizes.new_tokens, "pad_token_id": tokenizer.eos_token_id,
    }  # fmt: skip
    pipe = transformers.pipeline("text-generation", model=model, tokenizer=tokenizer, device=model.device)

    def piped() -> None:
        for prompt in prompts[: sizes.piped]:
            pipe(tokenizer.eos_token + prompt, **options)

    def batched() -> None:
        batch = [tokenizer.eos_token + prompt for prompt in prompts[: sizes.batch]]
        inputs = tokenizer(batch, return_tensors="pt", padding=True).to(device)
        tokenizer.batch_decode(model.generate(**inputs, **options), skip_special_tokens=True)

    def ours() -> None:
        recipe = Recipe(top_k=0, **DRAWING, no_repeat_ngram=0, max_new_tokens=sizes.new_tokens, slots=sizes.slots)
        encoded = [(tokenizer.eos_token_id, *tokens) for tokens in encode(tokenizer, prompts)]
        requests = [Request(tokens, 1.0, number) for number, tokens in enumerate(encoded)]
        for text in write_texts(model, requests, recipe, boundary=NEVER):
            tokenizer.decode(text.tokens)

    pipe(prompts[0], **options | {"max_new_tokens": 4, "min_new_tokens": 4})
    # The repeated work is warmed up once on both sides; a first call of ours records its graphs.
    seconds_of(ours, device)
    slow = sizes.piped * sizes.new_tokens / seconds_of(piped, device)
    theirs, own = [], []
    for _ in range(sizes.repeats):
        theirs.append(sizes.batch * sizes.new_tokens / seconds_of(batched, device))
        own.append(sizes.samples * sizes.new_tokens / seconds_of(ours, device))
    return {
        "generated_tokens_per_second": middle("new tokens a second, ours", own),
        "against_pipeline": middle('new tokens a second against `pipeline("text-generation")`',
                                   [each / slow for each in own], 30),
        "against_batched": middle(f"new tokens a second against `generate` in batches of {sizes.batch}",
                                  [one / other for one, other in zip(own, theirs, strict=True)], 3),
    }  # fmt: skip


def classification(classifier: Path, corpus: Path, folder: Path, device: str, sizes: Sizes) -> dict[str, Figure]:
    """Texts a second without loading against the pipeline in batches of 32, and the labels beside its own."""
    texts = pq.read_table(corpus)["text"].to_pylist()[: sizes.scored]
    pipe = transformers.pipeline(
        "text-classification", model=AutoModelForSequenceClassification.from_pretrained(classifier).to(device),
        tokenizer=AutoTokenizer.from_pretrained(classifier), device=device,
    )  # fmt: skip
    longest = {"truncation": True, "max_length": 128}
    pipe(texts[:64], batch_size=32, **longest)
    theirs, labels = [], []

    def piped() -> None:
        labels[:] = [answer["label"] for answer in pipe(texts, batch_size=32, **longest)]

    theirs = [len(texts) / seconds_of(piped, device) for _ in range(min(2, sizes.repeats))]
    settings = replace(SCORING, max_length_tokens=128, window_overlap_tokens=32,
                       batch_tokens=settings_of_scoring()["batch_tokens"])  # fmt: skip
    table = folder / "scored.parquet"
    frame = pq.read_table(corpus).to_pandas()[: sizes.scored]
    write_table(frame, TEXTS, table)
    loading, load_model = [], _Model.__init__

    def timed(self: Any, *arguments: Any) -> None:
        loading.append(seconds_of(lambda: load_model(self, *arguments), device))

    own = []
    _Model.__init__ = timed
    try:
        for number in range(sizes.repeats + 1):
            loading.clear()
            here = folder / f"scores-{number}"
            here.mkdir()
            seconds = seconds_of(
                lambda here=here: score(settings, classifier, (table,), here / "s.parquet", here / "s.sqlite", device,
                                        threads=2, seed=1), device,
            )  # fmt: skip
            own.append(len(texts) / (seconds - sum(loading)))
    finally:
        _Model.__init__ = load_model
    own = own[1:]  # the first meets each shape for the first time
    said = read_table(folder / "scores-0" / "s.parquet", SCORES)["label"]
    return {
        "scored_per_second": middle("texts a second that XLM-R-base scores, ours, without loading", own),
        "piped_per_second": middle("texts a second, the pipeline in batches of 32", theirs),
        "classification_ratio": middle("texts a second against the pipeline in batches of 32",
                                       [each / median(theirs) for each in own], 5),
        "different_labels_percent": Figure(
            "its labels other than the pipeline's in float32, percent",
            100 * float(np.mean([one != other for one, other in zip(said, labels, strict=True)])), 0.2,
            less_is_better=True,
        ),
    }  # fmt: skip


def settings_of_scoring() -> dict[str, Any]:
    """The keys of `classification` with config/gpu.yaml over config/config.yaml."""
    both = [
        yaml.safe_load((ROOT / "config" / name).read_text(encoding="utf-8")) for name in ("config.yaml", "gpu.yaml")
    ]
    return both[0]["classification"] | both[1].get("classification", {})


def finetuning(encoder: Path, corpus: Path, folder: Path, device: str, sizes: Sizes) -> dict[str, Figure]:
    """Texts a second of an encoder that learns, against Trainer with dynamic padding, both without loading."""
    settings = replace(
        LEARNING, checkpoint=str(encoder), max_training_texts=sizes.learned, selection_share=0.0, epochs=2.0,
        batch_rows=32, precision="auto", evaluations=1,
    )  # fmt: skip
    own: list[float] = []
    fit = stage.fit

    def timed(*arguments: Any) -> None:
        own.append(settings.epochs * len(arguments[2]) / seconds_of(lambda: fit(*arguments), device))

    stage.fit = timed
    try:
        for number in range(sizes.repeats):
            stage.finetune(
                settings, TONE, 128, corpus, folder / f"l{number}", folder / f"w{number}", device, threads=2, seed=1
            )
    finally:
        stage.fit = fit
    theirs = by_trainer(encoder, corpus, folder / "trainer", device, sizes)
    return {
        "finetuned_per_second": middle("texts a second that MiniLM learns from, ours", own),
        "trainer_finetuned_per_second": Figure("texts a second, Trainer with dynamic padding", theirs),
        "finetuning_ratio": middle("texts a second against Trainer with dynamic padding",
                                   [each / theirs for each in own], 3),
    }  # fmt: skip


def by_trainer(encoder: Path, corpus: Path, folder: Path, device: str, sizes: Sizes) -> float:
    """Texts a second of `Trainer` as its users start it, tokenising and loading left out."""
    frame = pq.read_table(corpus).to_pandas()
    frame = frame[frame["split"] == "train"][: sizes.learned]
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    encoded = tokenizer(frame["text"].tolist(), truncation=True, max_length=128)["input_ids"]
    examples = [{"input_ids": tokens, "labels": LABELS.index(label)}
                for tokens, label in zip(encoded, frame["label_tone"], strict=True)]  # fmt: skip
    model = AutoModelForSequenceClassification.from_pretrained(encoder, num_labels=len(LABELS))
    arguments = transformers.TrainingArguments(
        output_dir=str(folder), per_device_train_batch_size=32, num_train_epochs=2, learning_rate=5e-4,
        save_strategy="no", report_to="none", use_cpu=device == "cpu", logging_steps=50, disable_tqdm=True,
    )  # fmt: skip
    torch.use_deterministic_algorithms(False)  # as its users leave it
    trainer = transformers.Trainer(
        model=model, args=arguments, train_dataset=examples,
        data_collator=transformers.DataCollatorWithPadding(tokenizer),
    )  # fmt: skip
    return 2 * len(examples) / seconds_of(trainer.train, device)
