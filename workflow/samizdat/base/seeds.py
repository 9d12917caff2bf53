"""One master seed, and a stream of its own for every stage and item."""

import hashlib
import random


def derive_seed(master: int, *names: str | int | float) -> int:
    """A 63-bit seed that depends on the master seed and the names alone.

    A new stage or item takes a name of its own and so shifts no stream that exists already.
    """
    path = "\x1f".join([str(master), *(repr(name) for name in names)])
    return int.from_bytes(hashlib.sha256(path.encode()).digest()[:8], "big") >> 1


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch; NumPy takes the low 32 bits, which is all that it accepts."""
    import numpy
    import torch

    random.seed(seed)
    numpy.random.seed(seed & 0xFFFFFFFF)
    torch.manual_seed(seed)
