"""Where the inputs of a rebuilt run come from, and what is refused as an input."""

import shutil

import pytest

from samizdat.base.errors import UserError
from samizdat.base.files import sha256_of
from samizdat.records.run import Manifest
from samizdat.runs.rebuild import copy_inputs


def with_inputs(inputs):
    return Manifest(run="run", config={}, inputs=inputs, artefacts={}, versions={}, python="", commit="", clean=True,
                    rules=[])  # fmt: skip


def test_inputs_come_from_the_bundle_or_from_the_same_place_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bundled, checkout, here = tmp_path / "bundled", tmp_path / "checkout", tmp_path / "data" / "here.txt"
    bundled.mkdir()
    here.parent.mkdir()
    here.write_text("here", encoding="utf-8")
    (tmp_path / "text").write_text("sent", encoding="utf-8")
    sha256 = sha256_of(tmp_path / "text")
    shutil.copy(tmp_path / "text", bundled / sha256)
    inputs = {"data/here.txt": sha256_of(here), "data/sent.txt": sha256, "work/downloads/a.tar.gz": "0" * 64}
    copy_inputs(with_inputs(inputs), bundled, checkout)
    assert (checkout / "data" / "here.txt").read_text(encoding="utf-8") == "here"
    assert (checkout / "data" / "sent.txt").read_text(encoding="utf-8") == "sent"
    with pytest.raises(UserError, match=r"data/sent\.txt is missing"):
        copy_inputs(with_inputs(inputs), None, checkout)
    here.write_text("other", encoding="utf-8")
    with pytest.raises(UserError, match=r"data/here\.txt has another hash here"):
        copy_inputs(with_inputs(inputs), bundled, checkout)


@pytest.mark.parametrize(
    "name", ["../out.txt", "workflow/samizdat/corpus/import_corpus.py", "profiles/default/config.yaml", "torch.py",
             ".git/a.txt", "Snakefile", "report/index.qmd", "config/mine.md", "Config/mine.md", "envs/archives.txt",
             "envs/./Archives.txt", "results/run/a.json", "work/run/models/a.safetensors", "logs/a.txt"]
)  # fmt: skip
def test_code_is_refused_as_an_input(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    code = tmp_path / "code"
    code.write_text("evil", encoding="utf-8")
    bundled = tmp_path / "bundled"
    bundled.mkdir()
    shutil.copy(code, bundled / sha256_of(code))
    with pytest.raises(UserError, match="can't be put"):
        copy_inputs(with_inputs({name: sha256_of(code)}), bundled, tmp_path / "checkout")
    assert not (tmp_path / "checkout").exists()
