"""Check each stage on a GPU: compare it with the same stage on the CPU, and with itself in a second run."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from gpu_data import LABELS, classifiers_tokenizer, write_encoder
from random_kinds import random_kinds
from record import Figure
from safetensors.torch import load_file
from stage import command, environment
from transformers import GPT2LMHeadModel

from samizdat.base.files import is_checksum
from samizdat.classifiers.finetune_classifier import finetune_classifier
from samizdat.classifiers.loop import FinetuningSettings
from samizdat.classifiers.score_texts import score_texts
from samizdat.classifiers.text_scores import ClassificationSettings
from samizdat.models.settings import TrainingSettings
from samizdat.models.train_model import train_model
from samizdat.records.classifiers import SCORES, ClassifierDescription
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_table, write_table
from samizdat.samples.cached_gpt2 import Decoder
from samizdat.samples.engine import Request, write_texts
from samizdat.samples.token_choice import Recipe

SMALL = TrainingSettings(
    recipe=None, checkpoint=None, revision=None, layers=2, heads=4, width=128, context_tokens=64, dropout=0.1,
    epochs=1.0, batch_tokens=2048, micro_batch_sequences=16, optimizer="muon", matrix_learning_rate=0.01,
    learning_rate=0.01, weight_decay=0.1, schedule="warmup-stable-decay", warmup_share=0.1, decay_share=0.4,
    gradient_clip=1.0,
    precision="float32", compile=False, processes=1, evaluations=4, patience=None, resume_every_seconds=600.0,
    keep_percents=(100,),
)  # fmt: skip
TOY = replace(
    SMALL, layers=1, heads=2, width=32, context_tokens=32, epochs=0.3, batch_tokens=256, micro_batch_sequences=4,
    evaluations=2,
)  # fmt: skip
LEARNING = FinetuningSettings(
    checkpoint="", revision=None, max_training_texts=600, selection_share=0.2, epochs=2.0, min_steps=1, batch_rows=16,
    learning_rate=0.0005, warmup_share=0.1, weight_decay=0.01, dropout=0.0, class_weights=True, evaluations=2,
    patience=None, precision="float32",
)  # fmt: skip
TONE = ClassifierDescription(
    "tone", kind="single_label", threshold=0.5, label_column="tone", label_separator=None, label_map={},
    predicts="the tone", made_for="measuring", reference="none", languages=(), min_words=None, max_words=None,
)  # fmt: skip
SCORING = ClassificationSettings(
    max_length_tokens=64, window_overlap_tokens=16, batch_tokens=4096, precision="auto", abstain_below=0.0
)
Scores = dict[str, tuple[str, np.ndarray]]  # label and probabilities by the text's id
PLAIN = Recipe(top_k=0, top_p=1.0, repetition_penalty=1.0, no_repeat_ngram=0, max_new_tokens=60, slots=16)


def training(
    settings: TrainingSettings, tokenizer: Path, folder: Path, device: str, formats: tuple[str, ...]
) -> dict[str, Figure]:
    """Compare the losses of each number format with the CPU's in float32, and the bytes of two trainings."""
    plain = replace(settings, dropout=0.0)
    expected = trained(plain, tokenizer, folder / "cpu", "cpu")["validation_loss"]
    figures = {}
    for precision in formats:
        found = trained(replace(plain, precision=precision), tokenizer, folder / precision, device)
        assert found["compute_dtype"] == precision
        figures[f"training_{precision}_percent"] = Figure(
            f"validation loss of training in {precision} against the CPU's in float32: difference in percent",
            100 * abs(found["validation_loss"] / expected - 1), 0.1 if precision == "float32" else 1.0,
            less_is_better=True,
        )  # fmt: skip
    dropped = replace(settings, precision="auto")
    twice = {
        "plain": dropped,
        "compiled": replace(dropped, compile=True),
        "older": replace(dropped, precision="float16"),
    }
    for name, each_time in twice.items():
        pair = [folder / f"{name}-{number}" for number in (1, 2)]
        with _attention_of(name):
            for each in pair:
                trained(each_time, tokenizer, each, device)
        figures[f"training_{name}_bytes"] = differing(*(each / "out" for each in pair), f"two trainings, {name}")
    return figures


@contextmanager
def _attention_of(name: str) -> Iterator[None]:
    """Turn flash attention off for `older`: GPUs before Ampere don't have it."""
    before = torch.backends.cuda.flash_sdp_enabled()
    torch.backends.cuda.enable_flash_sdp(name != "older")
    try:
        yield
    finally:
        torch.backends.cuda.enable_flash_sdp(before)


def trained(settings: TrainingSettings, tokenizer: Path, folder: Path, device: str) -> dict[str, Any]:
    """Run the training stage; return its summary."""
    train_model(settings, "m", (), tokenizer, folder / "out", folder / "work", device, threads=2, seed=1)
    return json.loads((folder / "out" / "summary.json").read_text(encoding="utf-8"))


