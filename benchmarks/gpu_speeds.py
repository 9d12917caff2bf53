"""Measure the speed of generation, classification and fine-tuning on a GPU, each compared with a peer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any
from unittest import mock

import numpy as np
import pyarrow.parquet as pq
import torch
import transformers
from generation_speeds import speeds
from gpu_checks import LEARNING, SCORING, TONE
from gpu_data import LABELS
from gpu_training import Sizes
from random_heads import counted
from rates import seconds_of
from record import Figure, middle
from transformers import AutoModelForSequenceClassification, AutoTokenizer, GPT2LMHeadModel

from samizdat.checkpoints.encoding import load_tokenizer
from samizdat.classifiers import finetune_classifier as learning
from samizdat.classifiers import scoring_model, text_scores
from samizdat.classifiers.score_texts import score_texts
from samizdat.records.classifiers import SCORES
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_table, write_table


def generation(checkpoint: Path, device: str, sizes: Sizes) -> dict[str, Figure]:
    """Measure new tokens per second, from text to text, compared with transformers."""
    model = GPT2LMHeadModel.from_pretrained(checkpoint, dtype=torch.float32).eval().to(device)
    found = speeds(
        model, load_tokenizer(checkpoint), samples=sizes.samples, piped=sizes.piped, tokens=sizes.new_tokens,
        batch=sizes.batch, slots=sizes.slots, repeats=sizes.repeats, reaches=(30, 3),
    )  # fmt: skip
    return {f"generation {key}": figure for key, figure in found.items()}


def classification(classifier: Path, corpus: Path, folder: Path, device: str, sizes: Sizes) -> dict[str, Figure]:
    """Measure texts per second without loading, and compare speed and labels with the pipeline in batches of 32."""
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
    settings = replace(SCORING, max_length_tokens=128, window_overlap_tokens=32, batch_tokens="auto")
    table = folder / "scored.parquet"
    frame = pq.read_table(corpus).to_pandas()[: sizes.scored]
    write_table(frame, TEXTS, table)
    loading: list[float] = []
    again: list[int] = []
    own = []
    with (
        _timed(loading, scoring_model, "ScoringModel", device),
        _timed(loading, text_scores, "load_tokenizer", device),
        counted(text_scores, "close_calls", again),
    ):
        for number in range(sizes.repeats + 1):
            loading.clear()
            again.clear()
            here = folder / f"scores-{number}"
            here.mkdir()
            seconds = seconds_of(
                lambda here=here: score_texts(
                    settings, classifier, (table,), here / "s.parquet", here / "store", device, threads=2, seed=1
                ),
                device,
            )  # fmt: skip
            own.append(len(texts) / (seconds - sum(loading)))
    own = own[1:]  # the first run compiles or records each shape
    said = read_table(folder / "scores-0" / "s.parquet", SCORES)["label"]
    return {
        "scored_per_second": middle("texts a second that XLM-R-base scores, ours, without loading", own),
        "piped_per_second": middle("texts a second, the pipeline in batches of 32", theirs),
        "classification_ratio": middle("texts a second against the pipeline in batches of 32",
                                       [each / median(theirs) for each in own], 5),
        "read_again_percent": Figure("texts that it reads again in float32, percent", 100 * sum(again) / len(texts)),
        "different_labels_percent": Figure(
            "its labels other than the pipeline's in float32, percent",
            100 * float(np.mean([one != other for one, other in zip(said, labels, strict=True)])), 0.2,
            less_is_better=True,
        ),
    }  # fmt: skip


@contextmanager
def _timed(seconds: list[float], module: ModuleType, name: str, device: str) -> Iterator[None]:
    """Append to `seconds` the duration of each call of a module's function."""
    original = getattr(module, name)

    def instead(*arguments: Any) -> Any:
        found = []
        seconds.append(seconds_of(lambda: found.append(original(*arguments)), device))
        return found[0]

    with mock.patch.object(module, name, instead):
        yield


def finetuning(encoder: Path, corpus: Path, folder: Path, device: str, sizes: Sizes) -> dict[str, Figure]:
    """Measure texts per second of fine-tuning, compared with Trainer with dynamic padding, both without loading."""
    settings = replace(
        LEARNING, checkpoint=str(encoder), max_training_texts=sizes.learned, selection_share=0.0, epochs=2.0,
        batch_rows=32, precision="auto", evaluations=1,
    )  # fmt: skip
    seconds: list[float] = []
    with _timed(seconds, learning, "fit", device):
        for number in range(sizes.repeats):
            learning.finetune_classifier(
                settings, TONE, 128, corpus, folder / f"l{number}", folder / f"w{number}", device, threads=2, seed=1
            )
    own = [settings.epochs * sizes.learned / each for each in seconds]
    theirs = by_trainer(encoder, corpus, folder / "trainer", device, sizes)
    return {
        "finetuned_per_second": middle("texts a second that MiniLM learns from, ours", own),
        "trainer_finetuned_per_second": Figure("texts a second, Trainer with dynamic padding", theirs),
        "finetuning_ratio": middle("texts a second against Trainer with dynamic padding",
                                   [each / theirs for each in own], 3),
    }  # fmt: skip


def by_trainer(encoder: Path, corpus: Path, folder: Path, device: str, sizes: Sizes) -> float:
    """Measure texts per second of `Trainer` with its usual settings, without tokenizing and loading."""
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
    torch.use_deterministic_algorithms(False)  # the default of PyTorch
    trainer = transformers.Trainer(
        model=model, args=arguments, train_dataset=examples,
        data_collator=transformers.DataCollatorWithPadding(tokenizer),
    )  # fmt: skip
    return 2 * len(examples) / seconds_of(trainer.train, device)
