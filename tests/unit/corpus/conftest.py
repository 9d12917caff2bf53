"""What the tests of the corpus share."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from samizdat.base.corpus_files import list_files
from samizdat.base.errors import UserError
from samizdat.corpus.import_corpus import CorpusSettings, import_corpus
from samizdat.corpus.splits import split
from samizdat.records.corpus import SPLITS, TEXTS, CorpusSummary
from samizdat.records.io import read_document, read_table

FILES = CorpusSettings(
    source="files", paths=("data",), txt_unit="file", txt_document="file", separator=None,
    encoding="auto", delimiter="auto", quoting="auto",
    text_column="text", document_column=None,
    group_column=None, group="column", label_columns=(), rater_columns={}, split_column=None,
    dataset=None, revision=None, subset=None, dataset_split=None, max_texts=None,
    min_characters=2, validation_share=0.25, test_share=0.25,
)  # fmt: skip


# In these files two texts are enough, which can't be divided into three splits: all are training texts.
READING = ("decoding", "delimited", "files", "json_texts", "parquet_texts", "spreadsheet")


def all_training(documents: np.ndarray, shares: dict[str, float], name_of: Callable[[int], str]) -> np.ndarray:
    few = len(set(documents.tolist())) == 1
    return split(documents, shares, name_of) if few else np.full(len(documents), SPLITS.index("train"))


@pytest.fixture
def corpus(tmp_path, monkeypatch, request):
    """Write files below `data/`, import them, and return the table and the summary."""
    monkeypatch.chdir(tmp_path)
    if request.module.__name__.rpartition("test_")[2] in READING:
        monkeypatch.setattr("samizdat.corpus.division.split", all_training)

    def run(files: dict[str, str | bytes], seed: int = 1, archive: Path | None = None, **changes):
        for name, content in files.items():
            path = tmp_path / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        texts, summary = tmp_path / "texts.parquet", tmp_path / "summary.json"
        settings = replace(FILES, **changes)
        import_corpus(
            settings, list_files(settings.paths).unread(), {}, archive, texts, summary, seed, tmp_path / "work"
        )
        return read_table(texts, TEXTS), read_document(CorpusSummary, summary)

    return run


@pytest.fixture
def refusal(corpus, tmp_path):
    """Import files that are refused, and return the message."""

    def run(files: dict[str, str | bytes], **changes) -> str:
        with pytest.raises(UserError) as error:
            corpus(files, **changes)
        assert "What to do:" in str(error.value)
        assert not (tmp_path / "texts.parquet").exists()
        return str(error.value)

    return run
