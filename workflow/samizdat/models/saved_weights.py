"""Weights that a training saves before it ends: the best so far, and the checkpoints that the config asks for."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from transformers import GPT2LMHeadModel

from samizdat.base import free_space
from samizdat.base.errors import UserError
from samizdat.base.files import is_intact, replacing_folder
from samizdat.checkpoints.gpt2 import WEIGHTS


class SavedWeights:
    """The saved weights of one training, in `best/` and `kept/<percent>/` of its private folder."""

    def __init__(self, work: Path, *, writes: bool):
        """Save below `work`; with `writes` false, as in all processes but the first, change nothing there."""
        self._best, self._kept, self._writes = work / "best", work / "kept", writes

    def save_best(self, model: GPT2LMHeadModel) -> None:
        """Save the weights as the best so far."""
        self._save(model, self._best)

    def save_at(self, percent: int, model: GPT2LMHeadModel) -> None:
        """Save the weights as the checkpoint at `percent` of training."""
        self._save(model, self._kept / str(percent))

    def _save(self, model: GPT2LMHeadModel, folder: Path) -> None:
        if self._writes:
            with replacing_folder(folder) as temporary:
                model.save_pretrained(temporary)

    def copy_to(self, folder: Path, percents: Iterable[int]) -> None:
        """Copy the best weights into `folder`, and the checkpoint at each percent into its `steps/<percent>/`.

        Raises:
            UserError: some are damaged. The same training, begun again, sees that and starts from the beginning.
        """
        if not self.are_intact(percents):
            raise UserError(
                f"weights that were saved in {self._best.parent} are damaged or missing",
                remedy="run the same command again: it trains this model from the beginning",
            )
        shutil.copytree(self._best, folder, dirs_exist_ok=True)
        for percent in percents:
            shutil.copytree(self._kept / str(percent), folder / "steps" / str(percent))

    def are_intact(self, percents: Iterable[int | str]) -> bool:
        """Whether the best weights and the checkpoints at these percents are there and undamaged."""
        folders = [self._best, *(self._kept / str(percent) for percent in percents)]
        return all(is_intact(folder / name) for folder in folders for name in WEIGHTS)

    def size(self) -> int:
        """Return the bytes that the saved weights take."""
        return free_space.size_of(self._best) + free_space.size_of(self._kept)

    def delete(self) -> None:
        """Delete all saved weights."""
        if self._writes:
            shutil.rmtree(self._best, ignore_errors=True)
            shutil.rmtree(self._kept, ignore_errors=True)
