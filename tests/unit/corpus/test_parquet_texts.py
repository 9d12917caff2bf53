"""Parquet: types of columns, fields of structs, tables in parts, damage."""

import datetime
import decimal
import gzip
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

TEXTS = ["one", "two", "three"]
NIL = "00000000-0000-0000-0000-000000000061"
NOT_UTF8 = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff"]).buffers())


def parquet(compression: str = "snappy", **columns) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, compression=compression)
    return file.getvalue()


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (pa.array([1.0, 2.0, float("nan")]), ["1", "2", None]),
        (pa.array([0.5, 2.0, None]), ["0.5", "2", None]),
        (pa.array([0.1, 0.25, 3.0], pa.float32()), ["0.1", "0.25", "3"]),
        (pa.array([1, None, 3], pa.int8()), ["1", None, "3"]),
        (pa.array([True, False, None]), ["true", "false", None]),
        (pa.array(["a", None, " "]), ["a", None, None]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
        (pa.array([datetime.date(2024, 5, 1)] * 3), ["2024-05-01"] * 3),
        (pa.array([datetime.datetime(2024, 5, 1)] * 3, pa.timestamp("ns")), ["2024-05-01"] * 3),
        (pa.array([datetime.datetime(2024, 5, 1)] * 3, pa.timestamp("s")), ["2024-05-01"] * 3),
        (pa.array([datetime.datetime(2024, 5, 1, 12, 30)] * 3), ["2024-05-01 12:30:00"] * 3),
        (pa.array([datetime.datetime(2024, 5, 1, 0, 0, 0, 500)] * 3), ["2024-05-01 00:00:00.000500"] * 3),
        (pa.ExtensionArray.from_storage(pa.uuid(), pa.array([bytes(15) + b"a"] * 3, pa.binary(16))), [NIL] * 3),
        (pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, None, 0], pa.int8())), ["true", None, "false"]),
        (pa.array([decimal.Decimal("1.10")] * 3), ["1.10"] * 3),
    ],
)
def test_labels_of_any_single_type_look_as_people_write_them(corpus, values, wanted):
    table, _ = corpus({"t.parquet": parquet(text=TEXTS, mood=values)}, label_columns=("mood",))
    assert [label if isinstance(label, str) else None for label in table["label_mood"]] == wanted


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
def test_texts_of_any_string_type_are_read(corpus, kind):
    assert corpus({"t.parquet": parquet(text=pa.array(TEXTS).cast(kind))})[0]["text"].tolist() == TEXTS


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"text": pa.array([b"one"])}, "the column 'text' (corpus.text_column) holds binary, not text"),
        ({"text": pa.array([1])}, "holds int64, not text"),
        ({"text": pa.array([["one"]])}, "holds list<element: string>, not text"),
        ({"text": pa.array([{"a": "one"}])}, "holds struct<a: string>, not text"),
        ({"text": pa.nulls(1)}, "not text"),
        ({"text": ["one"], "mood": [["a"]]}, "'mood' (corpus.label_columns) holds list<element: string>"),
        ({"text": ["one"], "mood": [b"a"]}, "holds binary, but a name or label is a single value"),
        ({"text": ["one"], "mood": pa.array([b"\xff"], pa.binary(1))}, "holds fixed_size_binary[1], but a name"),
        ({"text": ["one"], "mood": pa.array([b"\xff"], pa.binary_view())}, "holds binary_view, but a name"),
        ({"text": NOT_UTF8}, "t.parquet: a cell is not UTF-8, which strings in Parquet files are"),
        ({"text": ["one"], "mood": NOT_UTF8}, "t.parquet: a cell is not UTF-8, which strings in Parquet files are"),
        ({"words": ["one"], "mood": ["a"]}, "has no column 'text' (corpus.text_column); it has: 'mood', 'words'"),
        ({"text": pa.array([None], pa.string()), "mood": ["a"]}, "of 1 texts none could be used (1 × empty cell"),
    ],
)  # fmt: skip
def test_columns_that_hold_no_text_or_label_are_named_with_their_type(refusal, columns, said):
    columns = {"mood": ["a"]} | columns
    assert said in refusal({"t.parquet": parquet(**columns)}, label_columns=("mood",))


def test_two_columns_of_one_name_are_refused(refusal):
    file = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"]), file)
    assert "has 2 columns 'text'" in refusal({"t.parquet": file.getvalue()})


def test_fields_of_structs_have_dotted_paths(corpus):
    body = pa.array(
        [{"text": "one", "by": {"name": "Ann"}}, {"text": "two", "by": None}, {"text": "three", "by": None}, None]
    )
    data = parquet(body=body, **{"a.b": ["x", "y", "z", "x"]})
    table, summary = corpus(
        {"t.parquet": data}, text_column="body.text", group_column="body.by.name", label_columns=("a.b",)
    )
    assert table["text"].tolist() == ["one", "two", "three"] and summary.dropped == {"empty cell": 1}
    assert table["group"].fillna("none").tolist() == ["Ann", "none", "none"]
    assert table["label_a.b"].tolist() == ["x", "y", "z"]


@pytest.mark.parametrize("named", ["data", "data/t.parquet"])
def test_the_parts_of_a_table_are_read_with_the_values_in_their_folders_names(corpus, named):
    files = {
        "t.parquet/_SUCCESS": "",
        "t.parquet/mood=good%2Fgreat/part-0.snappy.parquet": parquet(text=["one", "two"]),
        "t.parquet/mood=bad/part-1.parquet": parquet(text=["three"]),
        "t.parquet/mood=__HIVE_DEFAULT_PARTITION__/part-2.parquet": parquet(text=["four"]),
    }
    table, summary = corpus(files, paths=(named,), label_columns=("mood",))
    labels = dict(zip(table["text"], table["label_mood"].fillna("none"), strict=True))
    assert labels == {"one": "good/great", "two": "good/great", "three": "bad", "four": "none"}
    assert summary.unread == {"a name without a suffix": "data/t.parquet/_SUCCESS"}


def test_a_column_of_the_file_counts_before_the_name_of_a_folder(corpus):
    table, _ = corpus({"mood=all/t.parquet": parquet(text=TEXTS, mood=["a", "b", "c"])}, label_columns=("mood",))
    assert table["label_mood"].tolist() == ["a", "b", "c"]


def test_damaged_files_are_called_so(refusal):
    data = parquet(text=[f"a text with the number {number}" for number in range(500)])
    wrong = data[:60] + bytes(400) + data[460:]
    for damaged in (data[:-20], data[:100], b"", b"PAR1", wrong, b"text\none\n"):
        assert "t.parquet is damaged, or no Parquet file" in refusal({"t.parquet": damaged})


def test_a_compressed_parquet_file_is_read(corpus):
    assert corpus({"t.parquet.gz": gzip.compress(parquet(text=TEXTS))})[0]["text"].tolist() == TEXTS
