"""Tables and documents have exactly their schema, or an error says what is wrong."""

import tracemalloc

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from samizdat.base.errors import UserError
from samizdat.records import io
from samizdat.records.classifiers import SCORES
from samizdat.records.corpus import TEXT_LANGUAGES, TEXTS, CorpusSummary
from samizdat.records.io import (
    read_batches,
    read_columns,
    read_document,
    read_rows,
    read_table,
    read_where,
    write_batches,
    write_document,
    write_table,
)
from samizdat.records.models import TokenizerSummary
from samizdat.records.samples import SAMPLES


def test_a_table_of_another_schema_is_neither_written_nor_read(tmp_path):
    path = tmp_path / "scores.parquet"
    row = {
        "id": ["a"],
        "label": ["x"],
        "labels": [None],
        "number": [None],
        "probabilities": [[0.25, 0.75]],
        "windows": [1],
    }
    row |= {"seen_in_training": [False], "reason": [None]}
    write_table(pd.DataFrame(row), SCORES, path)
    assert read_table(path, SCORES)["probabilities"][0].tolist() == [0.25, 0.75]
    with pytest.raises(ValueError, match="wanted"):
        write_table(pd.DataFrame(row | {"more": [1]}), SCORES, path)
    with pytest.raises(pa.ArrowInvalid):
        write_table(pd.DataFrame(row | {"windows": ["many"]}), SCORES, path)
    with pytest.raises(UserError, match="has other columns"):
        read_table(path, SAMPLES)
    path.write_bytes(b"PAR1 broken")
    with pytest.raises(UserError, match="damaged"):
        read_table(path, SCORES)
    path.unlink()
    with pytest.raises(UserError, match="missing"):
        read_table(path, SCORES)


def test_texts_may_bring_labels_and_no_other_columns(tmp_path):
    row = {
        "id": ["a"],
        "text": ["t"],
        "document": ["d"],
        "group": [None],
        "split": ["train"],
        "sha256": ["f"],
    }
    row |= {"ratings": [None], "raters": [None], "label_mood": ["good"]}
    path = tmp_path / "texts.parquet"
    write_table(pd.DataFrame(row), TEXTS, path)
    assert read_table(path, TEXTS)["label_mood"].tolist() == ["good"]
    with pytest.raises(ValueError, match="wanted"):
        write_table(pd.DataFrame(row | {"mood": ["good"]}), TEXTS, path)


def test_a_document_with_other_keys_is_refused(tmp_path):
    path = tmp_path / "summary.json"
    summary = TokenizerSummary("own", 300, {"train": 1}, {"train": 2}, {"train": 0}, 2.0, 0, "uint16")
    write_document(summary, path)
    assert read_document(TokenizerSummary, path) == summary
    with pytest.raises(UserError, match="has other keys"):
        read_document(CorpusSummary, path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match="damaged"):
        read_document(TokenizerSummary, path)


def test_a_damaged_column_name_is_damage(tmp_path):
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"share": [1]}), path)
    path.write_bytes(path.read_bytes().replace(b"share", b"\xe9hare"))
    with pytest.raises(UserError, match="damaged"):
        read_table(path, pa.schema([("share", pa.int64())]))


def test_columns_and_rows_are_read_whole_or_in_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(io, "BATCH_ROWS", 3)
    path = tmp_path / "a=b: {odd}" / "languages.parquet"
    frame = pd.DataFrame({"id": list("abcdefgh"), "language": ["en", "cs", None, "en", "cs", "cs", "en", "cs"]})
    write_table(frame, TEXT_LANGUAGES, path)
    assert pq.ParquetFile(path).num_row_groups == 3
    assert read_columns(path, "language", "id").equals(frame[["language", "id"]])
    assert read_where(path, "language", ["cs"], "id")["id"].tolist() == ["b", "e", "f", "h"]
    last = np.arange(len(frame)) > 6
    assert read_rows(path, last, "language", "id").equals(frame[7:][["language", "id"]].reset_index(drop=True))
    assert read_rows(path, ~last & last, "id").equals(frame[["id"]][:0])
    batches = list(read_batches(path, "id"))
    assert [len(batch) for batch in batches] == [3, 3, 2]
    assert [key for batch in batches for key in batch["id"]] == frame["id"].tolist()
    write_table(frame[:0], TEXT_LANGUAGES, tmp_path / "none.parquet")
    (empty,) = read_batches(tmp_path / "none.parquet", "language", "id")
    assert empty.empty and list(empty.columns) == ["language", "id"]
    assert read_where(tmp_path / "none.parquet", "language", ["cs"], "id").empty
    for read in (lambda: read_columns(path, "id", "text"), lambda: list(read_batches(path, "id", "text"))):
        with pytest.raises(UserError, match="damaged"):
            read()


@pytest.mark.parametrize("rows", [0, 2, 3, 8])
def test_a_table_that_is_written_in_batches_has_the_bytes_of_a_whole_one(tmp_path, monkeypatch, rows):
    monkeypatch.setattr(io, "BATCH_ROWS", 3)
    languages = ["en", "cs", None, "en", "cs", "cs", "en", "cs"]
    frame = pd.DataFrame({"id": list("abcdefgh"), "language": languages})[:rows]
    frames = (frame[start : start + 3] for start in range(0, max(1, rows), 3))
    write_table(frame, TEXT_LANGUAGES, tmp_path / "whole.parquet", {"a": "b"})
    write_batches(frames, TEXT_LANGUAGES, tmp_path / "batches.parquet", {"a": "b"})
    assert (tmp_path / "batches.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert list(read_table(tmp_path / "batches.parquet", TEXT_LANGUAGES)["id"]) == list("abcdefgh")[:rows]
    with pytest.raises(ValueError, match="columns"):
        write_batches([frame[["id"]]], TEXT_LANGUAGES, tmp_path / "other.parquet")


def test_of_a_file_only_the_rows_of_a_batch_are_held(tmp_path, monkeypatch):
    monkeypatch.setattr(io, "BATCH_ROWS", 100)
    path = tmp_path / "languages.parquet"
    random = np.random.default_rng(1)
    write_table(pd.DataFrame({"id": [random.bytes(2000).hex() for _ in range(1000)], "language": "en"}),
                TEXT_LANGUAGES, path)  # fmt: skip
    tracemalloc.start()
    held = []
    for _ in read_batches(path, "id"):
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert len(held) == 10 and max(held) < path.stat().st_size / 4


def test_batches_of_a_changed_or_missing_file_are_refused(tmp_path):
    path = tmp_path / "languages.parquet"
    write_table(pd.DataFrame({"id": ["a"], "language": ["en"]}), TEXT_LANGUAGES, path)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(UserError, match="damaged"):
        next(read_batches(path, "id"))
    path.unlink()
    with pytest.raises(UserError, match="missing"):
        next(read_batches(path, "id"))
