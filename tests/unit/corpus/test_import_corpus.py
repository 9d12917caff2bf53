"""The stage of the corpus: what is dropped, counted, split and drawn."""

import hashlib
import json
import re

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samizdat.corpus.gathered import Gathered
from samizdat.corpus.splits import place_of
from samizdat.records.corpus import SPLITS


def test_what_is_dropped_is_counted_with_its_reason_and_place(corpus):
    rows = [
        {"text": text} for text in ("kept", " kept\n", "x", None, "also kept", "\ud800 half", ["a"], {"a": 1}, "third")
    ]
    table, summary = corpus({"t.jsonl": "\n".join(json.dumps(row) for row in rows)})
    assert table["text"].tolist() == ["kept", "also kept", "third"]
    assert summary.read == 9 and summary.texts == 3
    assert summary.dropped == {
        "duplicate of an earlier text": 1,
        "shorter than 2 characters (corpus.min_characters)": 1,
        "empty cell": 1,
        "a list, not text": 1,
        "an object, not text": 1,
        "half of a surrogate pair, which UTF-8 can't encode": 1,
    }
    assert summary.dropped_examples["empty cell"] == ["t.jsonl:4"]


def test_a_text_gets_the_labels_that_only_its_duplicates_have_and_different_ones_are_told(corpus, capsys):
    rows = [
        {"text": "one", "mood": None, "kind": "a"}, {"text": "one", "mood": "good", "kind": "b"},
        {"text": "two", "mood": "bad", "kind": "a"}, {"text": "two", "mood": None, "kind": "a"},
        {"text": "one", "mood": "bad", "kind": "a"}, {"text": "three", "mood": None, "kind": "b"},
    ]  # fmt: skip
    table, summary = corpus({"t.jsonl": "\n".join(map(json.dumps, rows))}, label_columns=("mood", "kind"))
    labels = table.set_index("text")[["label_mood", "label_kind"]].replace({None: ""})
    assert labels.T.to_dict("list") == {"one": ["good", "a"], "two": ["bad", "a"], "three": ["", "b"]}
    assert summary.labels == {"mood": {"bad": 1, "good": 1}, "kind": {"a": 2, "b": 1}}
    assert summary.conflicting == {"kind": 1, "mood": 1} and summary.dropped == {"duplicate of an earlier text": 3}
    assert "! the column 'kind' has several labels for the duplicates of 1 text; the first" in capsys.readouterr().err


def test_raters_of_a_duplicate_count_only_where_the_text_has_none(corpus):
    rows = [
        {"text": "one"}, {"text": "one", "anna": "a", "ben": "a"},
        {"text": "two", "anna": "a", "ben": "b"}, {"text": "two", "anna": "a", "ben": "a"}, {"text": "three"},
    ]  # fmt: skip
    table, summary = corpus({"t.jsonl": "\n".join(map(json.dumps, rows))}, rater_columns={"mood": ["anna", "ben"]})
    assert table["label_mood"].fillna("").tolist() == ["a", "", ""] and summary.undecided == {"mood": 1}
    assert [dict(row)["mood"].tolist() for row in table["raters"]] == [["a", "a"], ["a", "b"], []]


def test_a_text_in_two_splits_keeps_the_first_splits_label_whatever_was_read_first(corpus):
    rows = [
        {"text": "one", "split": "validation", "mood": "good", "kind": "a"},
        {"text": "one", "split": "train", "mood": "bad"}, {"text": "two", "split": "train"},
        {"text": "three", "split": "test"},
        {"text": "four", "split": "validation"}, *({"text": f"text {number}", "split": "train"} for number in range(9)),
    ]  # fmt: skip
    lines = {"t.jsonl": "\n".join(map(json.dumps, rows))}
    table, summary = corpus(lines, label_columns=("mood", "kind"), split_column="split")
    (one,) = table[table["text"] == "one"].to_dict("records")
    assert (one["split"], one["label_mood"], one["label_kind"]) == ("train", "bad", "a")
    assert summary.conflicting == {"mood": 1}


