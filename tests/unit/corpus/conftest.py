"""What the tests of the corpus share."""

from dataclasses import replace
from pathlib import Path

import pytest

from samizdat.base.errors import UserError
from samizdat.corpus.import_corpus import CorpusSettings, import_corpus
from samizdat.records.corpus import TEXTS, CorpusSummary
from samizdat.records.io import read_document, read_table

FILES = CorpusSettings(
    source="files", paths=("data",), txt_unit="file", txt_document="file", separator=None,
    encoding="auto", delimiter="auto", quoting="auto",
    text_column="text", document_column=None,
    group_column=None, group="column", label_columns=(), dataset=None, revision=None, subset=None,
    dataset_split="train", max_texts=None, min_characters=2, validation_share=0.5,
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
