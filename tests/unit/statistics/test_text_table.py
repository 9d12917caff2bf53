"""The table of all texts: what statistics hold of each, read in batches."""

import hashlib

import pandas as pd
import pytest

from samizdat.records import io
from samizdat.records.corpus import TEXTS
from samizdat.records.io import write_table
from samizdat.statistics.text_table import text_table


def write_corpus(folder, number: int, **columns):
    texts = [f"sentence č {place}" for place in range(number)]
    hashes = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    frame = pd.DataFrame(
        {"id": [one[:16] for one in hashes], "text": texts, "document": [f"file.jsonl:{n}" for n in range(number)],
         "group": None, "split": ["train", "test"] * (number // 2), "sha256": hashes, "ratings": None, "raters": None,
         "label_mood": "good", **columns}
    )  # fmt: skip
    write_table(frame, TEXTS, folder / "texts.parquet")
    return frame, folder / "texts.parquet"


@pytest.mark.parametrize("rows", [3, 50_000])
def test_names_are_numbers_and_only_what_is_held_out_is_whole(tmp_path, monkeypatch, rows):
    monkeypatch.setattr(io, "BATCH_ROWS", rows)
    groups = ["b", None, "a", "b", "a", "b", None, "c"]
    frame, path = write_corpus(
        tmp_path, 8, document=list("yxyzxzwy"), group=groups, label_mood=["sad", None, *["good"] * 6],
        ratings=[[1, 2], [3]] * 4, raters=[[("mood", ["good"])]] * 7 + [None],
    )  # fmt: skip
    table = text_table(path)
    assert table["document"].tolist() == [0, 1, 0, 2, 1, 2, 3, 0]
    assert [None if pd.isna(one) else one for one in table["group"]] == groups
    assert table["group"].cat.categories.tolist() == ["a", "b", "c"]
    assert table["split"].tolist() == frame["split"].tolist()
    assert table["label_mood"].tolist()[2:] == ["good"] * 6 and pd.isna(table["label_mood"][1])
    assert table["bytes"].tolist() == [0, 13] * 4
    held_out = table["split"] == "test"
    for column in ("id", "text", "ratings", "raters"):
        assert table.loc[~held_out, column].isna().all()
        assert table.loc[held_out, column].dropna().tolist() == frame.loc[held_out, column].dropna().tolist()
    assert table[["id", "raters"]].notna().sum().tolist() == [4, 3]


def test_a_text_takes_few_bytes_where_nobody_judged_it(tmp_path):
    _, path = write_corpus(tmp_path, 2000)
    table = text_table(path)
    assert table["text"].isna().all() and table["raters"].isna().all()
    assert table.memory_usage(index=False).sum() / len(table) < 30
