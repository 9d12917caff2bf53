"""Verify's parts with known answers: where inputs come from, what may be one, and a run beside its remake."""

import shutil

import pytest

from samizdat.base.errors import UserError
from samizdat.base.files import sha256_of
from samizdat.records.io import read_document
from samizdat.records.run import Manifest
from samizdat.runs.rebuild import copy_inputs
from samizdat.runs.sameness import CLOSE, DIFFERENT, SAME
from samizdat.runs.verify import compare_runs, table_of
from support.run_fixture import make_run


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    """A made-up run and a copy of it, with a page and a notebook in each."""
    run = make_run(tmp_path_factory.mktemp("recorded") / "run")
    (run / "report").mkdir()
    (run / "report" / "report.html").write_text("<p>about 0.51</p>", encoding="utf-8")
    (run / "report" / "report.ipynb").write_text('{"cells": []}', encoding="utf-8")
    return run


@pytest.fixture
def pair(twins, tmp_path):
    copies = tuple(shutil.copytree(twins, tmp_path / name / "run") for name in ("recorded", "made"))
    return copies


def manifest_of(run):
    return read_document(Manifest, run / "manifest.json")


def verdicts_of(run, made):
    return dict(compare_runs(manifest_of(run), run, made))


def change_log(run, old, new):
    """Change a number of the training log, and the manifest with it, as another machine would have written both."""
    log = run / "models" / "gpt2-tiny" / "train_log.csv"
    before, text = sha256_of(log), log.read_text(encoding="utf-8")
    assert old in text
    log.write_text(text.replace(old, new, 1), encoding="utf-8")
    manifest = run / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(before, sha256_of(log)), encoding="utf-8")
    return "models/gpt2-tiny/train_log.csv"


def test_a_run_is_the_same_as_its_copy(pair):
    verdicts = verdicts_of(*pair)
    assert {verdict.kind for verdict in verdicts.values()} == {SAME}
    names = set(manifest_of(pair[0]).artefacts) | {"manifest.json", "report/report.ipynb", "report/report.html"}
    assert set(verdicts) == names
    assert table_of(verdicts).endswith(f"\n\n{len(names)} same bytes")


def test_numbers_within_the_tolerance_make_manifest_and_page_no_different(pair):
    log = (pair[1] / "models/gpt2-tiny/train_log.csv").read_text(encoding="utf-8")
    number = next(cell for cell in log.replace("\n", ",").split(",") if "." in cell and float(cell) > 0.01)
    name = change_log(pair[1], number, repr(float(number) * 1.0005))
    (pair[1] / "report" / "report.html").write_text("<p>about 0.52</p>", encoding="utf-8")
    verdicts = verdicts_of(*pair)
    found = {key: verdict.kind for key, verdict in verdicts.items() if verdict.kind != SAME}
    assert found == {name: CLOSE, "manifest.json": CLOSE, "report/report.html": CLOSE}
    assert "3 same numbers within 0.1%" in table_of(verdicts)


def test_what_is_missing_altered_or_extra_is_different(pair):
    run, made = pair
    (made / "statistics" / "quality.parquet").unlink()
    table = run / "statistics" / "confusion.parquet"
    table.write_bytes(table.read_bytes() + b" ")
    manifest = made / "manifest.json"
    text = manifest.read_text(encoding="utf-8").replace('"artefacts": {', '"artefacts": {"a.txt": "0",', 1)
    manifest.write_text(text, encoding="utf-8")
    verdicts = verdicts_of(run, made)
    different = {name: verdict.where for name, verdict in verdicts.items() if verdict.kind == DIFFERENT}
    assert set(different) == {"statistics/quality.parquet", "statistics/confusion.parquet", "a.txt", "manifest.json"}
    assert "no such file" in different["statistics/quality.parquet"]
    assert "does not have the hash that the run records" in different["statistics/confusion.parquet"]
    assert "only the rebuilt run" in different["a.txt"] and "artefacts.a.txt" in different["manifest.json"]


