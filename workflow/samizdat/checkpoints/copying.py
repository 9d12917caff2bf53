"""Copies of published checkpoints: all weights as safetensors, and a fast tokenizer."""

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from transformers import PreTrainedModel, PreTrainedTokenizerFast
from transformers.models.auto.auto_factory import _BaseAutoModelClass

from samizdat.base.errors import UserError
from samizdat.checkpoints.sources import (
    CHECKPOINT_FILES,
    MODEL_FILES,
    PICKLE_FILE,
    Located,
    loading,
    locate,
    refuse_missing_weights,
)


def load_whole(
    head: type[_BaseAutoModelClass], checkpoint: str, revision: str | None, found: Located, work: Path, what: str
) -> PreTrainedModel:
    """Load a model; refuse a checkpoint that lacks some of its weights.

    Args:
        head: the class of transformers for models with such a head.
        checkpoint: as for `locate`.
        revision: as for `locate`.
        found: where it is.
        work: private folder of the stage: holds a pickle while it is converted.
        what: such a model is called, without an article.

    Raises:
        UserError: it can't be loaded, or it lacks weights.
    """
    with _safe_weights(checkpoint, revision, found, work) as weights, loading(found):
        model, report = head.from_pretrained(
            weights,
            dtype="auto",
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    refuse_missing_weights(report["missing_keys"], found, what)
    return cast(PreTrainedModel, model)


def write_copy(model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, folder: Path, origin: str) -> None:
    """Write a model and its tokenizer, and no other files.

    Raises:
        UserError: the tokenizer has no fast version.
    """
    model.save_pretrained(folder, max_shard_size="1TB")
    tokenizer.save_pretrained(folder)
    if not (folder / "tokenizer.json").is_file():
        raise UserError(
            f"the tokenizer of {origin} can't be turned into a fast one (tokenizer.json)",
            remedy="name a checkpoint whose tokenizer has a fast version",
        )
    for extra in set(folder.iterdir()) - {folder / name for name in CHECKPOINT_FILES}:
        # A tokenizer with several templates for chats has a folder of them.
        shutil.rmtree(extra) if extra.is_dir() else extra.unlink()


@contextlib.contextmanager
def _safe_weights(checkpoint: str, revision: str | None, found: Located, work: Path) -> Iterator[Path]:
    """Give a folder with config and safetensors: the checkpoint's own, or a converted copy that the block may use.

    A checkpoint that has nothing but a pickle is converted by a separate process.
    """
    if any(found.path.glob("*.safetensors")):
        yield found.path
        return
    fetched = locate(checkpoint, revision, (*MODEL_FILES, PICKLE_FILE))
    pickle = fetched.path / PICKLE_FILE
    if not pickle.is_file():
        raise UserError(
            f"{found.origin} has neither model.safetensors nor {PICKLE_FILE}",
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
