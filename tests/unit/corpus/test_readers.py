"""Readers of files: units of text, columns of tables, and what is refused with its place."""

import gzip
import json
import tracemalloc

import pandas as pd
import pyarrow as pa
import pytest

from samizdat.corpus.readers import Manner, read_file
from samizdat.corpus.rows import Columns, Findings
from support.spreadsheets import workbook


def test_a_text_file_is_a_text_a_line_or_a_block(corpus):
    content = "\ufefffirst line\r\nsecond line\n\n\nthird  line\n"
    files = {"a.txt": content, "b.txt": "another", "c.txt": "one more"}
    whole = ["first line\nsecond line\n\n\nthird  line", "another", "one more"]
    assert corpus(files)[0]["text"].tolist() == whole
    lines, _ = corpus(files, txt_unit="line")
    assert lines["text"].tolist() == ["first line", "second line", "third  line", "another", "one more"]
    for unit in ("line", "block"):
        dropped = corpus({"b.txt": "one\r\n\ntwo\n\nx\ny"}, txt_unit=unit, min_characters=5)[1].dropped_examples
        assert [places[-1] for places in dropped.values()] == ["b.txt:6" if unit == "line" else "b.txt:5"]
    assert corpus(files, txt_unit="block")[0]["text"].tolist() == ["first line\nsecond line", "third  line", *whole[1:]]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "jsonl", "parquet", "xlsx"])
def test_tables_bring_documents_groups_and_labels(corpus, tmp_path, suffix):
    frame = pd.DataFrame(
        {
            "words": ['he said "one,\ttwo"', "two\nlines", "third", "fourth"],
            "book": ["A", "A", "B", None],
            "kind": ["x", "y", "", "x"],
            "mood": ["good", None, "bad", "good"],
        }
    )
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / f"t.{suffix}"
    if suffix in ("json", "jsonl"):
        frame.to_json(path, orient="records", lines=suffix == "jsonl")
    elif suffix == "xlsx":
        rows = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
        path.write_bytes(workbook({"Texts": [list(frame.columns), *rows]}))
    elif suffix == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if suffix == "tsv" else ",")
    columns = {"text_column": "words", "document_column": "book", "group_column": "kind", "label_columns": ("mood",)}
    table, summary = corpus({}, **columns)
    assert table["text"].tolist() == frame["words"].tolist()
    assert table["document"].tolist()[:3] == ["A", "A", "B"]
    assert table["document"][3] == table["id"][3]
    assert table["group"].fillna("none").tolist() == ["x", "y", "none", "x"]
    assert table["label_mood"].fillna("none").tolist() == ["good", "none", "bad", "good"]
    assert summary.groups == {"x": 2, "y": 1} and summary.labels == {"mood": {"bad": 1, "good": 2}}
    assert table["split"][0] == table["split"][1]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "xlsx"])
def test_a_number_in_the_place_of_a_text_is_read_as_one_whatever_the_kind_of_file_and_told(corpus, capsys, suffix):
    cells = ["a text", 2012, 3.5, True, "the last"]
    content = {
        "csv": "text\na text\n2012\n3.5\ntrue\nthe last\n",
        "jsonl": "\n".join(json.dumps({"text": cell}) for cell in cells),
        "xlsx": workbook({"Texts": [["text"], *([cell] for cell in cells)]}),
    }
    table, summary = corpus({f"t.{suffix}": content[suffix]})
    assert table["text"].tolist() == ["a text", "2012", "3.5", "true", "the last"] and not summary.dropped
    told = "3 × a number, a date, or true or false is read as a text, such as '2012'"
    assert list(summary.found) == ([] if suffix == "csv" else [told])  # in .csv files all is text
    assert (f"! data/t.{suffix}: {told}" in capsys.readouterr().err) == (suffix != "csv")


