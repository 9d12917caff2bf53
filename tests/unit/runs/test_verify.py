"""A run compared with its copy, with one thing changed in one of them."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest
import typst

from samizdat.base.errors import UserError
from samizdat.base.files import sha256_of, write_text
from samizdat.cli import main
from samizdat.records.io import read_document
from samizdat.records.run import Manifest
from samizdat.runs.bundle import write_bundle
from samizdat.runs.sameness import CLOSE, DIFFERENT, SAME, Verdict
from samizdat.runs.verify import compare_copies, compare_runs, table_of, verify
from support.run_fixture import finish, make_run


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A made-up run with a page, a PDF and both notebooks."""
    run = make_run(tmp_path_factory.mktemp("recorded") / "run")
    (run / "report").mkdir()
    write_text(run / "tokenizers" / "own" / "tokenizer_config.json", "{}")
    (run / "report" / "report.html").write_text("<p>about 0.51</p>", encoding="utf-8")
    for name in ("quarto.ipynb", "report.ipynb"):
        (run / "report" / name).write_text('{"cells": []}', encoding="utf-8")
    write_pdf(run, "about 0.51")
    return run


def write_pdf(run, words):
    (run / "report" / "report.pdf").write_bytes(typst.compile(words.encode(), format="pdf", timestamp=0))


@pytest.fixture
def pair(recorded, tmp_path):
    """Two copies of the run: the recorded one and the rebuilt one."""
    return tuple(shutil.copytree(recorded, tmp_path / name / "run") for name in ("recorded", "rebuilt"))


def manifest_of(run):
    return read_document(Manifest, run / "manifest.json")


def verdicts_of(run, rebuilt):
    return dict(compare_runs(manifest_of(run), run, rebuilt))


def rewrite(run, name, text):
    """Write a file of a run anew, and the manifest with it, as another machine would write both."""
    before = sha256_of(run / name)
    (run / name).write_text(text, encoding="utf-8")
    manifest = run / "manifest.json"
    write_text(manifest, manifest.read_text(encoding="utf-8").replace(before, sha256_of(run / name)))


def test_a_run_is_the_same_as_its_copy(pair):
    verdicts = verdicts_of(*pair)
    assert {verdict.kind for verdict in verdicts.values()} == {SAME}
    reports = {"report/quarto.ipynb", "report/report.ipynb", "report/report.html", "report/report.pdf"}
    unnamed = {"config.json", "tokenizers/own/tokenizer_config.json"}
    names = set(manifest_of(pair[0]).artefacts) | {"manifest.json"} | unnamed | reports
    assert set(verdicts) == names
    said = f"\n\nFiles of the run: {len(names)} same bytes.\nYes: made again from its texts, its config and the code "
    assert said in table_of(verdicts, {})


def change_a_number(run):
    """Change a number of a run by less than the tolerance, as another machine does."""
    name = "models/gpt2-tiny/train_log.csv"
    log = (run / name).read_text(encoding="utf-8")
    number = next(cell for cell in log.replace("\n", ",").split(",") if "." in cell and float(cell) > 0.01)
    rewrite(run, name, log.replace(number, repr(float(number) * 1.0005), 1))
    return name


def test_numbers_within_the_tolerance_change_neither_the_verdict_of_manifest_nor_of_page(pair):
    name = change_a_number(pair[1])
    (pair[1] / "report" / "report.html").write_text("<p>about 0.52</p>", encoding="utf-8")
    verdicts = verdicts_of(*pair)
    found = {key: verdict.kind for key, verdict in verdicts.items() if verdict.kind != SAME}
    assert found == {name: CLOSE, "manifest.json": CLOSE, "report/report.html": CLOSE}
    assert "3 same numbers within 0.1%.\nYes, within 0.1%: made again" in table_of(verdicts, {})


def test_with_all_results_the_same_a_number_in_a_report_that_is_another_one_was_changed_by_hand(pair):
    """One unit of the last decimal is a rounding of another number only where there is another number."""
    run, rebuilt = pair
    (rebuilt / "report" / "report.html").write_text("<p>about 0.52</p>", encoding="utf-8")
    write_pdf(rebuilt, "about 0.52")
    found = verdicts_of(run, rebuilt)
    assert found["report/report.html"].where == "line 1: >about 0.51 against >about 0.52"
    assert found["report/report.pdf"].kind == DIFFERENT


