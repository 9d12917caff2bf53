"""Random seeds: one master seed, and a seed of its own for every stage and item."""

import hashlib


def derive_seed(master: int, *names: str | int | float) -> int:
    """Derive a 63-bit seed that depends only on the master seed and the names.

    A new stage or item has a new name, so it changes no seed that exists already.
    """
    path = "\x1f".join([str(master), *(repr(name) for name in names)])
    return int.from_bytes(hashlib.sha256(path.encode()).digest()[:8], "big") >> 1
