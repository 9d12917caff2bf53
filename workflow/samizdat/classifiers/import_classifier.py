"""Import a ready-made classifier: as safetensors, with a fast tokenizer and the labels that the config expects."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedConfig

from samizdat.base import stage
from samizdat.base.files import replacing_folder, sha256_of, write_text
from samizdat.checkpoints import sources
from samizdat.checkpoints.copying import load_whole, write_copy
from samizdat.checkpoints.encoding import load_tokenizer
from samizdat.checkpoints.reading import agree_on_padding, refuse_longer_windows
from samizdat.classifiers.contract import check_contract
from samizdat.classifiers.labels import check_labels, check_names, refuse_other_numbers
from samizdat.classifiers.outputs import PROBLEM_TYPES, find_kind
from samizdat.classifiers.zero_shot import entailment_outputs, refuse_long_statements
from samizdat.records.classifiers import MULTI_LABEL, NUMBER, SINGLE_LABEL, ClassifierCard, ClassifierDescription, Kind
from samizdat.records.io import write_document

_MORE = {SINGLE_LABEL: "", MULTI_LABEL: " (several at once)", NUMBER: ""}


def import_classifier(
    description: ClassifierDescription,
    checkpoint: str,
    revision: str | None,
    labels: tuple[str, ...],
    label_names: dict[str, str],
    template: str | None,
    max_length_tokens: int,
    out: Path,
    work: Path,
) -> str:
    """Write a sequence-classification checkpoint, its tokenizer, `card.json` and an empty `seen_texts.txt`.

    Args:
        description: what the config says of the classifier.
        checkpoint: a folder or a Hub id.
        revision: its commit on the Hub.
        labels: the names that it must have, in order; empty: it may have any. With a template, the user's own.
        label_names: label of the checkpoint → what it means, for labels such as LABEL_0.
        template: makes a statement of a label, in the place of `{}`, for a zero-shot classifier; None: it is none.
        max_length_tokens: the length of the windows that it will read.
        out: the folder to write.
        work: private folder of the stage: holds a pickle while it is converted.

    Raises:
        UserError: the checkpoint can't be loaded, is no classifier, doesn't say of which kind it is, has other labels
            or a shorter longest input, or gives a text another score next to other texts.
    """
    found = sources.locate(checkpoint, revision)
    with sources.loading(found):
        config = AutoConfig.from_pretrained(found.path, local_files_only=True, trust_remote_code=False)
    refuse_other_numbers(config, found.origin)
    names, kind, asked = _labels_of(config, found.origin, description, labels, label_names, template)
    model = load_whole(AutoModelForSequenceClassification, checkpoint, revision, found, work, "classifier")
    tokenizer = load_tokenizer(found.path)
    agree_on_padding(model.config, tokenizer, found.origin)
    refuse_longer_windows(model, max_length_tokens, found.origin, description.name)
    if asked["hypotheses"]:
        refuse_long_statements(load_tokenizer(found.path), asked["hypotheses"], max_length_tokens, description.name)
    else:
        model.config.problem_type = PROBLEM_TYPES[kind]
        model.config.id2label = dict(enumerate(names))
        model.config.label2id = {label: number for number, label in enumerate(names)}
    with replacing_folder(out) as folder:
        write_copy(model, tokenizer, folder, found.origin)
        own = [str(label) for label in (model.config.id2label or {}).values()]
        check_contract(folder, tokenizer, own, max_length_tokens, found.origin)
        write_text(folder / "seen_texts.txt", "")
        card = ClassifierCard(
            **asdict(description) | {"kind": kind} | asked,
            origin=found.origin,
            checkpoint_labels=names,
            labels=[] if kind == NUMBER else list(dict.fromkeys(map(description.mapped, names))),
            max_length_tokens=max_length_tokens,
            weights_sha256=sha256_of(folder / "model.safetensors"),
            training_texts=0,
            selection_texts=0,
            unlearned={},
            unselected={},
            model_type=config.model_type,
        )
        write_document(card, folder / "card.json")
    return f"{found.origin}: {'a number' if kind == NUMBER else ', '.join(names)}{_MORE[kind]}"


def _labels_of(
    config: PreTrainedConfig,
    origin: str,
    description: ClassifierDescription,
    labels: tuple[str, ...],
    label_names: dict[str, str],
    template: str | None,
) -> tuple[list[str], Kind, dict[str, Any]]:
    """Find the names of the labels, the kind, and what a zero-shot classifier has on its card."""
    if template is None:
        kind = find_kind(config, description.kind, origin, description.name)
        names = check_labels(config, origin, description, kind, labels, label_names)
        return names, kind, {"hypotheses": [], "entailment": []}
    names, kind = list(labels), description.kind or SINGLE_LABEL
    check_names(names, origin, description, kind)
    statements = [template.replace("{}", label) for label in labels]
    return names, kind, {"hypotheses": statements, "entailment": entailment_outputs(config, origin)}


if __name__ == "__main__":
    stage.run(import_classifier)