@pytest.mark.parametrize("key", ["device_kind", "compute_dtype", "compiled"])
def test_what_a_summary_says_of_its_machine_brings_no_other_words_into_a_report(pair, key):
    """Who forges a page could let a model's summary have it as the name of the device."""
    forged = "<p>a share of 99.9 %</p>"
    for run, value in zip(pair, (forged, "float32"), strict=True):
        name = "models/gpt2-tiny/summary.json"
        true = {"device_kind": "cpu", "compute_dtype": "float32", "compiled": False}
        summary = json.loads((run / name).read_text(encoding="utf-8")) | true
        word = forged if value == forged else str(true[key])
        rewrite(run, name, json.dumps(summary | ({key: forged} if value == forged else {})))
        (run / "report" / "report.html").write_text(f"<p>on {word} with</p>", encoding="utf-8")
    found = verdicts_of(*pair)
    assert f"key {key}: {forged[:20]}" in found["models/gpt2-tiny/summary.json"].where
    assert found["report/report.html"].kind == DIFFERENT


def test_what_a_manifest_says_of_its_packages_brings_no_other_words_into_a_report(pair):
    for run, build in zip(pair, ("+cpu", "+cu128"), strict=True):
        text = (run / "manifest.json").read_text(encoding="utf-8")
        write_text(run / "manifest.json", text.replace('"versions": {', f'"versions": {{"some": "2.1{build}",'))
        (run / "report" / "report.html").write_text(f"<p>some 2.1{build}</p>", encoding="utf-8")
    assert verdicts_of(*pair)["report/report.html"].kind == CLOSE
    for path in (pair[0] / "manifest.json", pair[0] / "report" / "report.html"):
        write_text(path, path.read_text(encoding="utf-8").replace("2.1+cpu", "2.1+cpu; a share of 99.9 %"))
    found = verdicts_of(*pair)
    assert {found[name].kind for name in ("manifest.json", "report/report.html")} == {DIFFERENT}


def test_a_missing_an_altered_and_an_extra_file_are_different(pair):
    run, rebuilt = pair
    (rebuilt / "statistics" / "quality.parquet").unlink()
    table = run / "statistics" / "confusion.parquet"
    table.write_bytes(table.read_bytes() + b" ")
    manifest = rebuilt / "manifest.json"
    text = manifest.read_text(encoding="utf-8").replace('"artefacts": {', '"artefacts": {"a.txt": "0",', 1)
    write_text(manifest, text)
    verdicts = verdicts_of(run, rebuilt)
    different = {name: verdict.where for name, verdict in verdicts.items() if verdict.kind == DIFFERENT}
    assert set(different) == {"statistics/quality.parquet", "statistics/confusion.parquet", "a.txt", "manifest.json"}
    assert table_of(verdicts, {}).splitlines()[-1].startswith("No: made again, the run is different.")
    assert "no such file" in different["statistics/quality.parquet"]
    assert "does not have the hash that the run records" in different["statistics/confusion.parquet"]
    assert "only the rebuilt run" in different["a.txt"] and "artefacts.a.txt" in different["manifest.json"]


def test_a_file_that_no_manifest_names_is_compared_too(pair):
    """A reader of a bundle sees its config and its tokens."""
    config = pair[0] / "config.json"
    config.write_text(config.read_text(encoding="utf-8").replace('"seed": ', '"seed": 1'), encoding="utf-8")
    verdict = verdicts_of(*pair)["config.json"]
    assert verdict.kind == DIFFERENT and "key seed" in verdict.where


def test_words_of_somebody_elses_file_do_not_control_the_terminal(pair):
    config = pair[0] / "config.json"
    config.write_text('{"\\u001b]0;x\\u0007": 1}', encoding="utf-8")
    table = table_of(verdicts_of(*pair), {})
    assert "␛]0;x␇" in table and "\x1b" not in table


