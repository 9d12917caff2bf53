"""The source archive of a package: fetched by its hash, put there by hand, or refused with the reason."""

import hashlib
import os
import socket
from pathlib import Path

import pytest

from samizdat.base.errors import UserError
from samizdat.corpus.fetch_package import fetch_package


@pytest.fixture
def requirements(tmp_path) -> Path:
    """A file that pins one package, whose archive is the bytes `content`."""
    file = tmp_path / "packages.txt"
    file.write_text(f"texts==1.0 --hash=sha256:{hashlib.sha256(b'content').hexdigest()}\n", encoding="utf-8")
    return file


@pytest.fixture(autouse=True)
def unreachable(monkeypatch):
    """A registry that answers nothing."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        for key in [key for key in os.environ if key.startswith("PIP_")]:
            monkeypatch.delenv(key)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{unused.getsockname()[1]}/simple")
        yield


def test_without_a_network_the_reason_and_both_remedies_are_told(requirements, tmp_path):
    with pytest.raises(UserError) as caught:
        fetch_package("texts", requirements, tmp_path / "downloads" / "texts.tar.gz")
    assert caught.value.what == "fetching the source archive of texts 1.0: the package registry can't be reached"
    assert caught.value.remedy.endswith(f"or put texts-1.0.tar.gz into {tmp_path / 'downloads'} by hand")


def test_an_archive_that_was_put_there_by_hand_is_taken(requirements, tmp_path):
    archive = tmp_path / "downloads" / "texts.tar.gz"
    archive.parent.mkdir()
    (archive.parent / "texts-1.0.tar.gz").write_bytes(b"content")
    assert fetch_package("texts", requirements, archive) == f"version 1.0, found in {archive.parent}"
    assert archive.read_bytes() == b"content"


def test_another_archive_of_that_name_is_not_taken(requirements, tmp_path):
    archive = tmp_path / "downloads" / "texts.tar.gz"
    archive.parent.mkdir()
    (archive.parent / "texts-1.0.tar.gz").write_bytes(b"other content")
    with pytest.raises(UserError, match="can't be reached"):
        fetch_package("texts", requirements, archive)
    assert not archive.exists()


def test_a_package_without_a_pin_is_refused(requirements, tmp_path):
    with pytest.raises(UserError, match="has no line `other==…"):
        fetch_package("other", requirements, tmp_path / "other.tar.gz")
