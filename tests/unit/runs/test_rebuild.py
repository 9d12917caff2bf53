"""Where the inputs of a rebuilt run come from, and what is refused as an input."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from samizdat.base.errors import UserError
from samizdat.base.files import sha256_of
from samizdat.records.run import Manifest
from samizdat.runs.names import CODE
from samizdat.runs.rebuild import copy_code, copy_inputs, rebuild

ROOT = Path(__file__).parents[3]


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
             "envs/./Archives.txt", "results/run/a.json", "work/run/models/a.safetensors", "logs/a.txt",
             "re\u017fults/run/a.json", "con\ufb01g/a.txt", "\uff37orkflow/a.txt", "data/.git/a.txt"]
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


def test_a_bundled_download_must_have_a_hash_that_the_code_pins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "theirs").write_text("another archive", encoding="utf-8")
    sha256 = sha256_of(tmp_path / "theirs")
    shutil.copy(tmp_path / "theirs", tmp_path / sha256)
    for pins, there in (("x==1 --hash=sha256:" + "0" * 64, False), (f"x==1 --hash=sha256:{sha256}", True)):
        (tmp_path / "checkout" / "envs").mkdir(parents=True, exist_ok=True)
        (tmp_path / "checkout" / "envs" / "archives.txt").write_text(pins, encoding="utf-8")
        # The pins that count are the code's, not those in a text that was sent along.
        inputs = {"data/pins.txt": sha256, "work/downloads/x.tar.gz": sha256}
        copy_inputs(with_inputs(inputs), tmp_path, tmp_path / "checkout")
        assert (tmp_path / "checkout" / "work" / "downloads" / "x.tar.gz").is_file() == there


KNOWN = "a" * 40


@pytest.mark.parametrize(
    ("change", "said", "commit"),
    [
        ({"language": "cz"}, "'cz' is the code of no language", KNOWN),
        ({"name": "demo", "corpus": {"source": "files", "paths": ["data"]}}, "`name` is the demo's", KNOWN),
        ({"tokenizers": [{"name": "bpe", "source": "gpt2", "vocabulary_size": 500}]}, "for `source: train`", KNOWN),
        ({"key_of_then": 1}, "`key_of_then`", "unknown"),
    ],
    ids=["language", "name", "tokenizer", "key"],
)
def test_a_config_that_this_version_refuses_is_verified_with_its_own(tmp_path, capfd, change, said, commit):
    checkout = tmp_path / "checkout"
    for name in CODE:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).symlink_to(ROOT / name)
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8")) | {"name": "old"}
    config |= change | ({"corpus": config["corpus"] | change["corpus"]} if "corpus" in change else {})
    (checkout / "data").mkdir()
    (checkout / "data/a.txt").write_text("one", encoding="utf-8")
    manifest = replace(with_inputs({}), run="old", config=config, commit=commit)
    with pytest.raises(UserError, match="this version can't make the run again") as refused:
        rebuild(manifest, tmp_path / "none", checkout)
    printed = capfd.readouterr().err
    remedy = f"git checkout {KNOWN}" if commit == KNOWN else "ask who made the run"
    assert remedy in str(refused.value) and said in printed and "Traceback" not in printed
    assert "What to do" not in printed, "there is one remedy, and it is not to correct the config"


def test_code_whose_repository_git_refuses_to_read_is_told_as_such(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    said = copy_code(replace(with_inputs({}), commit=KNOWN), tmp_path / "checkout")
    assert "git can't read the repository there (detected dubious ownership" in said and "not in a" not in said


def test_an_input_does_not_replace_the_pins_of_an_older_commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "theirs").write_text("evil==1", encoding="utf-8")
    sha256 = sha256_of(tmp_path / "theirs")
    shutil.copy(tmp_path / "theirs", tmp_path / sha256)
    copy_inputs(with_inputs({"data/packages.txt": sha256}), tmp_path, tmp_path / "new")
    (tmp_path / "old" / "data").mkdir(parents=True)
    (tmp_path / "old" / "data" / "packages.txt").write_text("good==1", encoding="utf-8")
    with pytest.raises(UserError, match="can't be put"):
        copy_inputs(with_inputs({"data/packages.txt": sha256}), tmp_path, tmp_path / "old")