def test_the_page_may_name_another_device(pair):
    run, rebuilt = pair
    for where, kind, dtype, words in ((run, "cpu", "float32", "a CPU"), (rebuilt, "cuda", "bfloat16", "a GPU (cuda)")):
        summary = where / "models" / "gpt2-tiny" / "summary.json"
        text = summary.read_text(encoding="utf-8")
        summary.write_text(text.replace('"cpu"', f'"{kind}"').replace('"float32"', f'"{dtype}"'), encoding="utf-8")
        page = f"<p>It was trained on {words}, in {dtype}, 8 sequences at once. about 0.51</p>"
        (where / "report" / "report.html").write_text(page, encoding="utf-8")
    assert verdicts_of(run, rebuilt)["report/report.html"].kind == CLOSE
    assert verdicts_of(rebuilt, run)["report/report.html"].kind == CLOSE
    page = rebuilt / "report" / "report.html"
    page.write_text(page.read_text(encoding="utf-8").replace("a GPU (cuda)", "a GPU (mps)"), encoding="utf-8")
    assert verdicts_of(run, rebuilt)["report/report.html"].kind == DIFFERENT


def test_a_pdf_is_compared_by_its_words(pair):
    run, rebuilt = pair
    change_a_number(rebuilt)
    for words, kind in (("about 0.51", SAME), ("about 0.52", CLOSE), ("about 0.61", DIFFERENT), ("or 0.51", DIFFERENT)):
        write_pdf(rebuilt, words)
        assert verdicts_of(run, rebuilt)["report/report.pdf"].kind == kind, words
    (rebuilt / "report" / "report.pdf").write_bytes(b"no PDF")
    assert "can't be read" in verdicts_of(run, rebuilt)["report/report.pdf"].where


def test_a_run_without_a_pdf_needs_none(recorded, tmp_path):
    run = make_run(tmp_path / "run", pdf=False)
    shutil.copytree(recorded / "report", run / "report", ignore=shutil.ignore_patterns("*.pdf"))
    assert {verdict.kind for verdict in verdicts_of(run, run).values()} == {SAME}


def test_the_hash_decides_for_a_file_that_the_bundle_lacks(pair):
    run, rebuilt = pair
    (run / "corpus" / "texts.parquet").unlink()
    assert verdicts_of(run, rebuilt)["corpus/texts.parquet"].kind == SAME
    texts = rebuilt / "corpus" / "texts.parquet"
    texts.write_bytes(texts.read_bytes() + b" ")
    assert verdicts_of(run, rebuilt)["corpus/texts.parquet"].kind == DIFFERENT


