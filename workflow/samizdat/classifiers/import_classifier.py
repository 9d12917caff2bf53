"""Import a ready-made classifier: as safetensors, with a fast tokenizer and the labels that the config expects."""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import cast

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
        description: what the config says of the classifier.
        checkpoint: a folder or a Hub id.
        revision: its commit on the Hub.
        labels: the names that it must have, in order; empty: it may have any.
        max_length_tokens: the length of the windows that it will read.
        out: the folder to write.
        work: private folder of the stage: holds a pickle while it is converted.

    Raises:
        UserError: the checkpoint can't be loaded, is no classifier, has other labels or a shorter longest input.
    """
    found = sources.locate(checkpoint, revision)
    with sources.loading(found):
        config = AutoConfig.from_pretrained(found.path, local_files_only=True, trust_remote_code=False)
    names = _check_labels(config, found.origin, description, labels)
    with _safe_weights(checkpoint, revision, found, work) as weights:
        model = _load(weights, found)
    tokenizer = load_tokenizer(found.path)
    if tokenizer.pad_token is None:
        raise UserError(
            f"the tokenizer of {found.origin} has no padding token, so texts can't be batched",
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
            checkpoint_labels=names,
            labels=list(dict.fromkeys(map(description.mapped, names))),
            max_length_tokens=max_length_tokens,
            weights_sha256=sha256_of(folder / "model.safetensors"),
            training_texts=0,
            selection_texts=0,
            unlearned={},
            unselected={},
            model_type=config.model_type,
        )
        write_document(card, folder / "card.json")
    return f"{found.origin}: {', '.join(names)}"


def _check_labels(
    config: PretrainedConfig, origin: str, description: ClassifierDescription, expected: tuple[str, ...]
) -> list[str]:
    """Return the labels of the checkpoint, in order; refuse labels that can't be used or are not the expected ones."""
    name, label_map = description.name, description.label_map
    by_number = cast("dict[int, str]", config.id2label)  # transformers makes numbers of the keys when it loads a config
    names = [str(by_number[number]) for number in range(len(by_number))]
    if config.problem_type == "multi_label_classification":
        raise UserError(
            f"{origin} gives several labels at once, and shares and agreement are defined for one label a text",
            remedy=f"name a single-label checkpoint for the classifier {name!r}",
        )
    if len(names) < 2:
        raise UserError(
            f"{origin} gives a number and no label: it has only {names}",
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
    if unknown := sorted(set(label_map) - set(names)):
        raise UserError(
            f"`label_map` of the classifier {name!r} names {unknown}, and {origin} has only {names}",
            remedy="correct the names on the left of `label_map` in the config",
        )
    if len(set(map(description.mapped, names))) < 2:
        raise UserError(
            f"`label_map` gives all labels of the classifier {name!r} one name: {names}",
            remedy="map them to two labels or more",
        )
    return names


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


def _longest(model: PreTrainedModel) -> int | None:
    """Return the length of the longest input in tokens, special ones included; None where the model has no limit."""
    embeddings = getattr(getattr(model.base_model, "embeddings", None), "position_embeddings", None)
    if embeddings is None:
        limit: int | None = getattr(model.config, "max_position_embeddings", None)
        return limit
    # RoBERTa and its relatives count positions from the number after the padding's id.
    unused = 0 if embeddings.padding_idx is None else embeddings.padding_idx + 1
    return int(embeddings.num_embeddings - unused)


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
