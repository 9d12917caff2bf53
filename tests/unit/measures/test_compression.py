"""xz finds what repeats, in the data itself and in what it read before."""

import numpy as np

from samizdat.measures.compression import xz_bytes, xz_bytes_after


def test_noise_keeps_its_size_and_what_was_read_before_costs_little():
    noise = np.random.default_rng(1).bytes(200_000)
    assert 200_000 <= xz_bytes(noise) < 400_100
    assert xz_bytes(bytes(200_000)) < 200
    # The dictionary is larger than xz's smallest, so the beginning is still known at the end.
    assert xz_bytes_after(noise[:50_000], noise) < 400
    assert 50_000 <= xz_bytes_after(noise[:50_000], b"another text") < 50_100
