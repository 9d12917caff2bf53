"""Turn a pickled state dict into safetensors, in a process of its own.

Call: `python -m samizdat.checkpoints.unpickle IN OUT`.
"""

import sys

import torch
from safetensors.torch import save_file


def unpickle(source: str, target: str) -> None:
    """Read tensors and nothing else from a pickle, and write them as safetensors.

    `weights_only` refuses every pickle that asks for more than tensors. Tensors that share memory are written
    apart; the model that loads them ties its own.

    Raises:
        Exception: of whatever kind the pickle's fault leads to; nothing is written then.
    """
    state = torch.load(source, map_location="cpu", weights_only=True)
    save_file({name: tensor.contiguous().clone() for name, tensor in state.items()}, target)


def _reason(error: Exception) -> str:
    """The one sentence that matters of torch's long message."""
    text = str(error).partition("WeightsUnpickler error: ")[2] or str(error)
    return f"{type(error).__name__}: {' '.join(text.split()).partition('. ')[0]}"


if __name__ == "__main__":
    try:
        unpickle(*sys.argv[1:])
    except Exception as error:
        sys.exit(_reason(error))
