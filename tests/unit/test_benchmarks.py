"""The arithmetic of the benchmarks: targets, medians, operations, tables."""

import inspect
import json
import re
import struct
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from transformers import AutoModel

from samizdat.checkpoints import sources
from samizdat.records.io import read_table
from samizdat.records.statistics import STATISTICS
from samizdat.reporting import verdicts

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import czech
import debian
import gpu_workflow
import inference
import inference_agreement
import inference_labels
import inference_largest
import inference_questions
import inference_samples
import languages
import rates
import record
import report
import report_notebook
from record import ROOT, Figure, middle


@pytest.mark.parametrize(
    ("value", "reach", "less_is_better", "met"),
    [(12.0, 12, False, True), (11.9, 12, False, False), (0.04, 0.04, True, True), (0.05, 0.04, True, False),
     (1.0, None, False, None), (np.float64(12), 12, False, True)],
)  # fmt: skip
def test_a_reach_is_met_from_the_right_side(value, reach, less_is_better, met):
    assert Figure("it", value, reach, less_is_better).met is met


def test_the_median_has_its_spread():
    assert middle("it", [3.0, 1.0, 9.0]) == Figure("it", 3.0, None, False, (1.0, 9.0))
    assert middle("it", [3.0, 1.0, 9.0, 5.0]).value == 4.0


def test_operations_are_those_of_gpt2_small():
    # 85 million weights in the blocks' matrices, 38.6 in the head; PaLM's formula by hand.
    found = rates.operations_per_token(layers=12, width=768, context=1024, vocabulary=50257)
    assert found == 6 * (84_934_656 + 38_597_376) + 12 * 12 * 768 * 1024


