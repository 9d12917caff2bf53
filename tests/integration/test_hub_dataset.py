"""A corpus from a dataset of the Hub."""

from dataclasses import replace
from pathlib import Path

import datasets
import pyarrow.parquet as pq
import pytest
from huggingface_hub import constants

from samizdat.base.errors import UserError
from samizdat.corpus.import_corpus import CorpusSettings, import_corpus
from samizdat.records.corpus import TEXTS, CorpusSummary
from samizdat.records.io import read_document, read_table
from support import hub_fixtures

DATASET = "tests/sentences"
CORPUS = CorpusSettings(
    source="hub", paths=(), txt_unit="file", txt_document="file", separator=None,
    encoding="auto", delimiter="auto", quoting="auto",
    text_column="text", document_column=None,
    group_column="place", group="column", rater_columns={}, label_columns=("mood",), split_column=None,
    dataset=DATASET,
    revision=None, subset=None, dataset_split="train", max_texts=None, min_characters=2, validation_share=0.1,
    test_share=0.1,
)  # fmt: skip


@pytest.fixture
def datasets_at_hub(at_hub, tmp_path, monkeypatch):
    """The Hub of `at_hub` for `datasets` too; the commit of its dataset."""
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", at_hub.url)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "datasets"))
    monkeypatch.setattr(datasets.config, "USE_PARQUET_EXPORT", False)  # its server is not on this machine
    monkeypatch.setattr(datasets.config, "HF_UPDATE_DOWNLOAD_COUNTS", False)
    return at_hub.repositories["datasets", DATASET].branches["main"]


def read_corpus(folder: Path, **changes: object):
    """Import the corpus; return its table and its summary."""
    texts, summary = folder / "texts.parquet", folder / "summary.json"
    import_corpus(replace(CORPUS, **changes), {}, {}, None, texts, summary, seed=1, work=folder / "work")
    return read_table(texts, TEXTS), read_document(CorpusSummary, summary)


@pytest.mark.parametrize("pinned", [True, False])
def test_a_dataset_becomes_the_corpus_with_its_labels_by_name(pinned, datasets_at_hub, tmp_path):
    frame, summary = read_corpus(tmp_path, revision=datasets_at_hub if pinned else None)
    rows = pq.read_table(hub_fixtures.write_dataset(tmp_path / "again") / "data").to_pylist()
    assert frame["text"].tolist() == [row["text"] for row in rows]
    names = {0: "bad", 1: "good", -1: "nobody said"}
    assert frame["label_mood"].fillna("nobody said").tolist() == [names[row["mood"]] for row in rows]
    assert frame["group"].tolist() == [row["place"] for row in rows]
    assert summary.source == f"{DATASET}@{datasets_at_hub}"
    assert summary.labels == {"mood": {"bad": 120, "good": 96}}


def test_a_field_of_a_nested_column_has_a_dotted_path(datasets_at_hub, at_hub, tmp_path):
    kinds = datasets.Features({
        "translation": datasets.Translation(languages=("cs", "en")),
        "about": {"mood": datasets.ClassLabel(names=["bad", "good"]), "place": datasets.Value("string")},
        "score": datasets.Value("float32"),
    })  # fmt: skip
    rows = [
        {
            "translation": {"cs": f"Věta {row}.", "en": "a"},
            "about": {"mood": row % 3 - 1, "place": f"p{row % 2}"},
            "score": row / 10,
        }
        for row in range(60)
    ]
    (tmp_path / "source" / "data").mkdir(parents=True)
    datasets.Dataset.from_list(rows, features=kinds).to_parquet(tmp_path / "source/data/train-00000-of-00001.parquet")
    at_hub.add("tests/nested", tmp_path / "source", kind="datasets")
    columns = {"text_column": "translation.cs", "group_column": "about.place", "label_columns": ("about.mood", "score")}
    frame, _ = read_corpus(tmp_path, dataset="tests/nested", **columns)
    assert frame["text"].tolist() == [f"Věta {row}." for row in range(60)]
    assert frame["group"].tolist()[:2] == ["p0", "p1"]
    assert frame["label_about.mood"].fillna("none").tolist()[:3] == ["none", "bad", "good"]
    assert frame["label_score"].tolist()[:4] == ["0", "0.1", "0.2", "0.3"]
    with pytest.raises(UserError, match=r"no column 'translation\.de' \(corpus\.text_column\)"):
        read_corpus(tmp_path / "other", dataset="tests/nested", **columns | {"text_column": "translation.de"})


