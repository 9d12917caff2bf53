"""Turn a pickled state dict into safetensors, in a process of its own: `python -m samizdat.unpickle IN OUT`."""

import sys

import torch
from safetensors.torch import save_file


def unpickle(source: str, target: str) -> None:
    """Read tensors and nothing else from a pickle, and write them as safetensors.

    `weights_only` refuses every pickle that asks for more than tensors. Tensors that share memory are written
    apart; the model that loads them ties its own.
    """
    state = torch.load(source, map_location="cpu", weights_only=True)
    save_file({name: tensor.contiguous().clone() for name, tensor in state.items()}, target)


if __name__ == "__main__":
    unpickle(*sys.argv[1:])
