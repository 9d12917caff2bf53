"""The yardsticks of the stage: what they read, and how many bits they need for a byte of the held-out texts."""

from pathlib import Path

import pandas as pd
import pytest

from samizdat.measures.byte_ngrams import ByteNgrams
from samizdat.measures.compression import xz_bytes
from samizdat.records.corpus import TEXTS
from samizdat.records.io import read_table, write_table
from samizdat.records.yardsticks import YARDSTICKS
from samizdat.statistics import measure_yardsticks as stage
from support.run_fixture import sentences


@pytest.fixture
def measured(tmp_path):
    texts = sentences(300)
    held_out = [number % 5 == 0 for number in range(300)]
    corpus = pd.DataFrame({"id": [f"{number}" for number in range(300)], "text": texts})
    corpus = corpus.assign(
        document=corpus["id"], group=None, split=["test" if out else "train" for out in held_out], sha256="",
        ratings=None, raters=None,
    )  # fmt: skip
    write_table(corpus, TEXTS, tmp_path / "texts.parquet")

    def measure():
        said = stage.measure_yardsticks(tmp_path / "texts.parquet", tmp_path / "yardsticks.parquet")
        return said, read_table(tmp_path / "yardsticks.parquet", YARDSTICKS).set_index("yardstick")

    parts = [[text.encode() for text, out in zip(texts, held_out, strict=True) if out == part] for part in (0, 1)]
    return measure, *parts


def test_each_yardstick_is_measured_on_the_held_out_texts(measured):
    measure, training, held_out = measured
    said, rows = measure()
    size = sum(map(len, held_out))
    bits = rows["bits_per_byte"]
    assert bits["xz"] == 8 * xz_bytes(b"".join(text + b"\n" for text in held_out)) / size
    assert bits["ngram"] == pytest.approx(ByteNgrams(training).bits(held_out) / size)
    assert bits["ngram"] < bits["xz_after_training"] < bits["xz"]
    assert set(rows["held_out_bytes"]) == {size} and set(rows["training_bytes"]) == {sum(map(len, training))}
    assert rows["read_bytes"].tolist() == [0, *[sum(map(len, training))] * 2]
    assert said.startswith(f"xz {bits['xz']:.2f}, xz_after_training ")


def test_the_methods_say_how_much_is_read():
    methods = (Path(__file__).parents[3] / "docs" / "methods.md").read_text(encoding="utf-8")
    read = stage.MOST_READ_BYTES
    assert f"Of more than {read / 1e6:.0f} MB ({read:,} bytes) of training texts" in methods


@pytest.mark.parametrize("whole_texts", [3, 0])
def test_of_long_training_texts_only_the_end_is_read(measured, monkeypatch, whole_texts):
    measure, training, held_out = measured
    last = training[len(training) - whole_texts :] if whole_texts else [training[-1][-5:]]
    monkeypatch.setattr(stage, "MOST_READ_BYTES", sum(map(len, last)))
    rows = measure()[1]
    assert rows.loc["ngram", "read_bytes"] == sum(map(len, last)) < rows.loc["ngram", "training_bytes"]
    expected = ByteNgrams(last).bits(held_out) / rows.loc["ngram", "held_out_bytes"]
    assert rows.loc["ngram", "bits_per_byte"] == pytest.approx(expected)
