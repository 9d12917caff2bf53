"""Fine-tune a classifier from an encoder on a human label of the corpus."""

import json
from dataclasses import asdict
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedConfig

from samizdat.base import stage
from samizdat.base.device import Device, enough_memory, prepare
from samizdat.base.digest import result_digest
from samizdat.base.files import replacing_folder, sha256_of, write_text
from samizdat.base.reuse import fingerprint, restore_result, store_result
from samizdat.checkpoints import sources
from samizdat.checkpoints.encoding import load_tokenizer, refuse_unread_texts
from samizdat.checkpoints.reading import agree_on_padding, padding_of, refuse_longer_windows
from samizdat.classifiers.drawn_examples import DrawnExamples, draw_examples
from samizdat.classifiers.examples import EncodedExamples
from samizdat.classifiers.loop import FinetuningSettings, fit
from samizdat.records.classifiers import SINGLE_LABEL, ClassifierCard, ClassifierDescription
from samizdat.records.corpus import TEXTS
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
    training stops when the weights get no better. These texts count as seen, too. Which labels had too few texts to be
    learned, or to be selected on, is said at the terminal and is in the card.

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
        UserError: the column is missing or fewer than two labels have enough texts, the encoder can't be loaded,
            lacks weights or can't read the texts, or the device has too little memory.
    """
    chosen = prepare(device, threads=threads, seed=seed)
    drawn = draw_examples(
        read_table(texts, TEXTS), description.label_column, settings.max_training_texts, settings.selection_share, seed
    )
    for shortage in drawn.shortages(settings.selection_share > 0):
        stage.tell(f"classifier {description.name}: {shortage}")
    found = sources.locate(settings.checkpoint, settings.revision)
    mark = fingerprint(
        settings=asdict(settings),
        label_column=description.label_column,
        max_length_tokens=max_length_tokens,
        examples=drawn.texts[["id", "label", "selects"]].values.tolist(),
        labels=drawn.labels,
        encoder=found.digests(),
        seed=seed,
        threads=threads,
        device=[chosen.kind, chosen.fastest],
        code=result_digest("classifiers.finetune_classifier"),
    )
    learned = len(drawn.texts) - drawn.selection_texts
    before = restore_result(work, mark, out)
    if not before:
        _train(settings, description.name, max_length_tokens, drawn, found, out, chosen, seed)
        store_result(work, mark, out)
    card = ClassifierCard(
        **asdict(description) | {"kind": SINGLE_LABEL},
        origin=f"fine-tuned here from {found.origin}",
        checkpoint_labels=drawn.labels,
        labels=drawn.labels,
        max_length_tokens=max_length_tokens,
        weights_sha256=sha256_of(out / "model.safetensors"),
        training_texts=learned,
        selection_texts=drawn.selection_texts,
        unlearned=drawn.unlearned,
        unselected=drawn.unselected,
        hypotheses=[],
        entailment=[],
        model_type=json.loads((out / "config.json").read_text(encoding="utf-8"))["model_type"],
    )
    # The card is no part of the kept result: a changed description trains nothing.
    write_document(card, out / "card.json")
    if before:
        return f"{learned:,} texts, as trained before"
    return f"{len(drawn.labels)} labels learned from {learned:,} texts, selected on {drawn.selection_texts:,}"


def _train(
    settings: FinetuningSettings,
    name: str,
    max_length_tokens: int,
    drawn: DrawnExamples,
    found: sources.Located,
    out: Path,
    chosen: Device,
    seed: int,
) -> None:
    """Fine-tune on the examples, and write checkpoint, tokenizer and `seen_texts.txt`."""
    tokenizer = load_tokenizer(found.path)
    refuse_unread_texts(
        tokenizer,
        drawn.texts["text"].tolist(),
        found.origin,
        remedy="name an encoder for this language, or a multilingual one such as intfloat/multilingual-e5-small, as "
        "`checkpoint` under `finetuning` in the config",
    )
    with sources.loading(found):
        config = AutoConfig.from_pretrained(found.path, local_files_only=True, trust_remote_code=False)
        model, report = AutoModelForSequenceClassification.from_pretrained(
            found.path,
            num_labels=len(drawn.labels),
            id2label=dict(enumerate(drawn.labels)),
            label2id={label: number for number, label in enumerate(drawn.labels)},
            dtype=torch.float32,
            **dict.fromkeys(_dropouts(config), settings.dropout),
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    # The head is new.
    missing = [name for name in report["missing_keys"] if name.startswith(f"{model.base_model_prefix}.")]
    sources.refuse_incomplete_encoder(missing, found)
    refuse_longer_windows(model, max_length_tokens, found.origin, name)
    agree_on_padding(model.config, tokenizer, found.origin)
    model.to(chosen.kind)
    encoded = EncodedExamples(tokenizer, drawn.texts, max_length_tokens, len(drawn.labels), padding_of(model.config))
    if encoded.cut:
        stage.tell(f"classifier {name}: {encoded.cut} of {len(drawn.texts)} drawn texts are cut at max_length_tokens")
    remedy = "halve finetuning.batch_rows in the config"
    with enough_memory(chosen, f"{settings.batch_rows} texts at once", remedy=remedy):
        fit(model, encoded, settings, chosen, name, seed)
    with replacing_folder(out) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        write_text(folder / "seen_texts.txt", "".join(f"{key}\n" for key in sorted(drawn.texts["id"])))


def _dropouts(config: PreTrainedConfig) -> list[str]:
    """List the keys of an architecture's config that are shares of activations to set to zero.

    Each architecture has its own names, such as `attention_probs_dropout_prob`, `seq_classif_dropout`, `dropout_rate`
    or `resid_pdrop`. A key without a value follows another one.
    """
    values = config.to_dict().items()
    return [key for key, value in values if ("dropout" in key or key.endswith("pdrop")) and type(value) in (int, float)]


if __name__ == "__main__":
    stage.run(finetune_classifier)
