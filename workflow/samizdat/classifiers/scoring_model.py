"""A classifier as it is applied: loaded in one number format, it computes the logits of windows batch by batch."""

import functools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import cast

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, PreTrainedModel

from samizdat.base.device import Device
from samizdat.checkpoints import unpadded
from samizdat.checkpoints.packed import pack_linear_layers
from samizdat.checkpoints.reading import padding_of
from samizdat.checkpoints.side_by_side import computed_batches
from samizdat.checkpoints.windows import Batch, Window, padded_batches


class ScoringModel:
    """A classifier on a device, in one number format."""

    def __init__(self, folder: Path, device: Device, dtype: torch.dtype):
        """Load the checkpoint in `folder` onto the device."""
        self._device = device
        self._model = self._load(folder, dtype)
        # On a GPU padding costs less than one small product for each window.
        self._unpadded = device.kind == "cpu" and unpadded.supports_packing(self._model.config)
        if self._unpadded:
            unpadded.enable_packing(self._model)
            pack_linear_layers(self._model)

    @property
    def outputs(self) -> int:
        """How many logits a window has."""
        return len(self._model.config.id2label or ())

    def logits(
        self, windows: Iterable[Window], batch_tokens: int, longest: int, threads: int
    ) -> Iterator[tuple[Batch, np.ndarray]]:
        """Compute the logits of all windows, batch by batch.

        Args:
            windows: in any order.
            batch_tokens: tokens of a batch.
            longest: length of the longest window.
            threads: batches that a CPU computes at once.

        Returns:
            An iterator of batches, each with its logits `[windows, labels]` in float32.
        """
        batches = self._batches(windows, batch_tokens, longest)
        return computed_batches(batches, self._compute, self._device.kind, threads)

    def _batches(self, windows: Iterable[Window], batch_tokens: int, longest: int) -> Iterator[Batch]:
        if not self._unpadded:
            return padded_batches(
                windows,
                batch_tokens=batch_tokens,
                padding=padding_of(self._model.config),
                kind=self._device.kind,
                longest=longest,
            )
        # RoBERTa counts positions from the number after the padding's id.
        first = getattr(self._model.base_model.embeddings, "padding_idx", -1) + 1
        return unpadded.packed_rows(windows, batch_tokens=batch_tokens, first_position=first)

    @torch.inference_mode()
    def _compute(self, batch: Batch) -> np.ndarray:
        kind = self._device.kind
        inputs = {
            name: each.to(kind) if isinstance(each, torch.Tensor) else each for name, each in batch.inputs.items()
        }
        logits: torch.Tensor = self._model(**inputs).logits[: len(batch.windows)]
        return logits.float().cpu().numpy()

    def _load(self, folder: Path, dtype: torch.dtype) -> PreTrainedModel:
        # On a CPU, whole score matrices of a few short windows in bfloat16 are faster than PyTorch's flash attention.
        plain = self._device.kind == "cpu" and dtype is not torch.float32
        model = AutoModelForSequenceClassification.from_pretrained(
            folder,
            dtype=dtype,
            attn_implementation="eager" if plain else None,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
        )
        return cast(PreTrainedModel, model.eval().to(self._device.kind))


def loaded_once(folder: Path, device: Device) -> Callable[[torch.dtype], ScoringModel]:
    """Return a function that gives a classifier in a number format; it loads each when it is first asked for it.

    A model that is loaded and forgotten leaves up to a hundred megabytes behind, and a large corpus has close calls to
    read again many times.
    """
    return functools.cache(lambda dtype: ScoringModel(folder, device, dtype))