def test_a_folder_of_somebody_else_is_checked_like_a_bundle(recorded, tmp_path, monkeypatch, capsys):
    theirs = shutil.copytree(recorded, tmp_path / "theirs")
    text = (theirs / "manifest.json").read_text(encoding="utf-8")
    write_text(theirs / "manifest.json", text.replace("data/letters.txt", "data/$(touch PWNED).txt"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(["verify", str(theirs)])
    assert end.value.code == 3
    said = capsys.readouterr().err
    assert (
        "'data/$(touch PWNED).txt' in its inputs can't be the name of a file" in said and "Making the run" not in said
    )


@pytest.mark.parametrize("content", [b"{}", b"PK\x03\x04 no zip", b"\x00" * 30])
def test_what_is_no_run_ends_with_status_3_and_one_message(tmp_path, monkeypatch, capsys, content):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "theirs").mkdir()
    for source in (tmp_path / "theirs.zip", tmp_path / "theirs" / "manifest.json"):
        source.write_bytes(content)
        with pytest.raises(SystemExit) as end:
            main(["verify", str(source if source.suffix == ".zip" else source.parent)])
        said = capsys.readouterr().err
        assert end.value.code == 3 and said.startswith("✗ ") and "What to do" in said and "Traceback" not in said


def test_a_copy_of_another_report_does_not_make_the_run_different(pair):
    verdicts = verdicts_of(*pair)
    *_, answer, of_copy = table_of(verdicts, {"their.ipynb": Verdict(DIFFERENT, "cell 3")}).splitlines()
    assert answer.startswith("Yes: made again") and of_copy == "No: their.ipynb is not the run's own."


def test_a_copy_is_compared_with_the_run_s_own_report_also_where_the_bundle_lacks_it(pair, tmp_path):
    run, rebuilt = pair
    page, copy, other = run / "report" / "report.html", tmp_path / "copy.html", tmp_path / "other.html"
    shutil.copy(page, copy)
    other.write_text("<p>about 0.61</p>", encoding="utf-8")
    (run / "provenance.json").write_text(json.dumps({"sha256": {"report.html": sha256_of(page)}}), encoding="utf-8")

    def kinds():
        return [verdict.kind for verdict in compare_copies([copy, other], run, rebuilt).values()]

    assert kinds() == [SAME, DIFFERENT]
    page.unlink()
    assert kinds() == [SAME, DIFFERENT]
    copy.write_text("<p>about 0.51001</p>", encoding="utf-8")  # the number of no run
    assert kinds() == [DIFFERENT, DIFFERENT]
    (rebuilt / "report" / "report.html").write_text("<p>about 0.52</p>", encoding="utf-8")
    (verdict, _) = compare_copies([copy, other], run, rebuilt).values()
    assert verdict.kind == DIFFERENT and "the recorded file is not here" in verdict.where


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"kernelspec": {"name": "samizdat"}, "language_info": {"version": "3.12.1"}}, CLOSE),
        ({"authors": [{"name": "somebody else"}]}, DIFFERENT),
    ],
)
def test_a_notebook_that_was_opened_and_saved_with_another_kernel_is_still_the_runs_own(pair, tmp_path, change, kind):
    copy = tmp_path / "copy.ipynb"
    copy.write_text(json.dumps({"metadata": change, "cells": []}, indent=1), encoding="utf-8")
    for run in pair:
        (run / "report" / "report.ipynb").write_text('{"cells": [], "metadata": {}}', encoding="utf-8")
    (verdict,) = compare_copies([copy], *pair).values()
    assert verdict.kind == kind


def test_numbers_of_a_german_report_agree_as_those_of_an_english_one(pair):
    change_a_number(pair[1])
    for folder, share in ((pair[0], "12,5"), (pair[1], "12,6")):
        manifest = folder / "manifest.json"
        words = manifest.read_text(encoding="utf-8").replace('"report_language": "en"', '"report_language": "de"')
        write_text(manifest, words)
        (folder / "report" / "report.html").write_text(f"<p>{share}\u00a0%</p>", encoding="utf-8")
    assert verdicts_of(*pair)["report/report.html"].kind == CLOSE


def test_a_copy_that_is_called_as_a_file_of_the_run_hides_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = finished_run(tmp_path)
    copy = Path(shutil.copy(run / "report" / "report.ipynb", tmp_path / "report"))

    def rebuild(manifest, recorded, checkout):
        again = shutil.copytree(recorded, checkout / "results" / "mine")
        (again / "report" / "report.ipynb").write_text("{}", encoding="utf-8")
        return again

    monkeypatch.setattr("samizdat.runs.rebuild.copy_code", lambda manifest, checkout: "with the code here")
    monkeypatch.setattr("samizdat.runs.rebuild.rebuild", rebuild)
    assert verify(run, [copy.relative_to(tmp_path)]) == 2


def test_the_name_of_a_file_does_not_control_the_terminal(pair):
    table = table_of(verdicts_of(*pair), {"\x1b]0;x\x07.html": Verdict(DIFFERENT, "line 1")})
    assert "No: ␛]0;x␇.html is not the run's own." in table and "\x1b" not in table
    assert "\x9b" not in table_of({"models/\x9b2J/model.safetensors": Verdict(SAME)}, {})


@pytest.mark.parametrize("copy", ["missing.ipynb", "notes.txt"])
def test_a_copy_that_is_no_report_is_refused_before_anything_is_made(recorded, tmp_path, capsys, copy):
    (tmp_path / "notes.txt").write_text("words", encoding="utf-8")
    with pytest.raises(SystemExit) as end:
        main(["verify", str(recorded), str(tmp_path / copy)])
    said = capsys.readouterr().err
    assert end.value.code == 3 and f"{copy} is no file, or no report" in said and ".ipynb, .html, .pdf" in said