def test_the_summary_counts_characters_bytes_and_lengths(corpus):
    _, summary = corpus({"t.txt": "čtyři\nab\nabcd"}, txt_unit="line")
    assert (summary.characters, summary.utf8_bytes) == (11, 13)
    assert summary.length_quantiles_characters["0.5"] == 4
    assert set(summary.inputs) == {"data/t.txt"}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(min_size=2).filter(lambda text: text.strip() == text), min_size=3, unique=True))
def test_any_texts_come_back_as_they_are(corpus, texts):
    normal = [re.sub(r"^[\s\ufeff]+|[\s\ufeff]+$", "", re.sub("\r\n?", "\n", text)) for text in texts]
    wanted = [text for text in dict.fromkeys(normal) if len(text) >= 2]
    if len(wanted) < 3:
        return
    lines = "\n".join(json.dumps({"text": text}) for text in texts)
    table, _ = corpus({"t.jsonl": lines})
    assert table["text"].tolist() == wanted
    # Texts that are equal but for case, blanks or punctuation are in one split, so there may be too few documents.
    assert set(SPLITS) == set(table["split"])


def test_a_new_text_moves_no_other_between_the_splits(corpus):
    lines = [f"text number {number}" for number in range(200)]
    how = {"txt_unit": "line", "txt_document": "text", "validation_share": 0.1, "test_share": 0.2}
    before, _ = corpus({"t.txt": "\n".join(lines)}, **how)
    files = {"t.txt": "\n".join([*lines[:50], "a new one", *lines[50:]])}
    after, _ = corpus(files, **how)
    old = after[after["text"] != "a new one"].reset_index(drop=True)
    pd.testing.assert_frame_equal(old, before)
    assert 20 < (before["split"] == "test").sum() < 60 and 10 < (before["split"] == "validation").sum() < 30


def test_the_test_split_does_not_depend_on_the_size_of_the_validation_split(corpus):
    files = {"t.txt": "\n".join(f"text number {number}" for number in range(200))}
    how = {"txt_unit": "line", "txt_document": "text", "test_share": 0.2}
    small, _ = corpus(files, **how, validation_share=0.05)
    large, _ = corpus(files, **how, validation_share=0.4)
    assert ((small["split"] == "test") == (large["split"] == "test")).all()
    assert set(small.loc[small["split"] == "validation", "id"]) < set(large.loc[large["split"] == "validation", "id"])


@pytest.mark.parametrize("documents", range(3, 10))
@pytest.mark.parametrize("share", [0.001, 0.499])
def test_few_documents_are_in_all_splits_whatever_the_shares(corpus, documents, share):
    rows = [{"text": f"text {number} of {document}", "of": document}
            for document in range(documents) for number in range(4)]  # fmt: skip
    lines = {"t.jsonl": "\n".join(map(json.dumps, rows))}
    _, summary = corpus(lines, document_column="of", validation_share=share, test_share=share)
    assert set(summary.split_documents) == set(SPLITS) and sum(summary.split_documents.values()) == documents
    assert summary.splits == {split: 4 * number for split, number in summary.split_documents.items()}
    if share < 0.01:
        assert (summary.split_documents["validation"], summary.split_documents["test"]) == (1, 1)
    else:
        assert summary.split_documents["train"] == max(1, sum(place_of(f"split:{d}") >= 2 * share
                                                               for d in range(documents)))  # fmt: skip


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
    first, summary = corpus(
        {"a.txt": "\n".join(novel), "b.txt": letter}, txt_unit="line", validation_share=0.1, test_share=0.05
    )
    parts = first[first["document"] != "data/b.txt"]["document"]
    assert summary.parts == parts.nunique() == 100 and summary.documents == 101
    assert parts.value_counts().tolist() == [20] * 100
    assert parts.iloc[[0, 19, 20, 1999]].tolist() == [f"data/a.txt, part {number}" for number in (1, 1, 2, 100)]
    assert 0.02 < (first["split"] == "validation").mean() < 0.2 and 0.01 < (first["split"] == "test").mean() < 0.12
    assert first.groupby("document")["split"].nunique().max() == 1
    # Texts added at the end of the file move no others.
    longer = {"a.txt": "\n".join([*novel, "one", "two"])}
    second, _ = corpus(longer, txt_unit="line", validation_share=0.1, test_share=0.05)
    moved = first.merge(second, on="id", suffixes=("", "_then"))
    assert len(moved) == 2030 and (moved["split"] == moved["split_then"]).all()


