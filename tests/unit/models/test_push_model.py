"""Pushing a model: what was meant to be private is not published."""

import pytest
from huggingface_hub import constants

from samizdat.base.errors import UserError
from samizdat.models.push_model import PushSettings, push_model
from samizdat.records.corpus import CorpusSummary
from samizdat.records.io import write_document
from support.hub_server import TOKEN, Repository
from support.hub_uploads import UploadHub

CORPUS = CorpusSummary(
    source="files", texts=70, documents=70, parts=0, near_duplicates=0, held_out_copies=0, own_splits=[],
    shared_documents=0, groups={}, labels={}, conflicting={}, undecided={},
    splits={"train": 50, "validation": 10, "test": 10}, split_documents={}, characters=3000, utf8_bytes=3000,
    length_quantiles_characters={}, read=70, dropped={}, dropped_examples={}, found={}, unread={}, inputs={},
)  # fmt: skip


def test_a_private_model_is_not_pushed_to_a_public_repository(trained, tokenizer, tmp_path, monkeypatch):
    hub = UploadHub()
    try:
        for name, value in {"ENDPOINT": hub.url, "HF_TOKEN_PATH": str(tmp_path / "token")}.items():
            monkeypatch.setattr(constants, name, value)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        public = hub.repositories["models", "owner/public"] = Repository()
        public.commit({})
        write_document(CORPUS, tmp_path / "corpus.json")
        with pytest.raises(UserError, match=r"owner/public is a public repository, but push.private is true"):
            push_model(
                PushSettings("owner/public", private=True), trained, tokenizer / "summary.json",
                tmp_path / "corpus.json", "Run", "en", {}, tmp_path / "pushed.json",
            )  # fmt: skip
        assert not hub.messages and not (tmp_path / "pushed.json").exists()
    finally:
        hub.stop()