def resuming(settings: TrainingSettings, tokenizer: Path, folder: Path, device: str) -> dict[str, Figure]:
    """Compare a training that was killed after a state, and one that was terminated, with an undisturbed one."""
    settings = replace(settings, precision="float16" if device == "cuda" else "auto", epochs=4.0)
    trained(settings, tokenizer, folder / "whole", device)
    figures = {}
    for name, sign in (("killed", signal.SIGKILL), ("ended", signal.SIGTERM)):
        stopped = folder / name
        words = command(asdict(replace(settings, resume_every_seconds=0.0)), tokenizer, stopped, device=device,
                        threads=2, seed=1)  # fmt: skip
        words = [word for word in words if not word.startswith(("--name", "--seed"))] + ["--name=m", "--seed=1"]
        with subprocess.Popen(words, env=environment(folder / "compiled")) as process:
            state = stopped / "work" / "state.safetensors"
            while not state.exists() and process.poll() is None:
                time.sleep(0.02)
            process.send_signal(sign)
        assert not (stopped / "out").exists(), f"{name}: it had ended before the signal came"
        subprocess.run(words, env=environment(folder / "compiled"), check=True)
        figures[f"{name}_bytes"] = differing(folder / "whole" / "out", stopped / "out", f"a training that was {name}")
    return figures


def processes(settings: TrainingSettings, tokenizer: Path, folder: Path, device: str) -> dict[str, Figure]:
    """Compare the loss of two processes on one GPU with that of one process."""
    settings = replace(settings, dropout=0.0)
    alone = trained(settings, tokenizer, folder / "alone", device)["validation_loss"]
    words = command(asdict(replace(settings, processes=2)), tokenizer, folder / "two", device=device, threads=2, seed=1)
    words = [word for word in words if not word.startswith("--seed")] + ["--seed=1"]
    subprocess.run(words, env=environment(folder / "compiled") | {"SAMIZDAT_SHARE_GPUS": "1"}, check=True)
    both = json.loads((folder / "two" / "out" / "summary.json").read_text(encoding="utf-8"))["validation_loss"]
    return {
        "processes_percent": Figure(
            "validation loss of two processes against one: difference in percent",
            100 * abs(both / alone - 1), 0.1, less_is_better=True,
        )
    }  # fmt: skip


def generation(checkpoint: Path, folder: Path, device: str) -> dict[str, Figure]:
    """Compare greedy tokens with the CPU's, and a text with the same text written among others."""
    there = GPT2LMHeadModel.from_pretrained(checkpoint, dtype=torch.float32).eval()
    prompts = [(0, *range(5, 5 + number)) for number in range(1, 30)]
    greedy = [Request(prompt, 0.0, 1) for prompt in prompts]
    expected = write_texts(there, greedy, PLAIN, boundary=-1)
    on_gpu = GPT2LMHeadModel.from_pretrained(checkpoint, dtype=torch.float32).eval().to(device)
    found = write_texts(on_gpu, greedy, PLAIN, boundary=-1)
    same = [own == other for one, two in zip(found, expected, strict=True)
            for own, other in zip(one.tokens, two.tokens, strict=True)]  # fmt: skip
    drawn = [Request(prompt, 1.0, number) for number, prompt in enumerate(prompts)]
    recipe = replace(PLAIN, top_p=0.95, repetition_penalty=1.1)
    together = write_texts(on_gpu, drawn, recipe, boundary=-1)
    alone = [write_texts(on_gpu, [each], recipe, boundary=-1)[0] for each in drawn[::5]]
    return {
        "greedy_share": Figure(f"greedy tokens equal to the CPU's, of {len(same):,}", float(np.mean(same)), 1.0),
        "company": Figure(
            "texts that are others when they are written alone",
            sum(one != two for one, two in zip(together[::5], alone, strict=True)), 0, less_is_better=True,
        ),
        "logits": Figure("steps of 64 in which a text's logits have other bits in other company",
                         _company(on_gpu), 0, less_is_better=True),
    }  # fmt: skip


def _company(model: GPT2LMHeadModel) -> int:
    """Count the steps in which a text's logits differ in another slot, among other texts, with more blocks read."""
    random = torch.Generator().manual_seed(1)
    text = torch.randint(model.config.vocab_size, (64,), generator=random).to(model.device)
    slots = 16
    alone, mixed = Decoder(model, slots, 128), Decoder(model, slots, 128)
    different = 0
    for place in range(64):
        expected = alone.step(text[place].expand(slots), torch.full((slots,), place), place).clone()
        tokens = torch.randint(model.config.vocab_size, (slots,), generator=random).to(model.device)
        positions = torch.full((slots,), min(place + 50, 127))
        tokens[3], positions[3] = text[place], place
        different += not torch.equal(mixed.step(tokens, positions, int(positions.max()))[3], expected[0])
    return different


