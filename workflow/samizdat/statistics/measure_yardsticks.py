"""Measure how well compressors and an n-gram model predict the held-out texts, to compare the models with."""

from collections import deque
from pathlib import Path

import numpy as np

from samizdat.base import stage
from samizdat.measures.byte_ngrams import ByteNgrams
from samizdat.measures.compression import xz_bytes, xz_bytes_after
from samizdat.records.io import read_batches
from samizdat.records.yardsticks import YARDSTICKS
from samizdat.statistics.drawn_texts import drawn_texts
from samizdat.statistics.tables import write_rows

# Of longer training texts only the end is read: xz needs twelve times as much memory, the n-gram model fifty times.
MOST_READ_BYTES = 32_000_000
# Of longer held-out texts some are drawn: xz reads a megabyte a second.
MOST_HELD_OUT_CHARACTERS = 8_000_000
_END = b"\n"


def measure_yardsticks(texts: Path, yardsticks: Path) -> str:
    """Write the bits per byte that each yardstick needs for the held-out texts; `docs/methods.md` defines them.

    Args:
        texts: the corpus.
        yardsticks: where to write.
    """
    drawn = drawn_texts(texts, np.random.default_rng(0), "test", MOST_HELD_OUT_CHARACTERS)
    held_out = [text.encode() for text in drawn["text"]]
    training_bytes, last = _last(texts, MOST_READ_BYTES)
    ends = [_joined(part) for part in (last, held_out)]
    bits = {
        "xz": 8 * xz_bytes(ends[1]),
        "xz_after_training": 8 * xz_bytes_after(ends[1], ends[0]),
        "ngram": ByteNgrams(last).bits(held_out),
    }
    sizes = {"training_bytes": training_bytes, "held_out_bytes": sum(map(len, held_out))}
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


def _last(texts: Path, most: int) -> tuple[int, list[bytes]]:
    """Return the bytes of all training texts, and the last texts that have at most so many bytes together.

    Of a last text that alone has more it is the end.
    """
    whole = size = 0
    last: deque[bytes] = deque()
    for batch in read_batches(texts, "text", "split"):
        for text in batch.loc[batch["split"] == "train", "text"]:
            last.append(text.encode())
            whole += len(last[-1])
            size += len(last[-1])
            while size > most and len(last) > 1:
                size -= len(last.popleft())
    return whole, [text[-most:] for text in last]


def _joined(texts: list[bytes]) -> bytes:
    return b"".join(text + _END for text in texts)


if __name__ == "__main__":
    stage.run(measure_yardsticks)
