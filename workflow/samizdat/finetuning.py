"""Fine-tune a classifier from an encoder on a human label of the corpus."""

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.nn import functional
from transformers import AutoModelForSequenceClassification, PreTrainedModel, PreTrainedTokenizerFast

from samizdat import hub, program
from samizdat.code import code_digest
from samizdat.device import Device, prepare
from samizdat.errors import UserError
from samizdat.files import replacing_folder, sha256_of, write_text
from samizdat.records import LABEL_PREFIX, TEXTS, ClassifierCard, ClassifierDescription, read_table, write_document
from samizdat.reuse import fingerprint, keep, restore
from samizdat.seeds import derive_seed
from samizdat.vocabulary import load

log = logging.getLogger("samizdat")

# Batches are cut from pools of this many that are sorted by length: little padding, and still shuffled.
POOL_BATCHES = 16
# Rows are padded to a multiple of this, which keeps the number of shapes small.
LENGTH_STEP = 8


@dataclass(frozen=True)
class FinetuningSettings:
    """The keys of `finetuning` in the config, where each is explained."""

    checkpoint: str
    revision: str | None
    max_training_texts: int
    epochs: float
    batch_rows: int
    learning_rate: float
    warmup_share: float
    weight_decay: float
    dropout: float
    class_weights: bool
    precision: str


def finetune(
    settings: FinetuningSettings,
    description: ClassifierDescription,
    max_length_tokens: int,
    texts: Path,
    out: Path,
    work: Path,
    device: str,
    threads: int,
    seed: int,
) -> str:
    """Learn a label column of the train split and write a plain sequence-classification checkpoint.

    Args:
        settings: encoder and recipe.
        description: what the classifier is; its `label_column` is learned.
        max_length_tokens: training texts are cut at this length.
        texts: the corpus.
        out: the folder to write, with `card.json` and `seen_texts.txt` beside the checkpoint.
        work: private state: the finished result.
        device: `auto`, `cpu`, `cuda` or `mps`.
        threads: threads of the numeric libraries.
        seed: of this classifier's own stream.

    Raises:
        UserError: the column is missing, has fewer than two labels, or the encoder can't be had.
    """
    chosen = prepare(device, threads=threads, seed=seed)
    examples, labels = _examples(read_table(texts, TEXTS), description.label_column, settings, seed)
    found = hub.locate(settings.checkpoint, settings.revision)
    mark = fingerprint(
        settings=asdict(settings),
        description=asdict(description),
        max_length_tokens=max_length_tokens,
        examples=list(zip(examples["id"], examples["label"].tolist(), strict=True)),
        encoder=found.digests(),
        seed=seed,
        threads=threads,
        device=[chosen.kind, chosen.bfloat16],
        torch=torch.__version__,
        code=code_digest("finetuning"),
    )
    if restore(work, mark, out):
        return f"{len(examples):,} texts, as trained before"
    tokenizer = load(found.path)
    with hub.loading(found):
        model = AutoModelForSequenceClassification.from_pretrained(
            found.path,
            num_labels=len(labels),
            id2label=dict(enumerate(labels)),
            label2id={label: number for number, label in enumerate(labels)},
            dtype=torch.float32,
            hidden_dropout_prob=settings.dropout,
            attention_probs_dropout_prob=settings.dropout,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
        )
    model.to(chosen.kind)
    try:
        _fit(model, tokenizer, examples, settings, max_length_tokens, chosen, description.name, seed)
    except torch.OutOfMemoryError:
        raise UserError(
            f"the {chosen.name} has too little memory for {settings.batch_rows} texts at once",
            remedy="halve finetuning.batch_rows in the config",
        ) from None
    with replacing_folder(out) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        write_text(folder / "seen_texts.txt", "".join(f"{key}\n" for key in sorted(examples["id"])))
        card = ClassifierCard(
            **asdict(description),
            origin=f"fine-tuned here from {found.origin}",
            labels=labels,
            max_length_tokens=max_length_tokens,
            weights_sha256=sha256_of(folder / "model.safetensors"),
            training_texts=len(examples),
            model_type=model.config.model_type,
        )
        write_document(card, folder / "card.json")
    keep(work, mark, out)
    return f"{len(labels)} labels learned from {len(examples):,} texts"


