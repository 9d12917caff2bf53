"""Fine-tune a classifier from an encoder on a human label of the corpus."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from transformers import AutoModelForSequenceClassification

from samizdat.base import stage
from samizdat.base.device import Device, enough_memory, prepare
from samizdat.base.digest import result_digest
from samizdat.base.errors import UserError
from samizdat.base.files import replacing_folder, sha256_of, write_text
from samizdat.base.reuse import fingerprint, restore_result, store_result
from samizdat.base.seeds import derive_seed
from samizdat.checkpoints import sources
from samizdat.checkpoints.encoding import load_tokenizer
from samizdat.classifiers.examples import EncodedExamples
from samizdat.classifiers.loop import FinetuningSettings, fit
from samizdat.records.classifiers import ClassifierCard, ClassifierDescription
from samizdat.records.corpus import LABEL_PREFIX, TEXTS
from samizdat.records.io import read_table, write_document


def finetune_classifier(
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
    """Train on a label column of the train split and write a plain sequence-classification checkpoint.

    Some documents of the train split are held back from training: on their texts the best weights are selected, and
    training stops when the weights get no better. These texts count as seen, too.

    Args:
        settings: encoder and hyperparameters.
        description: what the classifier is; it learns `label_column`.
        max_length_tokens: training texts are cut at this length.
        texts: the corpus.
        out: the folder to write: the checkpoint, `card.json` and `seen_texts.txt`.
        work: private folder of the stage: keeps the finished result.
        device: `auto`, `cpu`, `cuda` or `mps`.
        threads: threads of the numeric libraries.
        seed: of this classifier.

    Raises:
        UserError: the column is missing or has fewer than two labels, the encoder can't be loaded, or the device has
            too little memory.
    """
    chosen = prepare(device, threads=threads, seed=seed)
    examples, labels = _draw_examples(read_table(texts, TEXTS), description.label_column, settings, seed)
    found = sources.locate(settings.checkpoint, settings.revision)
    mark = fingerprint(
        settings=asdict(settings),
        label_column=description.label_column,
        max_length_tokens=max_length_tokens,
        examples=examples[["id", "label", "selects"]].values.tolist(),
        encoder=found.digests(),
        seed=seed,
        threads=threads,
        device=[chosen.kind, chosen.fastest],
        torch=torch.__version__,
        code=result_digest("classifiers.finetune_classifier"),
    )
    learned = int((~examples["selects"]).sum())
    before = restore_result(work, mark, out)
    if not before:
        _train(settings, description.name, max_length_tokens, examples, labels, found, out, chosen, seed)
        store_result(work, mark, out)
    card = ClassifierCard(
        **asdict(description),
        origin=f"fine-tuned here from {found.origin}",
        checkpoint_labels=labels,
        labels=labels,
        max_length_tokens=max_length_tokens,
        weights_sha256=sha256_of(out / "model.safetensors"),
        training_texts=learned,
        model_type=json.loads((out / "config.json").read_text(encoding="utf-8"))["model_type"],
    )
    # The card is no part of the kept result: a changed description trains nothing.
    write_document(card, out / "card.json")
    if before:
        return f"{learned:,} texts, as trained before"
    return f"{len(labels)} labels learned from {learned:,} texts, selected on {len(examples) - learned:,}"


def _train(
    settings: FinetuningSettings,
    name: str,
    max_length_tokens: int,
    examples: pd.DataFrame,
    labels: list[str],
    found: sources.Located,
    out: Path,
    chosen: Device,
    seed: int,
) -> None:
    """Fine-tune on the examples, and write checkpoint, tokenizer and `seen_texts.txt`."""
    tokenizer = load_tokenizer(found.path)
    with sources.loading(found):
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
    encoded = EncodedExamples(tokenizer, examples, max_length_tokens, len(labels))
    remedy = "halve finetuning.batch_rows in the config"
    with enough_memory(chosen, f"{settings.batch_rows} texts at once", remedy=remedy):
        fit(model, encoded, settings, chosen, name, seed)
    with replacing_folder(out) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        write_text(folder / "seen_texts.txt", "".join(f"{key}\n" for key in sorted(examples["id"])))


def _draw_examples(
    corpus: pd.DataFrame, column: str | None, settings: FinetuningSettings, seed: int
) -> tuple[pd.DataFrame, list[str]]:
    """Draw the texts to train on and to select on (`selects`), with `label` as a number; and the labels by number."""
    if column is None or LABEL_PREFIX + column not in corpus:
        existing = [key.removeprefix(LABEL_PREFIX) for key in corpus.columns if key.startswith(LABEL_PREFIX)]
        raise UserError(
            f"the corpus has no label {column!r}; it has: {', '.join(existing) or 'none'}",
            remedy="name one of these as label_column of the classifier, or add it to corpus.label_columns",
        )
    name = LABEL_PREFIX + column
    train = corpus[(corpus["split"] == "train") & corpus[name].notna()]
    labels = sorted(train[name].unique())
    if len(labels) < 2:
        raise UserError(
            f"the label {column!r} has {len(labels)} different values in the train split, and two are needed",
            remedy="name another label_column, or remove the classifier from the config",
        )
    # The texts with the smallest seeds are a random sample that hardly changes when a text is added.
    order = np.argsort([derive_seed(seed, "draw", key) for key in train["id"]], kind="stable")
    chosen = train[["id", "document", "text", name]].iloc[order[: settings.max_training_texts]]
    # Texts of one document stay together, and adding a document moves no other.
    bound = settings.selection_share * 2**63
    selects = [derive_seed(seed, "select", document) < bound for document in chosen["document"]]
    chosen = chosen.assign(label=chosen[name].map(labels.index), selects=selects)
    if set(chosen.loc[~chosen["selects"], "label"]) != set(range(len(labels))):
        chosen["selects"] = False  # Some label would have no text to train on: train on all texts.
    return chosen.reset_index(drop=True), labels


if __name__ == "__main__":
    stage.run(finetune_classifier)