def test_a_short_file_alone_has_parts_enough(corpus):
    table, summary = corpus({"a.txt": "\n".join(f"line {n}" for n in range(180))}, txt_unit="line")
    assert summary.parts == 60 and table["document"].value_counts().max() == 3
    table, summary = corpus({"a.txt": "one line\nand another\nand a third"}, txt_unit="line")
    assert summary.parts == 3 and sorted(table["split"]) == sorted(SPLITS)


def test_of_two_files_of_one_length_the_first_is_cut(corpus):
    files = {name: "\n".join(f"line {number} of {name}" for number in range(100)) for name in ("a.txt", "b.txt")}
    table, summary = corpus(files, txt_unit="line")
    assert summary.parts == 50 and summary.documents == 51 and set(table["split"]) == set(SPLITS)


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
        ({"a.txt": "one\n"}, ["one single document (1 text), and 3 are needed"]),
        ({"a.txt": "one", "b.txt": "two"}, ["only 2 documents (2 texts), and 3 are needed"]),
        ({"a.pdf": "one\n"}, ["data"]),
    ],
)
def test_a_corpus_that_is_empty_or_has_too_few_documents_is_refused(refusal, files, said):
    message = refusal(files)
    for part in said:
        assert part in message


def test_what_was_left_out_is_told_where_too_little_is_left(refusal, capsys):
    assert "only 2 documents (2 texts)" in refusal({"a.jsonl": '{"text": "one"}\n{"text": []}\n{"text": "two"}\n{}'})
    told = "! of 4 texts these were left out: 1 × a list, not text; 1 × empty cell"
    assert told in capsys.readouterr().err


def test_documents_that_are_nearly_the_same_count_as_one(refusal):
    rows = [*({"text": text, "of": "a"} for text in ("one", "of", "four", "lines")),
            {"text": "two", "of": "b"}, {"text": "Two!", "of": "c"}]  # fmt: skip
    message = refusal({"t.jsonl": "\n".join(map(json.dumps, rows))}, document_column="of")
    assert "only 2 documents (6 texts)" in message and "nearly the same count as one" in message


def test_a_file_that_changes_while_it_is_read_is_recorded_as_it_was_before(corpus, tmp_path, monkeypatch):
    def read_then_changed(*arguments):
        add_all(*arguments)
        (tmp_path / "data" / "t.txt").write_text("other", encoding="utf-8")

    add_all = Gathered.add_all
    monkeypatch.setattr(Gathered, "add_all", read_then_changed)
    _, summary = corpus({"t.txt": "one\ntwo\nthree"}, txt_unit="line")
    assert summary.inputs == {"data/t.txt": hashlib.sha256(b"one\ntwo\nthree").hexdigest()}


def test_what_a_killed_import_left_on_the_disk_is_deleted(corpus, tmp_path):
    left = tmp_path / "work" / "reading" / "texts"
    left.parent.mkdir(parents=True)
    left.write_text("half of a corpus", encoding="utf-8")
    table, _ = corpus({"t.txt": "one\ntwo\nthree"}, txt_unit="line")
    assert table["text"].tolist() == ["one", "two", "three"] and not left.parent.exists()