def _examples(
    corpus: pd.DataFrame, column: str, settings: FinetuningSettings, seed: int
) -> tuple[pd.DataFrame, list[str]]:
    """The texts to learn from, with `label` as a number, and the labels in the order of these numbers."""
    name = LABEL_PREFIX + column
    if name not in corpus:
        existing = [key.removeprefix(LABEL_PREFIX) for key in corpus if key.startswith(LABEL_PREFIX)]
        raise UserError(
            f"the corpus has no label {column!r}; it has: {', '.join(existing) or 'none'}",
            remedy="name one of these as label_column of the classifier, or add it to corpus.label_columns",
        )
    train = corpus[(corpus["split"] == "train") & corpus[name].notna()]
    labels = sorted(train[name].unique())
    if len(labels) < 2:
        raise UserError(
            f"the label {column!r} has {len(labels)} different values in the train split, and two are needed",
            remedy="name another label_column, or remove the classifier from the config",
        )
    # The smallest seeds are a random sample that hardly changes when a text is added.
    drawn = sorted(train.index, key=lambda row: derive_seed(seed, "draw", train.at[row, "id"]))
    chosen = train.loc[drawn[: settings.max_training_texts], ["id", "text", name]]
    return chosen.assign(label=chosen[name].map(labels.index)).reset_index(drop=True), labels


def _fit(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerFast,
    examples: pd.DataFrame,
    settings: FinetuningSettings,
    max_length_tokens: int,
    device: Device,
    name: str,
    seed: int,
) -> None:
    encoded = tokenizer(
        examples["text"].tolist(), truncation=True, max_length=max_length_tokens, split_special_tokens=True
    )["input_ids"]
    targets = torch.tensor(examples["label"].to_numpy())
    counts = torch.bincount(targets, minlength=model.config.num_labels).float()
    balanced = len(targets) / (len(counts) * counts.clamp(min=1))
    weights = balanced.to(device.kind) if settings.class_weights else None
    half = device.bfloat16 if settings.precision == "auto" else settings.precision == "bfloat16"
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    steps = max(1, round(settings.epochs * len(targets) / settings.batch_rows))
    warmup = settings.warmup_share * steps
    batches = _batches([len(tokens) for tokens in encoded], settings.batch_rows, seed)
    model.train()
    for step in (bar := program.progress(f"classifier {name}", steps, "steps", items=range(steps))):
        scale = (step + 1) / (warmup + 1) if step < warmup else (steps - step) / max(steps - warmup, 1)
        optimizer.param_groups[0]["lr"] = settings.learning_rate * scale
        rows = next(batches)
        longest = max(len(encoded[row]) for row in rows)
        padded = tokenizer.pad(
            {"input_ids": [encoded[row] for row in rows]},
            padding="max_length",
            max_length=-(-longest // LENGTH_STEP) * LENGTH_STEP,
            return_tensors="pt",
        ).to(device.kind)
        with torch.autocast(device.kind, dtype=torch.bfloat16, enabled=half):
            logits = model(**padded).logits
        loss = functional.cross_entropy(logits.float(), targets[rows].to(device.kind), weight=weights)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if step % 20 == 0 or step == steps - 1:
            log.info("step %d of %d: loss %.4f", step + 1, steps, loss.item())
            bar.set_postfix_str(f"loss {loss.item():.3f}")


def _batches(lengths: list[int], batch_rows: int, seed: int) -> Iterator[list[int]]:
    """Batches of row numbers without end; each epoch has every row once, in an order of its own."""
    epoch = 0
    while True:
        random = np.random.default_rng(derive_seed(seed, "epoch", epoch))
        order = random.permutation(len(lengths))
        batches: list[list[int]] = []
        for start in range(0, len(order), batch_rows * POOL_BATCHES):
            pool = sorted(order[start : start + batch_rows * POOL_BATCHES].tolist(), key=lambda row: lengths[row])
            batches += [pool[first : first + batch_rows] for first in range(0, len(pool), batch_rows)]
        for number in random.permutation(len(batches)):
            yield batches[number]
        epoch += 1


if __name__ == "__main__":
    program.run(finetune)
