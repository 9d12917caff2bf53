"""Bring a ready-made classifier into the run: safetensors, a fast tokenizer, and the labels that were expected."""

import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel

from samizdat import hub, program
from samizdat.errors import UserError
from samizdat.files import replacing_folder, sha256_of, write_text
from samizdat.records import ClassifierCard, ClassifierDescription, write_document
from samizdat.vocabulary import load


def import_classifier(
    description: ClassifierDescription,
    checkpoint: str,
    revision: str | None,
    labels: tuple[str, ...],
    max_length_tokens: int,
    out: Path,
    work: Path,
) -> str:
    """Write a sequence-classification checkpoint, its tokenizer, `card.json` and an empty `seen_texts.txt`.

    Args:
        description: what the classifier is, in the config's words.
        checkpoint: a folder or a Hub id.
        revision: its commit on the Hub.
        labels: names that it must have, in order; empty for whatever names it has.
        max_length_tokens: the window that it will be applied with.
        out: the folder to write.
        work: private state: the pickle, while it is converted.

    Raises:
        UserError: it can't be had, is no classifier, or has other labels.
    """
    found = hub.locate(checkpoint, revision)
    config = AutoConfig.from_pretrained(found.path, local_files_only=True, trust_remote_code=False)
    names = _check_labels(config, found.origin, description.name, labels)
    positions = getattr(config, "max_position_embeddings", max_length_tokens)
    if max_length_tokens > positions:
        raise UserError(
            f"{found.origin} reads at most {positions} tokens, and max_length_tokens is {max_length_tokens}",
            remedy=f"lower max_length_tokens of the classifier {description.name!r} in the config",
        )
    if any(found.path.glob("*.safetensors")):
        model = _load(found.path, found.origin)
    else:
        converted = _convert(checkpoint, revision, found, work)
        model = _load(converted, found.origin)
        shutil.rmtree(converted)
    with replacing_folder(out) as folder:
        model.save_pretrained(folder, max_shard_size="1TB")
        load(found.path).save_pretrained(folder)
        if not (folder / "tokenizer.json").is_file():
            raise UserError(
                f"the tokenizer of {found.origin} can't be turned into a fast one (tokenizer.json)",
                remedy="name a checkpoint whose tokenizer has a fast version",
            )
        for extra in set(folder.iterdir()) - {folder / name for name in hub.CHECKPOINT_FILES}:
            extra.unlink()
        write_text(folder / "seen_texts.txt", "")
        card = ClassifierCard(
            **asdict(description),
            origin=found.origin,
            labels=names,
            max_length_tokens=max_length_tokens,
            weights_sha256=sha256_of(folder / "model.safetensors"),
            training_texts=0,
            model_type=config.model_type,
        )
        write_document(card, folder / "card.json")
    return f"{found.origin}: {', '.join(names)}"


def _check_labels(config: AutoConfig, origin: str, name: str, expected: tuple[str, ...]) -> list[str]:
    names = [str(config.id2label[number]) for number in range(config.num_labels)]
    if config.problem_type == "multi_label_classification":
        raise UserError(
            f"{origin} gives several labels at once, and shares and agreement are defined for one label a text",
            remedy=f"name a single-label checkpoint for the classifier {name!r}",
        )
    if expected and names != list(expected):
        raise UserError(
            f"{origin} has other labels than the classifier {name!r} expects:\n"
            f"    the checkpoint has {names}\n    the config expects {list(expected)}",
            remedy="find out what its labels mean, then correct `labels` or `revision` in the config",
        )
    if not expected and all(label == f"LABEL_{number}" for number, label in enumerate(names)):
        raise UserError(
            f"{origin} does not say what its labels mean: {names}",
            remedy="look for them on the checkpoint's page, then set `id2label` in a local copy of its config.json",
        )
    return names


def _load(folder: Path, origin: str) -> PreTrainedModel:
    try:
        model, report = AutoModelForSequenceClassification.from_pretrained(
            folder,
            dtype="auto",
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except OSError as error:
        raise UserError(
            f"{origin} can't be loaded: {next(iter(str(error).splitlines()), 'no reason given')}",
            remedy="look whether the checkpoint is whole; fetch or copy it again",
        ) from None
    if report["missing_keys"]:
        missing = ", ".join(sorted(report["missing_keys"])[:3])
        raise UserError(
            f"{origin} is no classifier: it has no weights for {missing}",
            remedy="name a checkpoint made for sequence classification",
        )
    return model


def _convert(checkpoint: str, revision: str | None, found: hub.Located, work: Path) -> Path:
    """A copy with safetensors of a checkpoint that only has a pickle, made by a process of its own."""
    source = hub.locate(checkpoint, revision, (*hub.MODEL_FILES, *hub.PICKLE_FILES)).path / "pytorch_model.bin"
    if not source.is_file():
        raise UserError(
            f"{found.origin} has neither model.safetensors nor pytorch_model.bin",
            remedy="name another checkpoint or revision",
        )
    folder = work / "converted"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "samizdat.unpickle", str(source), str(folder / "model.safetensors")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise UserError(
            f"the pickle of {found.origin} is refused: {done.stderr.strip().splitlines()[-1]}",
            remedy="it may hold more than tensors, so do not load it; name a checkpoint with safetensors",
        )
    shutil.copy(found.path / "config.json", folder / "config.json")
    return folder


if __name__ == "__main__":
    program.run(import_classifier)
