"""Measure how well compressors and an n-gram model predict the held-out texts, to compare the models with."""

from pathlib import Path

import pandas as pd

from samizdat.base import stage
from samizdat.measures.byte_ngrams import ByteNgrams
from samizdat.measures.compression import xz_bytes, xz_bytes_after
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_table
from samizdat.records.yardsticks import YARDSTICKS
from samizdat.statistics.tables import write_rows

# Of longer training texts only the end is read: xz needs twelve times as much memory, the n-gram model fifty times.
MOST_READ_BYTES = 32_000_000
_END = b"\n"


def measure_yardsticks(texts: Path, yardsticks: Path) -> str:
    """Write the bits per byte that each yardstick needs for the held-out texts; `docs/methods.md` defines them.

    Args:
        texts: the corpus.
        yardsticks: where to write.
    """
    corpus = read_table(texts, TEXTS)
    training, held_out = (_encoded(corpus, split) for split in ("train", "test"))
    last = _last(training, MOST_READ_BYTES)
    ends = [_joined(part) for part in (last, held_out)]
    bits = {
        "xz": 8 * xz_bytes(ends[1]),
        "xz_after_training": 8 * xz_bytes_after(ends[1], ends[0]),
        "ngram": ByteNgrams(last).bits(held_out),
    }
    sizes = {"training_bytes": sum(map(len, training)), "held_out_bytes": sum(map(len, held_out))}
    read = sum(map(len, last))
    rows = [
        {
            "yardstick": name,
            "read_bytes": 0 if name == "xz" else read,
            **sizes,
            "bits_per_byte": needed / sizes["held_out_bytes"],
        }
        for name, needed in bits.items()
    ]
    write_rows(rows, YARDSTICKS, yardsticks)
    return ", ".join(f"{row['yardstick']} {row['bits_per_byte']:.2f}" for row in rows) + " bits per byte"


def _encoded(corpus: pd.DataFrame, split: str) -> list[bytes]:
    return [text.encode() for text in corpus.loc[corpus["split"] == split, "text"]]


def _last(texts: list[bytes], most: int) -> list[bytes]:
    """Return the last texts that have at most so many bytes together; of one that alone has more, its end."""
    size = 0
    for number, text in enumerate(reversed(texts)):
        size += len(text)
        if size > most:
            return texts[len(texts) - number :] or [text[-most:]]
    return texts


def _joined(texts: list[bytes]) -> bytes:
    return b"".join(text + _END for text in texts)


if __name__ == "__main__":
    stage.run(measure_yardsticks)
