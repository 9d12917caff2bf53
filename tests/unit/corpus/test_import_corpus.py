"""The stage of the corpus: what is dropped, counted, split and drawn."""

import json
import re

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def test_what_is_dropped_is_counted_with_its_reason_and_place(corpus):
    rows = [{"text": text} for text in ("kept", " kept\n", "x", None, "also kept", "\ud800 half", ["a"], 1.5)]
    table, summary = corpus({"t.jsonl": "\n".join(json.dumps(row) for row in rows)})
    assert table["text"].tolist() == ["kept", "also kept"]
    assert summary.read == 8 and summary.texts == 2
    assert summary.dropped == {
        "duplicate of an earlier text": 1,
        "shorter than 2 characters (corpus.min_characters)": 1,
        "empty cell": 1,
        "a list, not text": 1,
        "a number, not text": 1,
        "half of a surrogate pair, which UTF-8 can't encode": 1,
    }
    assert summary.dropped_examples["empty cell"] == ["t.jsonl:4"]


def test_the_summary_counts_characters_bytes_and_lengths(corpus):
    _, summary = corpus({"t.txt": "čtyři\nab\nabcd"}, txt_unit="line")
    assert (summary.characters, summary.utf8_bytes) == (11, 13)
    assert summary.length_quantiles_characters["0.5"] == 4
    assert set(summary.inputs) == {"data/t.txt"}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(min_size=2).filter(lambda text: text.strip() == text), min_size=2, unique=True))
def test_any_texts_come_back_as_they_are(corpus, texts):
    normal = [re.sub(r"^[\s\ufeff]+|[\s\ufeff]+$", "", re.sub("\r\n?", "\n", text)) for text in texts]
    wanted = [text for text in dict.fromkeys(normal) if len(text) >= 2]
    if len(wanted) < 2:
        return
    lines = "\n".join(json.dumps({"text": text}) for text in texts)
    table, _ = corpus({"t.jsonl": lines})
    assert table["text"].tolist() == wanted
    assert {"train", "validation"} == set(table["split"])


def test_a_new_text_moves_no_other_between_the_splits(corpus):
    lines = [f"text number {number}" for number in range(200)]
    before, _ = corpus({"t.txt": "\n".join(lines)}, txt_unit="line", txt_document="text", validation_share=0.2)
    files = {"t.txt": "\n".join([*lines[:50], "a new one", *lines[50:]])}
    after, _ = corpus(files, txt_unit="line", txt_document="text", validation_share=0.2)
    old = after[after["text"] != "a new one"].reset_index(drop=True)
    pd.testing.assert_frame_equal(old, before)
    assert 20 < (before["split"] == "validation").sum() < 60


def test_the_texts_of_a_file_are_in_one_split_unless_each_is_a_document(corpus):
    files = {f"{file}.txt": "\n\n".join(f"text {n} of {file}" for n in range(8)) for file in "abcdefghij"}
    for unit in ("line", "block"):
        table, summary = corpus(files, txt_unit=unit)
        assert table.groupby("document")["split"].nunique().tolist() == [1] * 10
        assert set(table["document"]) == {f"data/{file}" for file in files} and summary.parts == 0
        table, summary = corpus(files, txt_unit=unit, txt_document="text")
        assert (table["document"] == table["id"]).all() and summary.documents == 80


def test_a_file_with_more_than_half_of_the_texts_is_cut_into_parts(corpus):
    novel, letter = [f"paragraph {number}" for number in range(2000)], "\n".join(f"line {n}" for n in range(30))
    first, summary = corpus({"a.txt": "\n".join(novel), "b.txt": letter}, txt_unit="line", validation_share=0.1)
    parts = first[first["document"] != "data/b.txt"]["document"]
    assert summary.parts == parts.nunique() == 100 and summary.documents == 101
    assert parts.value_counts().tolist() == [20] * 100
    assert parts.iloc[[0, 19, 20, 1999]].tolist() == [f"data/a.txt, part {number}" for number in (1, 1, 2, 100)]
    assert 0.03 < (first["split"] == "validation").mean() < 0.2
    assert first.groupby("document")["split"].nunique().max() == 1
    # Texts added at the end of the file move no others.
    second, _ = corpus({"a.txt": "\n".join([*novel, "one", "two"])}, txt_unit="line", validation_share=0.1)
    moved = first.merge(second, on="id", suffixes=("", "_then"))
    assert len(moved) == 2030 and (moved["split"] == moved["split_then"]).all()


def test_a_short_file_alone_has_parts_enough(corpus):
    table, summary = corpus({"a.txt": "\n".join(f"line {n}" for n in range(180))}, txt_unit="line")
    assert summary.parts == 60 and table["document"].value_counts().max() == 3
    table, summary = corpus({"a.txt": "one line\nand another"}, txt_unit="line")
    assert summary.parts == 2 and sorted(table["split"]) == ["train", "validation"]


def test_a_sample_hardly_changes_when_a_text_is_added(corpus):
    lines = [f"text number {number}" for number in range(200)]
    first, _ = corpus({"t.txt": "\n".join(lines)}, txt_unit="line", max_texts=50)
    second, _ = corpus({"t.txt": "\n".join([*lines, "one more"])}, txt_unit="line", max_texts=50)
    other, _ = corpus({"t.txt": "\n".join(lines)}, seed=2, txt_unit="line", max_texts=50)
    assert len(first) == 50 and len(set(first["text"]) - set(second["text"])) <= 1
    assert len(set(first["text"]) & set(other["text"])) < 35


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a.txt": ""}, ["the corpus is empty", "1 × shorter than 2 characters"]),
        ({"a.txt": "one\n"}, ["one single document"]),
        ({"a.pdf": "one\n"}, ["data"]),
    ],
)
def test_a_corpus_that_is_empty_or_one_document_is_refused(refusal, files, said):
    message = refusal(files)
    for part in said:
        assert part in message
