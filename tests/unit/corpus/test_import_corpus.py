"""From files to one table: what is read, dropped, split, and refused."""

import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samizdat.base.errors import UserError
from samizdat.corpus.demo import INNER_ARCHIVE
from samizdat.corpus.import_corpus import CorpusSettings, import_corpus
from samizdat.measures.ratings import sentiment
from samizdat.records.corpus import TEXTS, CorpusSummary
from samizdat.records.io import read_document, read_table

FILES = CorpusSettings(
    source="files", paths=("data",), txt_unit="file", encoding="utf-8", text_column="text", document_column=None,
    group_column=None, label_columns=(), dataset=None, revision=None, subset=None, dataset_split="train",
    max_texts=None, min_characters=2, validation_share=0.5,
)  # fmt: skip


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """Write files below `data/`, import them, and return the table and the summary."""
    monkeypatch.chdir(tmp_path)

    def run(files: dict[str, str | bytes], seed: int = 1, archive: Path | None = None, **changes):
        for name, content in files.items():
            path = tmp_path / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        texts, summary = tmp_path / "texts.parquet", tmp_path / "summary.json"
        import_corpus(replace(FILES, **changes), archive, texts, summary, seed)
        return read_table(texts, TEXTS), read_document(CorpusSummary, summary)

    return run


def test_a_text_file_is_a_text_a_line_or_a_block(corpus):
    content = "\ufefffirst line\r\nsecond line\n\n\nthird  line\n"
    files = {"a.txt": content, "b.txt": "another"}
    assert corpus(files)[0]["text"].tolist() == ["first line\nsecond line\n\n\nthird  line", "another"]
    lines, _ = corpus(files, txt_unit="line")
    assert lines["text"].tolist() == ["first line", "second line", "third  line", "another"]
    assert corpus(files, txt_unit="block")[0]["text"].tolist() == ["first line\nsecond line", "third  line", "another"]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
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
    if suffix == "jsonl":
        frame.to_json(path, orient="records", lines=True)
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


def test_what_is_dropped_is_counted_with_its_reason_and_place(corpus):
    rows = [{"text": text} for text in ("kept", " kept\n", "x", None, "also kept", "\ud800 half")]
    table, summary = corpus({"t.jsonl": "\n".join(json.dumps(row) for row in rows)})
    assert table["text"].tolist() == ["kept", "also kept"]
    assert summary.read == 6 and summary.texts == 2
    assert summary.dropped == {
        "a text that stands in the corpus already": 1,
        "shorter than 2 characters (corpus.min_characters)": 1,
        "no text there": 1,
        "half a surrogate pair, which no encoding can hold": 1,
    }
    assert summary.dropped_examples["no text there"] == ["t.jsonl:4"]


def test_the_summary_counts_characters_bytes_and_lengths(corpus):
    _, summary = corpus({"t.txt": "čtyři\nab\nabcd"}, txt_unit="line")
    assert (summary.characters, summary.utf8_bytes) == (11, 13)
    assert summary.length_quantiles_characters["0.5"] == 4
    assert set(summary.inputs) == {"data/t.txt"}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.text(min_size=2).filter(lambda text: text.strip() == text), min_size=2, unique=True))
def test_any_texts_come_back_as_they_are(corpus, texts):
    normal = [text.replace("\r\n", "\n").replace("\r", "\n").strip() for text in texts]
    wanted = [text for text in dict.fromkeys(normal) if len(text) >= 2]
    if len(wanted) < 2:
        return
    lines = "\n".join(json.dumps({"text": text}) for text in texts)
    table, _ = corpus({"t.jsonl": lines})
    assert table["text"].tolist() == wanted
    assert {"train", "validation"} == set(table["split"])


def test_a_new_text_moves_no_other_between_the_splits(corpus):
    lines = [f"text number {number}" for number in range(200)]
    before, _ = corpus({"t.txt": "\n".join(lines)}, txt_unit="line", validation_share=0.2)
    after, _ = corpus(
        {"t.txt": "\n".join([*lines[:50], "a new one", *lines[50:]])}, txt_unit="line", validation_share=0.2
    )
    old = after[after["text"] != "a new one"].reset_index(drop=True)
    pd.testing.assert_frame_equal(old, before)
    assert 20 < (before["split"] == "validation").sum() < 60