def test_the_own_splits_of_a_dataset_are_kept_and_others_told(datasets_at_hub, at_hub, tmp_path, capsys):
    splits = {"test": range(40), "unsupervised": range(40, 60), "train": range(60, 210), "dev": range(205, 240)}
    source = hub_fixtures.write_dataset(tmp_path / "source", splits=splits)
    at_hub.add("tests/divided", source, kind="datasets")
    frame, summary = read_corpus(tmp_path, dataset="tests/divided", dataset_split=None)
    assert summary.splits == {"train": 150, "validation": 30, "test": 40}
    assert summary.own_splits == ["train", "validation", "test"]
    assert frame["split"].tolist() == ["train"] * 150 + ["validation"] * 30 + ["test"] * 40
    assert summary.dropped == {"also in an earlier split": 5}
    assert summary.dropped_examples["also in an earlier split"][0] == "tests/divided, dev, row 0"
    reason = "a split of the dataset that is called neither train nor validation nor test"
    assert summary.unread == {reason: "unsupervised"}
    assert f"not read: unsupervised ({reason})" in capsys.readouterr().err
    (source / "data" / "train-00000-of-00001.parquet").unlink()
    at_hub.add("tests/untrained", source, kind="datasets")
    with pytest.raises(UserError, match=r"no split for training; it has: .*'unsupervised'.*(?s:.)*dataset_split"):
        read_corpus(tmp_path / "other", dataset="tests/untrained", dataset_split=None)
    _, summary = read_corpus(tmp_path / "one", dataset="tests/untrained", dataset_split="unsupervised")
    assert summary.texts == 20 and summary.own_splits == [] and summary.unread == {}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"text_column": "texts"}, ["no column 'texts' (corpus.text_column)", "'text', 'mood', 'place'"]),
        ({"label_columns": ("mood", "tone")}, ["no column 'tone' (corpus.label_columns)", "'text', 'mood', 'place'"]),
        ({"dataset": "tests/nowhere"}, ["doesn't exist on the Hub", "source: files"]),
        ({"revision": "0" * 40}, [f"Revision '{'0' * 40}' doesn't exist", "revision"]),
        ({"dataset_split": "test"}, ['Unknown split "test"', "train", "dataset_split"]),
        ({"subset": "letters"}, ["'letters'", "subset"]),
        ({"dataset": "tests/scripted"}, ["scripts are no longer supported", "source: files"]),
        ({"dataset": "tests/gated"}, ["gated dataset", "source: files"]),
        ({"dataset": "tests/damaged"}, ["the dataset tests/damaged", "source: files"]),
    ],
)
def test_what_a_dataset_lacks_is_said_with_a_remedy(changes, said, datasets_at_hub, at_hub, tmp_path):
    source = hub_fixtures.write_dataset(tmp_path / "source")
    at_hub.add("tests/gated", source, kind="datasets", gated=True)
    (source / "scripted.py").write_text(f"open({str(tmp_path / 'touched')!r}, 'w')\n", encoding="utf-8")
    at_hub.add("tests/scripted", source, kind="datasets")
    (source / "scripted.py").unlink()
    next((source / "data").iterdir()).write_bytes(b"no Parquet")
    at_hub.add("tests/damaged", source, kind="datasets")
    with pytest.raises(UserError) as error:
        read_corpus(tmp_path, **changes)
    for part in [*said, "What to do:"]:
        assert part in str(error.value)
    assert not (tmp_path / "texts.parquet").exists() and not (tmp_path / "touched").exists()


def test_offline_a_dataset_is_what_was_fetched_and_no_other_revision(datasets_at_hub, at_hub, tmp_path, monkeypatch):
    read_corpus(tmp_path, revision=datasets_at_hub)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    at_hub.requests.clear()
    _, summary = read_corpus(tmp_path / "offline", revision=datasets_at_hub)
    assert summary.source == f"{DATASET}@{datasets_at_hub}" and summary.texts == 240
    with pytest.raises(UserError, match=rf"has revision {datasets_at_hub}, not {'1' * 40}"):
        read_corpus(tmp_path / "other", revision="1" * 40)
    with pytest.raises(UserError, match=r"tests/unknown .* can't be loaded"):
        read_corpus(tmp_path / "other", dataset="tests/unknown")
    assert at_hub.requests == []
