"""Convert a pickled state dict to safetensors, in a process of its own.

Usage: `python -m samizdat.checkpoints.unpickle IN OUT`.
"""

import sys

import torch
from safetensors.torch import save_file


def unpickle(source: str, target: str) -> None:
    """Read only tensors from a pickle, and write them as safetensors.

    `weights_only` refuses a pickle that has anything but tensors. Tensors that share memory are written as separate
    tensors; the model that loads them shares its own again.

    Raises:
        Exception: the pickle can't be read or has more than tensors; nothing is written.
    """
    state = torch.load(source, map_location="cpu", weights_only=True)
    save_file({name: tensor.contiguous().clone() for name, tensor in state.items()}, target)


def _reason(error: Exception) -> str:
    """Return the first sentence of the reason in torch's long message."""
    text = str(error).partition("WeightsUnpickler error: ")[2] or str(error)
    return f"{type(error).__name__}: {' '.join(text.split()).partition('. ')[0]}"


if __name__ == "__main__":
    try:
        unpickle(*sys.argv[1:])
    except Exception as error:
        sys.exit(_reason(error))