def test_another_device_is_no_difference_in_the_page_that_names_it(pair):
    """The report spells a device's kind in words."""
    run, made = pair
    for where, kind, dtype, words in ((run, "cpu", "float32", "a CPU"), (made, "cuda", "bfloat16", "a GPU (cuda)")):
        summary = where / "models" / "gpt2-tiny" / "summary.json"
        text = summary.read_text(encoding="utf-8")
        summary.write_text(text.replace('"cpu"', f'"{kind}"').replace('"float32"', f'"{dtype}"'), encoding="utf-8")
        page = f"<p>It learned on {words}, in {dtype}, 8 sequences at once. about 0.51</p>"
        (where / "report" / "report.html").write_text(page, encoding="utf-8")
    assert verdicts_of(run, made)["report/report.html"].kind == CLOSE
    assert verdicts_of(made, run)["report/report.html"].kind == CLOSE
    page = made / "report" / "report.html"
    page.write_text(page.read_text(encoding="utf-8").replace("a GPU (cuda)", "a GPU (mps)"), encoding="utf-8")
    assert verdicts_of(run, made)["report/report.html"].kind == DIFFERENT


def test_of_a_bundle_without_texts_the_hash_decides(pair):
    run, made = pair
    (run / "corpus" / "texts.parquet").unlink()
    assert verdicts_of(run, made)["corpus/texts.parquet"].kind == SAME
    texts = made / "corpus" / "texts.parquet"
    texts.write_bytes(texts.read_bytes() + b" ")
    assert verdicts_of(run, made)["corpus/texts.parquet"].kind == DIFFERENT


def with_inputs(run, inputs):
    return Manifest(**vars(manifest_of(run)) | {"inputs": inputs})


def test_inputs_come_from_the_bundle_or_from_their_place_here(twins, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    offered, checkout, here = tmp_path / "offered", tmp_path / "checkout", tmp_path / "data" / "here.txt"
    offered.mkdir()
    here.parent.mkdir()
    here.write_text("here", encoding="utf-8")
    (tmp_path / "text").write_text("sent", encoding="utf-8")
    sha256 = sha256_of(tmp_path / "text")
    shutil.copy(tmp_path / "text", offered / sha256)
    inputs = {"data/here.txt": sha256_of(here), "data/sent.txt": sha256, "work/downloads/a.tar.gz": "0" * 64}
    copy_inputs(with_inputs(twins, inputs), offered, checkout)
    assert (checkout / "data" / "here.txt").read_text(encoding="utf-8") == "here"
    assert (checkout / "data" / "sent.txt").read_text(encoding="utf-8") == "sent"
    with pytest.raises(UserError, match=r"data/sent\.txt is missing"):
        copy_inputs(with_inputs(twins, inputs), None, checkout)
    here.write_text("other", encoding="utf-8")
    with pytest.raises(UserError, match=r"data/here\.txt has another hash here"):
        copy_inputs(with_inputs(twins, inputs), offered, checkout)


@pytest.mark.parametrize(
    "name", ["../out.txt", "workflow/samizdat/corpus/import_corpus.py", "profiles/default/config.yaml", "torch.py",
             ".git/a.txt", "Snakefile", "report/index.qmd", "config/mine.md", "Config/mine.md", "data/packages.txt",
             "data/./Packages.txt", "results/run/a.json", "work/run/models/a.safetensors", "logs/a.txt"]
)  # fmt: skip
def test_no_code_comes_in_as_an_input(twins, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    code = tmp_path / "code"
    code.write_text("evil", encoding="utf-8")
    offered = tmp_path / "offered"
    offered.mkdir()
    shutil.copy(code, offered / sha256_of(code))
    with pytest.raises(UserError, match="can't be put"):
        copy_inputs(with_inputs(twins, {name: sha256_of(code)}), offered, tmp_path / "checkout")
    assert not (tmp_path / "checkout").exists()