@pytest.mark.parametrize(
    ("files", "changes", "said"),
    [
        ({"a.txt": b"one\ntwo \xe9 three"}, {}, ["a.txt: line 2, byte offset 8 (0xe9) is not utf-8", "1 bytes"]),
        ({"a.txt": b"\xef\xbb\xbfone\ntwo \xe9"}, {}, ["line 2, byte offset 11 (0xe9)"]),
        ({"a.csv": "words,kind\nx,y\n"}, {}, ["has no column 'text' (corpus.text_column); it has: 'words', 'kind'"]),
        ({"a.csv": "text\nx\n"}, {"label_columns": ("mood",)}, ["no column 'mood' (corpus.label_columns)"]),
        ({"a.csv": 'text\n"open'}, {}, ["the row that begins on line 2 can't be read as a table", "correct the row"]),
        ({"a.jsonl": '{"text": "fine"}\n{"text": '}, {}, ["line 2 is no JSON object"]),
        ({"a.jsonl": "[1]"}, {}, ["item 1 is no JSON object"]),
        ({"a.parquet": b"PAR1"}, {}, ["is damaged, or no Parquet file"]),
        ({"a.txt": "one"}, {"encoding": "utf-99"}, ["'utf-99' is not known"]),
    ],
)  # fmt: skip
def test_what_cant_be_read_is_refused_with_place_and_remedy(refusal, files, changes, said):
    message = refusal(files, **changes)
    for part in said:
        assert part in message


@pytest.mark.parametrize("suffix", ["txt", "csv", "jsonl", "parquet", "xlsx"])
def test_a_line_end_in_the_name_of_a_file_is_no_line_end_of_a_message(corpus, refusal, suffix):
    assert f"data/a␊b.{suffix}" in refusal({f"a\nb.{suffix}": b'\xe9 \x81\n{"text": \n'}, encoding="utf-8")
    files = {"c\nd.jsonl": '{"text": "one"}\n{"text": []}\n{"text": 12}\n{"text": "two"}'}
    (summary,) = corpus(files, paths=("data/c\nd.jsonl",))[1:]
    assert summary.dropped_examples == {"a list, not text": ["c␊d.jsonl:2"]}
    assert list(summary.found.values()) == ["data/c␊d.jsonl"]


def test_of_several_raters_the_label_is_what_most_of_them_say(corpus):
    rows = [
        ("one", "good", "good", "bad"),
        ("two", "bad", "good", ""),
        ("three", "", "", ""),
        ("four", "", "bad", "bad"),
    ]
    lines = "\n".join(map(",".join, [("text", "anna", "ben", "eva"), *rows]))
    raters = {"mood": ["anna", "ben", "eva"], "other": ["eva", "anna"]}
    table, summary = corpus({"t.csv": lines}, rater_columns=raters)
    assert table["label_mood"].fillna("").tolist() == ["good", "", "", "bad"]
    given = [dict(row) for row in table["raters"]]
    assert [list(one["mood"]) for one in given] == [["good", "good", "bad"], ["bad", "good"], [], ["bad", "bad"]]
    assert list(given[0]["other"]) == ["bad", "good"]
    assert summary.labels["mood"] == {"bad": 1, "good": 1} and summary.undecided == {"mood": 1, "other": 1}


def test_a_rater_whose_column_is_missing_is_named(refusal):
    message = refusal({"t.csv": "text,anna\none,good\n"}, rater_columns={"mood": ["anna", "ben"]})
    assert "has no column 'ben' (corpus.rater_columns)" in message


ROWS = {
    "csv": ("text,mood\n", '"a ""text"",\n{}",good\n'),
    "jsonl": ("", '{{"text": "příliš {}"}}\n'),
    "txt": ("", "a text, číslo {}\n"),
}


@pytest.mark.parametrize("compression", ["", ".gz", ".zst"])
@pytest.mark.parametrize("suffix", ROWS)
def test_memory_does_not_grow_with_a_file(tmp_path, suffix, compression):
    head, row = ROWS[suffix]
    words = " words" * 500
    data = (head + "".join(row.format(f"{number}{words}") for number in range(4_000))).encode()
    path = tmp_path / f"t.{suffix}{compression}"
    if compression == ".zst":
        with pa.output_stream(path, compression="zstd") as stream:
            stream.write(data)
    else:
        path.write_bytes(gzip.compress(data, 1) if compression else data)
    manner = Manner("line", "file", None, "auto", "auto", "auto")
    columns = Columns("text", None, None, (), {})
    tracemalloc.start()
    try:
        texts = sum(1 for _ in read_file(path, manner, columns, Findings()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert texts == 4_000 and peak < len(data) / 2