def classification(corpus: Path, tokenizer: Path, folder: Path, device: str, **shape: int) -> dict[str, Figure]:
    """Fine-tune on the GPU twice and on the CPU; then score on both, all texts and a part of them."""
    encoder = write_encoder(folder / "encoder", tokenizer, **shape)
    settings = replace(LEARNING, checkpoint=str(encoder))

    def learn(name: str, where: str, precision: str) -> Path:
        own = replace(settings, precision=precision)
        finetune_classifier(own, TONE, 64, corpus, folder / name, folder / f"{name}-work", where, threads=2, seed=1)
        return folder / name

    first, second = (learn(name, device, "auto") for name in ("first", "second"))
    exact, cpu = learn("exact", device, "float32"), learn("cpu", "cpu", "float32")
    weights = [_weights(each) for each in (exact, cpu)]
    distance = max(float((one - two).abs().max()) for one, two in zip(*weights, strict=True))
    whole = scores(first, corpus, folder / "whole", device, "auto")
    float32 = scores(first, corpus, folder / "float32", "cpu", "float32")
    frame = pq.read_table(corpus).to_pandas()
    part = folder / "part.parquet"
    write_table(frame[::7].reset_index(drop=True), TEXTS, part)
    alone = scores(first, part, folder / "alone", device, "auto")
    return {
        "finetuning_bytes": differing(first, second, "two fine-tunings"),
        "finetuning_distance": Figure(
            "largest difference of a weight, fine-tuned in float32 here and on the CPU", distance, 0.01,
            less_is_better=True,
        ),
        "label_percent": _other_labels(whole, float32),
        "score_company": _other_bits(whole, alone),
    }  # fmt: skip


def kinds(corpus: Path, tokenizer: Path, folder: Path, device: str, layers: int | None) -> dict[str, Figure]:
    """Score with classifiers of other kinds on the GPU and on the CPU, all texts and a part of them.

    Labels of `zero-shot` are compared in float32: in a model with random weights the statements about a text differ so
    little that its scaled head makes bfloat16's rounding as large.
    """
    made = random_kinds(folder, classifiers_tokenizer(tokenizer), corpus, "tone", LABELS, layers)
    frame = pq.read_table(corpus).to_pandas()
    some, part = folder / "some.parquet", folder / "part.parquet"
    write_table(frame[:350].reset_index(drop=True), TEXTS, some)
    write_table(frame[:350:7].reset_index(drop=True), TEXTS, part)
    figures = {}
    for name in ("few-shot", "zero-shot", "deberta"):
        classifier, here = Path(made[name]), folder / f"{name}-scores"
        said = scores(
            classifier, some, here / "said", device, "float32" if name == "zero-shot" else "auto", max_length_tokens=128
        )
        whole = scores(classifier, some, here / "whole", device, "auto", max_length_tokens=128)
        exact = scores(classifier, some, here / "float32", "cpu", "float32", max_length_tokens=128)
        alone = scores(classifier, part, here / "alone", device, "auto", max_length_tokens=128)
        figures[f"label_percent_{name}"] = _other_labels(said, exact, f"{name}: ")
        figures[f"score_company_{name}"] = _other_bits(whole, alone, f"{name}: ")
    return figures


def _other_labels(found: Scores, exact: Scores, what: str = "") -> Figure:
    """Compare labels with the CPU's in float32."""
    percent = 100 * float(np.mean([found[key][0] != exact[key][0] for key in found]))
    meaning = f"{what}labels of {len(found):,} texts other than the CPU's in float32, percent"
    return Figure(meaning, percent, 0.2, less_is_better=True)


def _other_bits(whole: Scores, alone: Scores, what: str = "") -> Figure:
    """Count the texts whose scores are others when a part of the texts is scored."""
    other = sum(not np.array_equal(whole[key][1], values) for key, (_, values) in alone.items())
    meaning = f"{what}texts of {len(alone):,} whose scores have other bits in other company"
    return Figure(meaning, other, 0, less_is_better=True)


def _weights(folder: Path) -> list[torch.Tensor]:
    tensors = load_file(folder / "model.safetensors")
    return [tensors[name] for name in sorted(tensors)]


def scores(classifier: Path, corpus: Path, folder: Path, device: str, precision: str, **changes: Any) -> Scores:
    """Run the scoring stage with a new score store; return label and probabilities by the text's id."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = replace(SCORING, precision=precision, **changes)
    score_texts(settings, classifier, (corpus,), folder / "s.parquet", folder / "store", device, threads=2, seed=1)
    frame = read_table(folder / "s.parquet", SCORES)
    return {key: (label, values) for key, label, values in zip(frame["id"], frame["label"], frame["probabilities"],
                                                               strict=True)}  # fmt: skip


def differing(left: Path, right: Path, what: str) -> Figure:
    """Count the bytes that differ in two folders; of a file that only one has, all bytes."""
    sides = [
        {
            str(path.relative_to(side)): path.read_bytes()
            for path in sorted(side.rglob("*"))
            if path.is_file() and not is_checksum(path)
        }
        for side in (left, right)
    ]
    count = 0
    for name in sides[0].keys() | sides[1].keys():
        one, two = (np.frombuffer(side.get(name, b""), np.uint8) for side in sides)
        shorter = min(len(one), len(two))
        count += int((one[:shorter] != two[:shorter]).sum()) + abs(len(one) - len(two))
    return Figure(f"bytes that differ, {what}", count, 0, less_is_better=True)