def test_a_report_without_its_run_is_told_as_such(recorded, capsys):
    with pytest.raises(SystemExit) as end:
        main(["verify", str(recorded / "report" / "report.ipynb")])
    said = capsys.readouterr().err
    assert end.value.code == 3 and "alone can't be made again" in said and "RUN=their.zip COPIES=report.ipynb" in said


def finished_run(folder):
    """Write a run that can be bundled, and its inputs, into a folder that commands are called in."""
    for path, text in (("data/letters.txt", "a letter\n"), ("report/notes.md", "my words\n")):
        write_text(folder / path, text)
    inputs = {path: sha256_of(folder / path) for path in ("data/letters.txt", "report/notes.md")}
    run = make_run(folder / "results" / "mine", inputs=inputs)
    finish(run)
    return run


@pytest.mark.parametrize("name", ["theirs", "results/theirs"])
def test_a_bundle_that_a_browser_unpacked_is_verified_with_its_own_texts(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    with zipfile.ZipFile(write_bundle(finished_run(tmp_path), hashes_only=False)) as archive:
        archive.extractall(tmp_path / name)
    shutil.rmtree(tmp_path / "data")
    made = []

    def rebuild(manifest, recorded, checkout):
        made.append((checkout / "data" / "letters.txt").read_text(encoding="utf-8"))
        return shutil.copytree(recorded, checkout / "results" / "mine")

    monkeypatch.setattr("samizdat.runs.rebuild.copy_code", lambda manifest, checkout: "with the code here")
    monkeypatch.setattr("samizdat.runs.rebuild.rebuild", rebuild)
    assert verify(tmp_path / name, []) == 0 and made == ["a letter\n"]
    assert "Making the run mine again" in capsys.readouterr().err
    manifest = tmp_path / name / "results" / "manifest.json"
    write_text(manifest, manifest.read_text(encoding="utf-8").replace("data/letters.txt", "data/;evil.txt"))
    with pytest.raises(UserError, match="can't be the name of a file in a bundle"):
        verify(tmp_path / name, [])


def test_what_was_kept_of_a_bundle_stays_when_another_of_its_name_is_verified(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run = finished_run(tmp_path)
    bundle = write_bundle(run, hashes_only=False)
    for one in ("anna", "ben"):
        (tmp_path / one).mkdir()
    sources = [run, bundle, *(Path(shutil.copy2(bundle, tmp_path / one / "mine.zip")) for one in ("anna", "ben"))]

    def rebuild(manifest, recorded, checkout):
        again = shutil.copytree(recorded, checkout / "results" / "mine")
        (again / "config.json").write_text("{}", encoding="utf-8")
        return again

    monkeypatch.setattr("samizdat.runs.rebuild.copy_code", lambda manifest, checkout: "with the code here")
    monkeypatch.setattr("samizdat.runs.rebuild.rebuild", rebuild)
    assert [verify(source, []) for source in sources] == [2] * 4
    kept = [line.rpartition(" ")[2] for line in capsys.readouterr().err.splitlines() if "is kept in" in line]
    assert len({*kept}) == 4 and all((tmp_path / folder / "config.json").is_file() for folder in kept)


def test_what_nobody_foresaw_has_the_status_of_a_failure_too(tmp_path, monkeypatch, capsys):
    def fail(source, copies):
        raise ZeroDivisionError("unforeseen")

    monkeypatch.setattr("samizdat.runs.verify.verify", fail)
    with pytest.raises(SystemExit) as end:
        main(["verify", "x"])
    assert end.value.code == 3 and "✗ ZeroDivisionError: unforeseen" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content", ["", "[]", "7", '{"sha256": []}', '{"sha256": {"manifest.json": []}}', "[" * 100_000]
)
def test_an_odd_provenance_is_no_traceback(pair, content):
    (pair[0] / "provenance.json").write_text(content, encoding="utf-8")
    assert set(verdicts_of(*pair)) >= {"manifest.json", "report/report.html"}
