"""A run compared with its copy, with one thing changed in one of them."""

import shutil

import pytest

from samizdat.base.files import write_text
from samizdat.runs.sameness import CLOSE, DIFFERENT, SAME, Verdict
from samizdat.runs.verify import table_of
from support.run_fixture import make_run
from support.two_runs import change_a_number, manifest_of, verdicts_of, write_pdf


def test_a_run_is_the_same_as_its_copy(pair):
    verdicts = verdicts_of(*pair)
    assert {verdict.kind for verdict in verdicts.values()} == {SAME}
    reports = {"report/quarto.ipynb", "report/report.ipynb", "report/report.html", "report/report.pdf"}
    unnamed = {"config.json", "tokenizers/own/tokenizer_config.json"}
    names = set(manifest_of(pair[0]).artefacts) | {"manifest.json"} | unnamed | reports
    assert set(verdicts) == names
    said = f"\n\nFiles of the run: {len(names)} same bytes.\nYes: made again from its texts, its config and the code "
    assert said in table_of(verdicts, {})


def test_numbers_within_the_tolerance_change_neither_the_verdict_of_manifest_nor_of_page(pair):
    name = change_a_number(pair[1])
    (pair[1] / "report" / "report.html").write_text("<p>about 0.52</p>", encoding="utf-8")
    verdicts = verdicts_of(*pair)
    found = {key: verdict.kind for key, verdict in verdicts.items() if verdict.kind != SAME}
    assert found == {name: CLOSE, "manifest.json": CLOSE, "report/report.html": CLOSE}
    assert "3 same numbers within 0.1%.\nYes, within 0.1%: made again" in table_of(verdicts, {})


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


def test_numbers_of_a_german_report_agree_as_those_of_an_english_one(pair):
    change_a_number(pair[1])
    for folder, share in ((pair[0], "12,5"), (pair[1], "12,6")):
        manifest = folder / "manifest.json"
        words = manifest.read_text(encoding="utf-8").replace('"report_language": "en"', '"report_language": "de"')
        write_text(manifest, words)
        (folder / "report" / "report.html").write_text(f"<p>{share}\u00a0%</p>", encoding="utf-8")
    assert verdicts_of(*pair)["report/report.html"].kind == CLOSE


def test_the_name_of_a_file_does_not_control_the_terminal(pair):
    table = table_of(verdicts_of(*pair), {"\x1b]0;x\x07.html": Verdict(DIFFERENT, "line 1")})
    assert "No: ␛]0;x␇.html is not the run's own." in table and "\x1b" not in table
    assert "\x9b" not in table_of({"models/\x9b2J/model.safetensors": Verdict(SAME)}, {})


@pytest.mark.parametrize(
    "content", ["", "[]", "7", '{"sha256": []}', '{"sha256": {"manifest.json": []}}', "[" * 100_000]
)
def test_an_odd_provenance_is_no_traceback(pair, content):
    (pair[0] / "provenance.json").write_text(content, encoding="utf-8")
    assert set(verdicts_of(*pair)) >= {"manifest.json", "report/report.html"}
