"""Bring a ready-made classifier into the run: safetensors, a fast tokenizer, and the labels that were expected."""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from transformers import AutoConfig, AutoModelForSequenceClassification, PretrainedConfig, PreTrainedModel

from samizdat.base import stage
from samizdat.base.errors import UserError
from samizdat.base.files import replacing_folder, sha256_of, write_text
from samizdat.checkpoints import sources
from samizdat.checkpoints.encoding import load_tokenizer
from samizdat.records.classifiers import ClassifierCard, ClassifierDescription
from samizdat.records.io import write_document


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
    found = sources.locate(checkpoint, revision)
    with sources.loading(found):
        config = AutoConfig.from_pretrained(found.path, local_files_only=True, trust_remote_code=False)
    names = _check_labels(config, found.origin, description.name, labels)
    with _safe_weights(checkpoint, revision, found, work) as weights:
        model = _load(weights, found)
    tokenizer = load_tokenizer(found.path)
    if tokenizer.pad_token is None:
        raise UserError(
            f"the tokenizer of {found.origin} has no padding token, so texts can't be read side by side",
            remedy="name a checkpoint of an encoder, such as BERT or XLM-R",
        )
    longest = _longest(model)
    if longest is not None and max_length_tokens > longest:
        raise UserError(
            f"{found.origin} reads at most {longest} tokens, and max_length_tokens is {max_length_tokens}",
            remedy=f"lower max_length_tokens of the classifier {description.name!r} in the config",
        )
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


def _check_labels(config: PretrainedConfig, origin: str, name: str, expected: tuple[str, ...]) -> list[str]:
    names = [str(config.id2label[number]) for number in range(config.num_labels)]
    if config.problem_type == "multi_label_classification":
        raise UserError(
            f"{origin} gives several labels at once, and shares and agreement are defined for one label a text",
            remedy=f"name a single-label checkpoint for the classifier {name!r}",
        )
    if len(names) < 2:
        raise UserError(
            f"{origin} gives a number and no label: it has {names} alone",
            remedy=f"name a checkpoint of two labels or more for the classifier {name!r}",
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


def _load(folder: Path, found: sources.Located) -> PreTrainedModel:
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
    return model


def _longest(model: PreTrainedModel) -> int | None:
    """The longest input in tokens, special ones included; None where the model sets no bound."""
    embeddings = getattr(getattr(model.base_model, "embeddings", None), "position_embeddings", None)
    if embeddings is None:
        return getattr(model.config, "max_position_embeddings", None)
    # RoBERTa and its kin count positions from behind the padding's id.
    unused = 0 if embeddings.padding_idx is None else embeddings.padding_idx + 1
    return embeddings.num_embeddings - unused


@contextlib.contextmanager
def _safe_weights(checkpoint: str, revision: str | None, found: sources.Located, work: Path) -> Iterator[Path]:
    """A folder with config and safetensors: the checkpoint's own or, for the time of the block, a converted copy.

    A checkpoint that has nothing but a pickle is converted by a process of its own.
    """
    if any(found.path.glob("*.safetensors")):
        yield found.path
        return
    pickle = (
        sources.locate(checkpoint, revision, (*sources.MODEL_FILES, sources.PICKLE_FILE)).path / sources.PICKLE_FILE
    )
    if not pickle.is_file():
        raise UserError(
            f"{found.origin} has neither model.safetensors nor {sources.PICKLE_FILE}",
            remedy="name another checkpoint or revision",
        )
    folder = work / "converted"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        command = [
            sys.executable,
            "-m",
            "samizdat.checkpoints.unpickle",
            str(pickle),
            str(folder / "model.safetensors"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
            raise UserError(
                f"the pickle of {found.origin} is refused: {reason}",
                remedy="it is damaged or holds more than tensors, so don't load it; name a checkpoint with safetensors",
            )
        shutil.copy(found.path / "config.json", folder / "config.json")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    stage.run(import_classifier)
