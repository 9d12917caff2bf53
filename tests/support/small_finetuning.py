"""A small encoder that is fine-tuned on made-up sentences, as the stage does it."""

from dataclasses import replace

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from samizdat.base.files import is_checksum
from samizdat.classifiers.finetune_classifier import finetune_classifier
from samizdat.records.classifiers import ClassifierDescription
from support.small_classifier import WORDS

DESCRIPTION = ClassifierDescription(
    "mood", kind="single_label", threshold=0.5, label_column="mood", label_separator=None, label_map={},
    predicts="the mood", made_for="tests", reference="nowhere", languages=(), min_words=None, max_words=None,
)  # fmt: skip


def sentences(number: int, rare: float = 0.5) -> tuple[list[str], list[str]]:
    """Sentences with “good” or “bad” in them, and their labels; “bad” is as frequent as `rare`."""
    random = np.random.default_rng(9)
    neutral = [word for word in WORDS if word not in ("good", "bad")]
    texts, labels = [], []
    for index in range(number):
        label = "bad" if random.random() < rare else "good"
        words = [*random.choice(neutral, random.integers(2, 9)), label]
        texts.append(f"{' '.join(random.permutation(words))} {index}")
        labels.append(label)
    return texts, labels


def run(settings, corpus, folder, seed=1, description=DESCRIPTION, **changes):
    said = finetune_classifier(
        replace(settings, **changes), description, 32, corpus, folder / "out", folder / "work", "cpu", threads=1,
        seed=seed,
    )  # fmt: skip
    return said, folder / "out"


def contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not is_checksum(path)}


def predict(folder, texts: list[str]) -> list[str]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.no_grad():
        numbers = model(**tokenizer(texts, padding=True, return_tensors="pt")).logits.argmax(dim=1)
    return [model.config.id2label[int(number)] for number in numbers]
