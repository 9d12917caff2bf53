"""Compress texts with xz, to say in known terms how predictable they are."""

import lzma

_SMALLEST_DICTIONARY = 1 << 16


def xz_bytes(data: bytes) -> int:
    """Return the size of the data compressed by xz at its best (`-9 --extreme`), without the file's head and checksum.

    The dictionary is as large as the data, so xz can repeat everything that came before.
    """
    dictionary = max(len(data), _SMALLEST_DICTIONARY)
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": dictionary}]
    return len(lzma.compress(data, format=lzma.FORMAT_RAW, filters=filters))


def xz_bytes_after(data: bytes, read: bytes) -> int:
    """Return how many bytes xz adds for the data where it has compressed other data before."""
    return xz_bytes(read + data) - xz_bytes(read)