def test_a_table_replaces_its_own_and_leaves_the_rest(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(record, "PAGE", tmp_path / "benchmarks.md")
    record.PAGE.write_text("# Benchmarks\n\nKept.\n\n## speed\n\nAlso kept.\n", encoding="utf-8")
    record.write("speed", {"fast": middle("how fast", [1.0, 2.0, 12345.6], 2)}, {})
    record.write("size", {"small": Figure("how small", 7.0)}, {})
    record.write("speed", {"fast": middle("how fast", [1.0, 1.5, 12345.6], 2)}, {"note": 1})
    page = record.PAGE.read_text(encoding="utf-8")
    assert page.count("| how fast | 1.5 | 1 to 12,346 | ≥ 2 | no |") == 1 and "| how fast | 2 |" not in page
    assert "| how small | 7 |  |  |  |" in page and "\nKept.\n" in page and page.count("\n## speed\n") == 1
    assert page.index("Also kept.") < page.index("how fast") < page.index("## size")
    saved = json.loads((tmp_path / "results" / "speed.json").read_text(encoding="utf-8"))
    assert saved["figures"]["fast"]["value"] == 1.5 and saved["figures"]["fast"]["met"] is False
    assert saved["versions"]["torch"] and saved["machine"]["processor"] and saved["notes"] == {"note": 1}


def test_a_part_of_a_benchmark_adds_its_rows_and_names_its_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(record, "PAGE", tmp_path / "benchmarks.md")
    record.write("speed", {"fast": Figure("how fast", 1.0), "late": Figure("how late", 3.0)}, {"kept": 1})
    monkeypatch.setattr(record, "commit", lambda: "later")
    record.add("speed", {"late": Figure("how late", 4.0), "small": Figure("how small", 7.0)}, {"new": 2})
    saved = json.loads((tmp_path / "results" / "speed.json").read_text(encoding="utf-8"))
    assert {key: row["value"] for key, row in saved["figures"].items()} == {"fast": 1.0, "late": 4.0, "small": 7.0}
    assert saved["commit"] != "later"
    assert saved["notes"] == {"kept": 1, "new": 2, "commits_of_parts": {"late": "later", "small": "later"}}
    assert "| how small | 7 |" in record.PAGE.read_text(encoding="utf-8")


def test_a_file_of_sayings_becomes_rows_with_their_authors():
    contents = "Žít znamená\nbojovat.\n\t\t-- Seneca\n%\nKdo se bojí,  nesmí do lesa.\n%\nBez jména.\n\t\t-- XY\n%\n\n"
    assert list(czech.sayings("klasik-sk", contents)) == [
        ("Žít znamená bojovat.", "Seneca", "citát", "slovenčina"),
        ("Kdo se bojí, nesmí do lesa.", "", "citát", "slovenčina"),
        ("Bez jména.", "", "citát", "slovenčina"),
    ]
    verse = "Sedí pán při malém pivu,\nve tváři má zděšení.\n\t\t-- Skoumal\n"
    assert next(czech.sayings("vodnansky", verse))[:2] == (
        "Sedí pán při malém pivu,\nve tváři má zděšení.", "Skoumal",
    )  # fmt: skip


def test_a_package_with_another_hash_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(debian, "DOWNLOADS", tmp_path)
    (tmp_path / f"{czech.PACKAGE.name}_{czech.PACKAGE.version}_all.deb").write_bytes(b"other")
    with pytest.raises(SystemExit, match="another SHA-256"):
        czech.PACKAGE.fetch()


def test_messages_of_a_catalogue_are_read_without_access_keys():
    pairs = [("", "head"), ("_Open it", "_Diese Datei jetzt öffnen"), ("one\0many", "eine lange Datei\0zwei"),
             ("Fetch %s", "Hole diese Datei: %s"), ("same text in both of them", "same text in both of them"),
             ("Ok", "Gut"), ("_Save", "今すぐこのファイルを保存する(_S)")]  # fmt: skip
    begin = 28 + 16 * len(pairs)
    tables, strings = [], b""
    for side in (0, 1):
        for pair in pairs:
            encoded = pair[side].encode()
            tables.append(struct.pack("<2I", len(encoded), begin + len(strings)))
            strings += encoded + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    assert list(languages.translations(head + b"".join(tables) + strings)) == [
        "Diese Datei jetzt öffnen", "今すぐこのファイルを保存する",
    ]  # fmt: skip


def test_only_what_readers_see_of_a_page_is_searched_for_what_is_false():
    page = '<style>nan</style><p title="None">None of 5&nbsp;texts</p><code>None</code><td>0 of 0</td>'
    seen = languages.visible_text(page)
    assert [match[0] for match in re.finditer(languages.FALSE, seen)] == ["0 of 0"]


def test_bytes_that_differ_are_counted():
    assert report.differing_bytes(b"same", b"same") == 0
    assert report.differing_bytes(b"abcd", b"abXdEF") == 3


def test_what_quarto_has_and_the_embedded_page_lacks_is_named(tmp_path):
    pages = []
    for renderer, names in (("embedded", "sec-a tbl-c"), ("quarto", "sec-a fig-b tbl-c")):
        path = tmp_path / f"{renderer}.html"
        path.write_text(" ".join(f'<p id="{name}">' for name in names.split()), encoding="utf-8")
        pages.append(report.Page("demo", renderer, path))
    assert report.compare(pages) == ["demo: fig-b"]
    figures = report.figures_of(
        pages, {"vanished": ["x"]}, {"embedded": 0, "quarto": 0}, ["demo: fig-b"], {"demo, embedded": 14_001}
    )
    assert [key for key, figure in figures.items() if not figure.met] == [
        "hostile_strings",
        "page_height",
        "lacking",
    ]


def test_what_is_seen_of_a_notebook_is_counted_for_each_program_that_showed_it():
    seen = report_notebook.Seen({"Markdown viewer": [], "JupyterLab": [":::"]}, ["<b>"], lost=2, said_so=1, opened=3)
    figures = report_notebook.figures_of(seen, ["demo"], 4)
    assert {key: figure.value for key, figure in figures.items()} == {
        "raw_syntax_source": 0, "raw_syntax_jupyterlab": 1, "notebook_differing_bytes": 4, "jupyterlab_hostile": 1,
        "jupyterlab_lost": 2, "jupyterlab_unsaid": 2,
    }  # fmt: skip
    without_lab = report_notebook.figures_of(report_notebook.Seen({"Markdown viewer": []}), ["demo"], 0)
    assert set(without_lab) == {"raw_syntax_source", "notebook_differing_bytes"}


def test_the_packages_for_a_gpu_machine_are_in_the_lock():
    names = [line for line in (ROOT / "benchmarks" / "gpu_workflow.txt").read_text().splitlines() if line[0] != "#"]
    locked = re.findall(r"^([a-z0-9.-]+)==", (ROOT / "envs" / "lock.txt").read_text(), flags=re.MULTILINE)
    assert names == sorted(names) and set(names) <= set(locked)


def test_an_encoder_that_is_not_installed_gets_the_same_random_weights_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_workflow, "ENCODER", "not_installed")
    files = tmp_path / "encoder"
    files.mkdir()
    shape = {"vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    (files / "config.json").write_text(json.dumps({"model_type": "bert", **shape}), encoding="utf-8")
    said = [gpu_workflow.stand_in(tmp_path / name, files) for name in ("first", "second")]
    assert said[0] == said[1] and "random weights" in said[0]
    weights = [tmp_path / name / "not_installed" / "model" / "model.safetensors" for name in ("first", "second")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    monkeypatch.syspath_prepend(tmp_path / "first")
    assert metadata.version("not_installed") == "0.1.0+random.weights"
    found = sources.locate("package:not_installed/model", None)
    _, told = AutoModel.from_pretrained(found.path, output_loading_info=True)
    assert not told["missing_keys"] and not told["unexpected_keys"]


def test_the_interpreter_answers_to_python_where_only_python3_is_there(tmp_path, monkeypatch):
    alone = tmp_path / "bin" / "python3"
    alone.parent.mkdir()
    alone.symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(alone))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    environment = gpu_workflow.environment_with(tmp_path / "tree", tmp_path / "stands")
    done = subprocess.run("python -c 'print(6 * 7)'", shell=True, env=environment, capture_output=True, text=True)
    assert done.stdout == "42\n" and environment["PYTHONPATH"] == f"{tmp_path}/tree/workflow:{tmp_path}/stands"


def test_a_run_from_nothing_keeps_only_the_archives(tmp_path):
    carried, tree = tmp_path / "carried", tmp_path / "tree"
    for path in ("work/demo/model/usage.json", "results/demo/x", "logs/demo/y"):
        (tree / path).parent.mkdir(parents=True)
        (tree / path).write_text('{"elapsed_seconds": 2.5}', encoding="utf-8")
    carried.mkdir()
    (carried / "texts-1.tar.gz").write_bytes(b"archive")
    assert gpu_workflow.jobs(tree) == {"demo/model": {"elapsed_seconds": 2.5}}
    gpu_workflow.clear(tree, carried)
    assert [path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()] == [
        "work/downloads/texts-1.tar.gz"
    ]


def test_every_question_of_the_report_is_simulated_and_listed():
    modules = (inference_agreement, inference_labels, inference_samples)
    asked = "".join(inspect.getsource(module) for module in modules)
    claims = [
        name for name, it in vars(verdicts).items() if inspect.isfunction(it) and it.__module__ == verdicts.__name__
    ]
    for name in claims:
        assert name.startswith("_") or name == "published" or f"verdicts.{name}(" in asked, name
    methods = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    for question in inference_questions.QUESTIONS:
        assert f"“{question}”" in methods, question


@pytest.mark.parametrize("question", inference_questions.QUESTIONS)
def test_a_question_finds_an_effect_and_mostly_nothing_where_there_is_none(question):
    """A cheap part of the benchmark: 24 corpora with nothing to be found; more than 4 claims have a chance of 0.6 %."""
    words = "simple model" in question
    nothing = inference.Job(question, 100, 1, 2, effect=False, start=0, corpora=8 if words else 24)
    record = inference.count(nothing, until=np.inf)
    assert record["claims"] <= 4
    assert all(number == 0 for name, number in record["intervals"].items() if name.endswith("without estimate"))
    there = inference.Job(question, 300 if words else 1000, 1, 2, effect=True, start=0, corpora=2)
    assert inference.count(there, until=np.inf)["claims"] >= (0 if words else 1)


@pytest.mark.parametrize(
    "question", sorted(set(inference_questions.QUESTIONS) - {"a label’s share changes in training"})
)
def test_with_too_few_documents_no_question_is_answered(question):
    if "training" not in question:  # the samples of checkpoints are enough to be compared with each other
        record = inference.count(inference.Job(question, 300, 20, 2, effect=True, start=0, corpora=2), until=np.inf)
        assert record["claims"] == 0 and not record["intervals"].get("label_shares|all")


def test_rates_are_summed_over_jobs_and_the_worst_kind_is_shown():
    question = "samples and texts differ"
    kinds = [(100, 1, 2, False), (100, 1, 9, False), (100, 1, 2, True)]
    found = {
        inference.Job(question, *kind, start, 100): {"corpora": 100, "claims": claims, "intervals": {
            "divergences|all": 200, "divergences|covered": 190 - start, "divergences|without estimate": 0}}
        for kind, hits in zip(kinds, ((4, 8), (5, 5), (90, 70)), strict=True)
        for start, claims in zip((0, 100), hits, strict=True)
    }  # fmt: skip
    figures = inference.figures_of(inference.merged({}, found, [question]))
    assert figures[question].value == 0.055 and figures[question].met
    assert "400 corpora of 2 kinds" in figures[question].meaning
    worst = figures[f"worst: {question}"]
    assert worst.value == 0.06 and worst.met and "100 texts, 1 a document, 2 labels" in worst.meaning
    assert worst.spread == pytest.approx((0.0347, 0.1019), abs=1e-3)
    assert figures[f"power: {question}"].value == 0.8 and figures[f"power: {question}"].met is None
    least, most = (figures[f"{word} coverage of divergences"] for word in ("least", "most"))
    assert least.value == most.value == 280 / 400 and not least.met and most.met
    assert figures["without estimate"].met and figures["few"].met


def test_a_kind_whose_rate_or_coverage_may_be_chance_is_simulated_again():
    def jobs(question, effect, corpora, claims, covered):
        counted = {"i|all": 100, "i|covered": covered, "i|without estimate": 0}
        job = inference.Job(question, 100, 1, 2, effect, 0, corpora)
        return {job: {"corpora": corpora, "claims": claims, "intervals": counted}}

    def again(*found):
        return {
            (job.question, job.effect, job.start)
            for job in inference.more_jobs({k: v for f in found for k, v in f.items()})
        }

    one, other = "samples and texts differ", "how far raters agree"
    assert again(jobs(one, False, 400, 20, 95), jobs(other, False, 400, 0, 94), jobs(one, True, 50, 50, 96)) == set()
    assert min(again(jobs(one, False, 400, 24, 95))) == (one, False, 400)
    assert min(again(jobs(one, True, 50, 50, 90))) == (one, True, 50)
    assert min(again(jobs(other, False, 400, 0, 100))) == (other, False, 400)


def test_the_record_keeps_the_rows_of_questions_that_were_not_asked_again(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(inference, "RESULTS", tmp_path)
    monkeypatch.setattr(record, "PAGE", tmp_path / "benchmarks.md")
    monkeypatch.setattr(inference, "KEPT", tmp_path / "kept.jsonl")
    one, other = "samples and texts differ", "how far raters agree"
    monkeypatch.setattr(
        inference, "first_jobs", lambda: [inference.Job(q, 100, 1, 2, False, 0, 2) for q in (one, other)]
    )
    monkeypatch.setattr(
        inference, "timed", lambda: [{"name": "t", "figure": {"meaning": "t", "value": 1.0}, "commit": "c"}]
    )

    def run(*options, commit):
        monkeypatch.setattr(inference, "commit", lambda: commit)
        monkeypatch.setattr(sys, "argv", ["inference.py", *options])
        inference.main()
        notes = json.loads((tmp_path / "inference.json").read_text(encoding="utf-8"))["notes"]
        return {row["question"]: row["commit"] for row in notes["coverage"]}, notes["largest"]

    assert run("--no-largest", commit="a") == ({one: "a", other: "a"}, [])
    assert run("--no-largest", "--questions", "raters", commit="b") == ({one: "a", other: "b"}, [])
    rows, timed = run("--only-largest", commit="c")
    assert rows == {one: "a", other: "b"} and [row["name"] for row in timed] == ["t"]
    assert run("--no-largest", "--questions", "texts differ", commit="d")[1] == timed
    with pytest.raises(SystemExit):
        run("--questions", "no such question", commit="e")
    assert "how varied samples are" in capsys.readouterr().err


def test_a_run_that_was_stopped_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(inference, "KEPT", tmp_path / "kept.jsonl")
    jobs = [inference.Job("samples and texts differ", 100, 1, 2, False, start, 2) for start in (0, 2)]
    assert inference.simulate(jobs, until=0) == {}
    first = inference.simulate(jobs[:1], until=np.inf)
    both = inference.simulate(jobs, until=np.inf)
    assert set(first) == {jobs[0]} and set(both) == set(jobs)
    assert inference.KEPT.read_text(encoding="utf-8").count("\n") == 2


def test_the_largest_corpora_are_those_of_the_stage(tmp_path, capsys):
    inference_largest.make(tmp_path, labels=3, texts=60)
    inference_largest.measure(tmp_path)
    measured = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(measured) == {"seconds", "CPU seconds", "GiB"} and min(measured.values()) > 0
    tables = {path.stem for path in (tmp_path / "statistics").glob("[!.]*.parquet")}
    assert tables == set(STATISTICS)
    assert read_table(tmp_path / "statistics" / "quality.parquet", STATISTICS["quality"])["p_value"].notna().any()