def test_a_sample_hardly_changes_when_a_text_is_added(corpus):
    lines = [f"text number {number}" for number in range(200)]
    first, _ = corpus({"t.txt": "\n".join(lines)}, txt_unit="line", max_texts=50)
    second, _ = corpus({"t.txt": "\n".join([*lines, "one more"])}, txt_unit="line", max_texts=50)
    other, _ = corpus({"t.txt": "\n".join(lines)}, seed=2, txt_unit="line", max_texts=50)
    assert len(first) == 50 and len(set(first["text"]) - set(second["text"])) <= 1
    assert len(set(first["text"]) & set(other["text"])) < 35


@pytest.mark.parametrize(
    ("files", "changes", "said"),
    [
        ({"a.txt": b"one\ntwo \xe9 three"}, {}, ["data/a.txt: line 2, byte offset 8 (0xe9) is not utf-8", "cp1250"]),
        ({"a.txt": b"\xef\xbb\xbfone\ntwo \xe9"}, {}, ["line 2, byte offset 11 (0xe9)"]),
        ({"a.csv": "words,kind\nx,y\n"}, {}, ["has no column 'text' (corpus.text_column); it has: 'words', 'kind'"]),
        ({"a.csv": "text\nx\n"}, {"label_columns": ("mood",)}, ["no column 'mood' (corpus.label_columns)"]),
        ({"a.csv": 'text\n"open'}, {}, ["line 2 can't be read as a table", "mend the quotes"]),
        ({"a.jsonl": '{"text": "fine"}\n{"text": '}, {}, ["line 2 is no JSON object"]),
        ({"a.jsonl": "[1]"}, {}, ["line 1 is no JSON object"]),
        ({"a.parquet": b"PAR1"}, {}, ["is no Parquet file"]),
        ({"a.txt": ""}, {}, ["the corpus is empty", "1 × shorter than 2 characters"]),
        ({"a.txt": "one\n"}, {}, ["one single document"]),
        ({"a.pdf": "one\n"}, {}, ["data"]),
        ({"a.txt": "one"}, {"encoding": "utf-99"}, ["'utf-99' is not known"]),
    ],
)  # fmt: skip
def test_what_cant_be_read_is_refused_with_place_and_remedy(corpus, tmp_path, files, changes, said):
    with pytest.raises(UserError) as error:
        corpus(files, **changes)
    assert "What to do:" in str(error.value)
    for part in said:
        assert part in str(error.value)
    assert not (tmp_path / "texts.parquet").exists()


def test_the_demo_is_read_with_its_marks_entities_documents_and_ratings(corpus, tmp_path):
    def archive(files: dict[str, bytes], mode: str) -> bytes:
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode=mode) as tar:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return data.getvalue()

    inner = {}
    for source in ("movieReviewSnippets", "nytEditorialSnippets"):
        inner[f"hutto_ICWSM_2014/{source}_GroundTruth.txt"] = f"1_1\t0.6\tA line of {source}.".encode()
        inner[f"hutto_ICWSM_2014/{source}_anonDataRatings.txt"] = b"1_1\t0.6\t0\t[1, 0]"
    inner["hutto_ICWSM_2014/tweets_GroundTruth.txt"] = "\ufeff1\t-2.1\ttea &amp; rain\n2\t0.5\tso so\n".encode()
    inner["hutto_ICWSM_2014/tweets_anonDataRatings.txt"] = "\ufeff1\t-2.1\t1\t[-2, -3]\n2\t0.5\t1\t[0, 1]\n".encode()
    inner["hutto_ICWSM_2014/amazonReviewSnippets_GroundTruth.txt"] = b"3_1\t0.0\tfirst part\n3_2\t2.0\tsecond part"
    inner["hutto_ICWSM_2014/amazonReviewSnippets_anonDataRatings.txt"] = b"3_1\t0.0\t1\t[0]\n3_2\t2.0\t1\t[2]"
    path = tmp_path / "demo.tar.gz"
    path.write_bytes(archive({f"vaderSentiment-3.3.2/{INNER_ARCHIVE}": archive(inner, "w:gz")}, "w:gz"))
    table, summary = corpus({}, source="demo", paths=(), archive=path)
    first = table.iloc[0]
    assert (first["text"], first["group"], first["label_source"]) == ("tea & rain", "tweet", "tweet")
    assert (first["label_sentiment"], list(first["ratings"])) == ("negative", [-2, -3])
    parts = table[table["group"] == "product review"]
    assert parts["document"].nunique() == 1 and parts["label_sentiment"].tolist() == ["neutral", "positive"]
    assert summary.texts == 6


@pytest.mark.parametrize(
    ("mean", "label"), [(-0.6, "negative"), (-0.5, "neutral"), (0, "neutral"), (0.5, "neutral"), (0.51, "positive")]
)
def test_a_mean_rating_is_cut_at_half_a_point(mean, label):
    assert sentiment(mean) == label
