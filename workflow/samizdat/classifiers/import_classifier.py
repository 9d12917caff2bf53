"""Import a ready-made classifier: as safetensors, with a fast tokenizer and the labels that the config expects."""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedConfig, PreTrainedModel

from samizdat.base import stage
from samizdat.base.errors import UserError
from samizdat.base.files import replacing_folder, sha256_of, write_text
from samizdat.checkpoints import sources
from samizdat.checkpoints.encoding import load_tokenizer
from samizdat.checkpoints.reading import agree_on_padding, refuse_longer_windows
from samizdat.classifiers.contract import check_contract
from samizdat.classifiers.labels import check_labels, check_names
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
    names, kind, asked = _labels_of(config, found.origin, description, labels, label_names, template)
    with _safe_weights(checkpoint, revision, found, work) as weights:
        model = _load(weights, found)
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
        model.save_pretrained(folder, max_shard_size="1TB")
        tokenizer.save_pretrained(folder)
        if not (folder / "tokenizer.json").is_file():
            raise UserError(
                f"the tokenizer of {found.origin} can't be turned into a fast one (tokenizer.json)",
                remedy="name a checkpoint whose tokenizer has a fast version",
            )
        for extra in set(folder.iterdir()) - {folder / name for name in sources.CHECKPOINT_FILES}:
            extra.unlink()
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


def _load(folder: Path, found: sources.Located) -> PreTrainedModel:
    """Load the model; refuse one without the weights of a classification head."""
    with sources.loading(found):
        model, report = AutoModelForSequenceClassification.from_pretrained(
            folder,
            dtype="auto",
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    if report["missing_keys"]:
        missing = ", ".join(sorted(report["missing_keys"])[:3])
        raise UserError(
            f"{found.origin} is no classifier: it has no weights for {missing}",
            remedy="name a checkpoint made for sequence classification",
        )
    return cast(PreTrainedModel, model)


@contextlib.contextmanager
def _safe_weights(checkpoint: str, revision: str | None, found: sources.Located, work: Path) -> Iterator[Path]:
    """Give a folder with config and safetensors: the checkpoint's own, or a converted copy that the block may use.

    A checkpoint that has nothing but a pickle is converted by a separate process.
    """
    if any(found.path.glob("*.safetensors")):
        yield found.path
        return
    fetched = sources.locate(checkpoint, revision, (*sources.MODEL_FILES, sources.PICKLE_FILE))
    pickle = fetched.path / sources.PICKLE_FILE
    if not pickle.is_file():
        raise UserError(
            f"{found.origin} has neither model.safetensors nor {sources.PICKLE_FILE}",
            remedy="name another checkpoint or revision",
        )
    folder = work / "converted"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        _unpickle(pickle, folder / "model.safetensors", found.origin)
        shutil.copy(found.path / "config.json", folder / "config.json")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unpickle(pickle: Path, target: Path, origin: str) -> None:
    """Convert a pickle to safetensors in a separate process, which reads tensors and nothing else."""
    command = [sys.executable, "-m", "samizdat.checkpoints.unpickle", str(pickle), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise UserError(
            f"the pickle of {origin} is refused: {reason}",
            remedy="it is damaged or holds more than tensors, so don't load it; name a checkpoint with safetensors",
        )


if __name__ == "__main__":
    stage.run(import_classifier)
